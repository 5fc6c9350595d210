/* SPDX-License-Identifier: ISC */
/*
 * -n: what a start would choose for the queue, proven the same way, and left
 * as it was. Runs without the lock, beside an executor that is at work, and
 * so never touches a transaction, a record or an alert.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "executor/approvers.h"
#include "executor/executor.h"
#include "executor/foreign.h"
#include "executor/isolate.h"

static void
note_failure(struct executor *ex, struct trials *t, const char *check,
    const char *path, const char *fix)
{
	enum trial_result how =
	    errno == ENOENT ? TRIAL_TEMPORARY : trial_judge(errno);

	trial_note(t, how, ex->q->name, check, trial_explain(path));
	trial_fix(t, fix);
}

static int
try_workspace(struct executor *ex, struct trials *t)
{
	const char *path = ex->queue->workspace;

	if (workspace_open(&ex->workspace, path) == -1) {
		note_failure(ex, t, "workspace", path,
		    "make it, or set workspace; until then the queue waits");
		return -1;
	}
	/* Nothing is made there: a patch may be running. */
	if (access(path, W_OK | X_OK) == -1) {
		note_failure(ex, t, "workspace", path,
		    "run the suite as its owner, or as root");
		return -1;
	}
	trial_note(t, TRIAL_OK, ex->q->name, "workspace", xstrdup(path));
	return 0;
}

static int
try_user(struct executor *ex, struct trials *t)
{
	if (isolate_user(ex) == -1) {
		trial_note(t, TRIAL_ERROR, ex->q->name, "run_as",
		    xstrdup(ex->why));
		trial_fix(t,
		    "make the account, or name another; until then the queue "
		    "waits");
		return -1;
	}
	if (ex->user.uid != 0) {
		trial_note(t, TRIAL_OK, ex->q->name, "run_as",
		    xasprintf("commands run as %s", ex->user.name));
		return 0;
	}
	trial_note(t, TRIAL_WARNING, ex->q->name, "run_as",
	    xasprintf("%s is root's: commands run as root",
		ex->queue->workspace));
	trial_fix(t, "set run_as, or give the workspace to a user");
	return 0;
}

static int
try_staging(struct executor *ex, struct trials *t)
{
	if (isolate_place(ex) == -1 && errno == ENODEV) {
		trial_note(t, TRIAL_TEMPORARY, ex->q->name, "workspace",
		    xasprintf("%s " UNMOUNTED, ex->queue->workspace));
		return -1;
	}
	if (ex->place.dir == -1) {
		trial_note(t, trial_judge(errno), ex->q->name, "staging",
		    xasprintf("no rename into %s works: %s",
			ex->queue->workspace, strerror(errno)));
		trial_fix(t, "set staging to a directory on the workspace's "
			     "filesystem");
		return -1;
	}
	trial_note(t, TRIAL_OK, ex->q->name, "staging",
	    xasprintf("%s, renames into the workspace", ex->place.path));
	return 0;
}

static const char *
isolation_fix(const struct executor *ex)
{
	char path[PATH_MAX];

	if (foreign_in(ex->workspace.fd, FOREIGN_UNREADABLE, path))
		return "let the executor's user read what is in the workspace, "
		       "or run the suite as root";
	if (foreign_in(ex->workspace.fd, FOREIGN_OWNED, path))
		return "give the files to the executor's user and group, or "
		       "run the suite as root; patches leave them as they are";
	return "run the suite as root, or allow its user namespaces with "
	       "overlayfs in them";
}

static void
note_isolation(const struct executor *ex, struct trials *t)
{
	bool needed = strcmp(ex->queue->require_isolation, "overlay") == 0;

	if (ex->isolation == JAIL_OVERLAY) {
		trial_note(t, TRIAL_OK, ex->q->name, "isolation",
		    xstrdup("overlay, a command ran in it"));
		return;
	}
	trial_note(t, needed ? TRIAL_ERROR : TRIAL_WARNING, ex->q->name,
	    "isolation",
	    xasprintf("%s: %s", jail_way_name[ex->isolation], ex->why));
	trial_fix(t, isolation_fix(ex));
}

static void
note_durability(const struct executor *ex, struct trials *t)
{
	const char *word = durability_name[ex->durability];

	if (ex->durability == DURABLE_JOURNAL) {
		trial_note(t, TRIAL_OK, ex->q->name, "durability",
		    xstrdup(word));
		return;
	}
	trial_note(t, TRIAL_WARNING, ex->q->name, "durability",
	    xasprintf("%s: %s, does not survive every power cut",
		ex->workspace.path, word));
	trial_fix(t, "a journaling filesystem: ext4, xfs, btrfs");
}

static void
try_queue(struct executor *ex, struct trials *t)
{
	if (try_workspace(ex, t) == -1 || try_user(ex, t) == -1 ||
	    try_staging(ex, t) == -1)
		return;
	if (isolate_choose(ex) == -1)
		log_debug("isolation not known yet: %s", ex->why);
	note_isolation(ex, t);
	note_durability(ex, t);
	approvers_try(ex, t);
	/* Of a place that nobody uses nothing stays; a used one is kept by
	 * what lies in it or by the record of it. */
	if (!spool_exists(ex->state.dir, "place.json"))
		(void)rmdir(ex->place.path);
}

int
executor_check(const struct daemon_opts *o, struct settings *s)
{
	struct trials t = {0};
	struct executor ex = {.opts = o, .settings = s};
	struct tree tree;

	daemon_tree(s, &tree);
	ex.tree = &tree;
	ex.workspace.fd = ex.place.dir = -1;
	ex.queue = settings_queue(s, o->queue);
	ex.q = tree_queue(&tree, ex.queue->name);
	(void)strlcpy(ex.instance, o->instance, sizeof(ex.instance));
	if (state_open(&ex.state, &tree, ex.instance) == -1) {
		note_failure(&ex, &t, "state", tree.path,
		    "give the spool to the user of the executors");
	} else {
		try_queue(&ex, &t);
		workspace_close(&ex.workspace);
		place_close(&ex.place);
		state_close(&ex.state);
	}
	tree_close(&tree);
	return daemon_report(&t, s);
}
