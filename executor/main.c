/* SPDX-License-Identifier: ISC */
/* executor@QUEUE: executes a queue's patches, each all or nothing. */
#include "common/log.h"
#include "executor/dry_run.h"

int
main(int argc, char **argv)
{
	struct daemon_opts opts = {.name = "executor",
	    .page = "patchflow-executor(8)",
	    .summary = "execute the patches of one queue, all or nothing",
	    .takes_queue = true,
	    .stages = true};
	struct settings settings;
	struct tree tree;
	struct executor ex;
	int status;

	log_init(opts.name);
	daemon_parse(&opts, argc, argv);
	daemon_config(&opts, &settings);
	if (opts.check)
		return executor_check(&opts, &settings);
	if (opts.dry_run)
		return dry_run(&opts, &settings);
	daemon_enter(&opts, &settings, &tree);
	if (executor_open(&ex, &tree, &settings, &opts) == -1)
		fatal("start");
	daemon_ready(&opts);
	executor_run(&ex);
	status = executor_close(&ex);
	tree_close(&tree);
	settings_free(&settings);
	return status;
}
