/* SPDX-License-Identifier: ISC */
/* watchdog: starts, watches and restarts the daemons of the suite. */
#include "common/account.h"
#include "common/log.h"
#include "watchdog/handover.h"
#include "watchdog/once.h"
#include "watchdog/patience.h"
#include "watchdog/watchdog.h"

int
main(int argc, char **argv)
{
	struct daemon_opts opts = {
	    .name = "watchdog",
	    .page = "patchflow-watchdog(8)",
	    .summary = "start, watch and restart the daemons of patchflow",
	    .inherits = true,
	    .patience = patience,
	};
	struct settings conf;
	struct tree tree;
	static struct watchdog w; /* too large for some stacks */
	bool inherited;

	log_init(opts.name);
	account_ask_apart();
	daemon_parse(&opts, argc, argv);
	handover_insist(&opts, argv);
	daemon_config(&opts, &conf);
	inherited = opts.inherit_fd != -1;
	w.past = handover_open(&opts);
	if (opts.check) {
		settings_free(&conf);
		return inherited && w.past == NULL ? EXIT_FATAL : EXIT_DONE;
	}
	daemon_enter(&opts, &conf, &tree);
	if (opts.once)
		return once_run(&conf, &tree);
	watchdog_open(&w, &opts, &conf, &tree);
	daemon_ready(&opts);
	watchdog_run(&w);
	watchdog_close(&w);
	return EXIT_DONE;
}
