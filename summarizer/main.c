/* SPDX-License-Identifier: ISC */
/* summarizer: turns outcomes into summaries and delivers them. */
#include "common/daemon.h"
#include "common/log.h"
#include "summarizer/summarizer.h"

int
main(int argc, char **argv)
{
	struct daemon_opts opts = {
	    .name = "summarizer",
	    .page = "patchflow-summarizer(8)",
	    .summary = "turn outcomes into summaries and deliver them",
	};
	struct settings settings;
	struct summarizer s;
	struct tree tree;
	int status;

	log_init(opts.name);
	daemon_parse(&opts, argc, argv);
	daemon_config(&opts, &settings);
	if (opts.check)
		return summarizer_check(&settings);
	daemon_enter(&opts, &settings, &tree);
	summarizer_open(&s, &opts, &settings, &tree);
	summarizer_confine(&s);
	daemon_ready(&opts);
	status = summarizer_run(&s);
	summarizer_close(&s);
	tree_close(&tree);
	settings_free(&settings);
	return status;
}
