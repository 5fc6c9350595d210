/* SPDX-License-Identifier: ISC */
/* alertd: tells people what the suite has raised. */
#include "alertd/alertd.h"
#include "common/daemon.h"
#include "common/log.h"

int
main(int argc, char **argv)
{
	struct daemon_opts opts = {
	    .name = "alertd",
	    .page = "patchflow-alertd(8)",
	    .summary = "tell people what the suite has raised",
	};
	struct settings settings;
	struct alertd a;
	struct tree tree;
	int status;

	log_init(opts.name);
	daemon_parse(&opts, argc, argv);
	daemon_config(&opts, &settings);
	if (opts.check)
		return alertd_check(&settings);
	daemon_enter(&opts, &settings, &tree);
	alertd_open(&a, &opts, &settings, &tree);
	/* It talks to the network: it changes the spool and its logs only. */
	alertd_confine(&a);
	daemon_ready(&opts);
	status = alertd_run(&a);
	alertd_close(&a);
	tree_close(&tree);
	settings_free(&settings);
	return status;
}
