/* SPDX-License-Identifier: ISC */
/* ghost-bridge(8): patches from chats and the inbox into the queues. */
#include "bridge/bridge.h"
#include "common/log.h"
#include "common/sandbox.h"

int
main(int argc, char **argv)
{
	struct daemon_opts opts = {.name = DESK_NAME,
	    .page = "ghost-bridge(8)",
	    .summary = "take patches from chats and the inbox to the queues"};
	struct settings set;
	struct tree tree;
	struct bridge bridge;
	struct sandbox sandbox = {0};
	int status;

	log_init(opts.name);
	daemon_parse(&opts, argc, argv);
	daemon_config(&opts, &set);
	if (opts.check)
		return bridge_check(&set);
	daemon_enter(&opts, &set, &tree);
	bridge_open(&bridge, &opts, &set, &tree);
	/* It reads whatever models write: it changes the spool and no more. */
	sandbox_allow(&sandbox, tree.path);
	(void)sandbox_enter(&sandbox);
	sandbox_close(&sandbox);
	daemon_ready(&opts);
	status = bridge_run(&bridge);
	bridge_close(&bridge);
	tree_close(&tree);
	settings_free(&set);
	return status;
}
