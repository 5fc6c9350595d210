/* SPDX-License-Identifier: ISC */
/*
 * A transaction that holds a record is carried on: forward from COMMIT, back
 * from REVERT. This runs for its one transaction at the end of every success:
 * the code that a crash depends on is the code that always runs.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/sys.h"
#include "executor/ballast.h"
#include "executor/block.h"
#include "executor/carry.h"
#include "executor/death.h"
#include "executor/displaced.h"
#include "executor/gitlock.h"
#include "executor/kept.h"
#include "executor/settle.h"
#include "executor/tail.h"
#include "executor/undo.h"

static struct commit
commit_of(struct executor *ex, const struct txn *t)
{
	struct commit c = {.workspace = &ex->workspace,
	    .txn = t,
	    .ordered = settle_in_order(ex),
	    .beat = executor_beat,
	    .owner = ex};

	return c;
}

static int
hold(struct executor *ex, const struct txn *t, const char *at)
{
	executor_hold(ex, "%s: cannot go on at %s: %s", t->name, at,
	    strerror(errno));
	return -1;
}

static int
unlock(struct executor *ex, const struct txn *t)
{
	return gitlock_release(&ex->workspace, t) == 0
		   ? 0
		   : hold(ex, t, "git's lock");
}

/* What others changed behind the last check lies in T or has stayed. */
static void
tell_displaced(struct executor *ex, const struct commit *c, json_t *doc)
{
	if (c->displaced == NULL)
		return;
	json_object_set(doc, "displaced_foreign", c->displaced);
	json_object_set_new(doc, "displaced_in",
	    json_sprintf("%s/.kept-%s", ex->place.path, c->txn->name));
}

/* The next patch must not take our own changes for a stranger's. */
static void
note_time(struct executor *ex, const struct txn *t, const char *name)
{
	struct stat st;

	if (strcmp(name, "DONE") != 0)
		(void)sys_utimensat(t->dir, name, NULL);
	if (fstatat(t->dir, name, &st, 0) == 0)
		ex->last_commit = st.st_ctim;
}

/* True when something was displaced that should not have been. */
static bool
find_displaced(struct executor *ex, const struct txn *t, struct record *r)
{
	struct commit c = commit_of(ex, t);
	bool displaced;

	displaced_find(&c, r);
	tell_displaced(ex, &c, r->outcome);
	displaced = c.displaced != NULL;
	json_decref(c.displaced);
	return displaced;
}

static void
fill_fault(const struct block *b, struct fault *f)
{
	bool full = b->error == ENOSPC || b->error == EDQUOT;

	if (b->error == 0)
		(void)fault_fail(f, OUTCOME_PREPARE,
		    "the change could not be completed and was taken back");
	else
		(void)fault_fail(f, full ? OUTCOME_PREPARE : OUTCOME_CONFLICT,
		    "the change could not be completed at %s (%s) and was "
		    "taken back",
		    b->path, strerror(b->error));
}

static int
settle_back(struct executor *ex, const struct commit *c, struct record *r,
    const struct block *b)
{
	struct settle_at where = {Q_RUNNING, r->file};
	json_t *extra = json_object();
	struct fault f = {0};
	struct outcome o;
	int answer = -1;

	fill_fault(b, &f);
	if (f.stage == OUTCOME_CONFLICT)
		block_note(c, r, b->path, false, &f);
	tell_displaced(ex, c, extra);
	if (outcome_decode(r->outcome, &o) == 0) {
		answer = settle_fault(ex, &o.env, &f, extra, &where);
		outcome_free(&o);
	}
	json_decref(extra);
	fault_free(&f);
	return answer;
}

static int
backward(struct executor *ex, const struct txn *t, struct record *r,
    const struct block *b)
{
	struct commit c = commit_of(ex, t);
	const char *at = "";
	int answer;

	if (commit_revert(&c, &r->ops, &at) == -1) {
		json_decref(c.displaced);
		return hold(ex, t, at);
	}
	if (unlock(ex, t) == -1) {
		json_decref(c.displaced);
		return -1;
	}
	note_time(ex, t, "REVERT");
	answer = settle_back(ex, &c, r, b);
	if (answer == 0 && c.displaced != NULL)
		answer = kept_displaced(ex, t->name);
	else if (answer == 0)
		settle_drop(ex, t->name);
	json_decref(c.displaced);
	return answer;
}

static int
turn_back(struct executor *ex, const struct txn *t, struct record *r,
    const char *at)
{
	struct block b = {.error = errno};

	strlcpy(b.path, at, sizeof(b.path));
	log_warnx("%s: cannot be completed at %s: %s: taken back", t->name, at,
	    strerror(b.error));
	block_save(t, &b);
	if (commit_turn(t) == -1)
		return hold(ex, t, "REVERT");
	return backward(ex, t, r, &b);
}

/* The last room is given back for this only. */
static int
apply(struct executor *ex, struct commit *c, const struct ops *ops,
    const char **at)
{
	int answer;

	do
		answer = commit_apply(c, ops, at);
	while (answer == -1 && ballast_spend(ex, errno));
	return answer;
}

static int
harden(struct executor *ex, const struct commit *c, const struct ops *ops)
{
	int answer;

	do
		answer = commit_harden(c, ops);
	while (answer == -1 && ballast_spend(ex, errno));
	return answer == 0 ? 0 : hold(ex, c->txn, "syncing the workspace");
}

/* A COMMIT that comes back finds all of it done. */
static int
mark_done(struct executor *ex, const struct txn *t)
{
	while (commit_done(t) == -1) {
		if (!ballast_spend(ex, errno))
			return hold(ex, t, "DONE");
	}
	note_time(ex, t, "DONE");
	return 0;
}

/* The outcome tells what the record says, which stays until the workspace and
 * the outcome are durable. Where one sync is for all of it, that is the
 * tail's. */
static int
make_durable(struct executor *ex, const struct commit *c, struct record *r,
    bool displaced)
{
	if (displaced)
		settle_undraft(ex); /* there is more to tell */
	if (c->ordered)
		return 0;
	settle_show(ex, r->outcome);
	if (harden(ex, c, &r->ops) == -1)
		return -1;
	return settle_sync_shown(ex);
}

static int
forward(struct executor *ex, struct txn *t, struct record *r)
{
	struct commit c = commit_of(ex, t);
	const char *at = "";
	bool displaced;

	if (apply(ex, &c, &r->ops, &at) == -1)
		return block_permanent(errno) ? turn_back(ex, t, r, at)
					      : hold(ex, t, at);
	if (unlock(ex, t) == -1)
		return -1;
	displaced = find_displaced(ex, t, r);
	if (make_durable(ex, &c, r, displaced) == -1 || mark_done(ex, t) == -1)
		return -1;
	return tail_begin(ex, t, r, displaced, c.ordered);
}

/* Its mark is made before the sync where the journal keeps the order, and with
 * it what harden has nothing to do for. */
static int
forward_done(struct executor *ex, struct txn *t, struct record *r)
{
	struct commit c = commit_of(ex, t);

	if (unlock(ex, t) == -1 || harden(ex, &c, &r->ops) == -1)
		return -1;
	if (sys_fsync(t->dir) == -1)
		return hold(ex, t, "DONE");
	note_time(ex, t, "DONE");
	return tail_settle(ex, t, r, find_displaced(ex, t, r));
}

static int
settle_redo(struct executor *ex, const struct commit *c, struct record *r,
    const struct block *b)
{
	struct settle_at where = {Q_RUNNING, r->file};
	struct fault f = {0};
	struct outcome o;
	int answer = -1;

	(void)fault_fail(&f, OUTCOME_CONFLICT,
	    "the undo could not be completed at %s (%s); the patch stands as "
	    "before",
	    b->path, strerror(b->error));
	fault_hint(&f, "mend that, then ask for the undo again");
	block_note(c, r, b->path, true, &f);
	if (outcome_decode(r->outcome, &o) == 0) {
		answer = settle_fault(ex, &o.env, &f, NULL, &where);
		outcome_free(&o);
	}
	fault_free(&f);
	return answer;
}

/* An undo that is blocked for good must not hold the queue: what it took back
 * goes forward again, by the same evidence, and the patch is kept as it was. */
static int
redo(struct executor *ex, const struct txn *t, struct record *r,
    const struct block *b)
{
	struct commit c = commit_of(ex, t);
	const char *at = "";

	if (apply(ex, &c, &r->ops, &at) == -1)
		return hold(ex, t, at);
	if (harden(ex, &c, &r->ops) == -1 || unlock(ex, t) == -1)
		return -1;
	note_time(ex, t, "REDO");
	/* What was moved to and fro is as it was when the patch ended. */
	(void)sys_utimensat(t->dir, "DONE", NULL);
	if (settle_redo(ex, &c, r, b) == -1)
		return -1;
	if (commit_redone(t) == -1)
		return hold(ex, t, "REDO");
	kept_put(ex, t);
	return 0;
}

static int
turn_undo(struct executor *ex, const struct txn *t, struct record *r,
    const char *at)
{
	struct block b = {.error = errno};

	strlcpy(b.path, at, sizeof(b.path));
	log_warnx("%s: its undo cannot be completed at %s: %s", t->name, at,
	    strerror(b.error));
	block_save(t, &b);
	if (commit_turn_undo(t) == -1)
		return hold(ex, t, "REDO");
	return redo(ex, t, r, &b);
}

static int
end_undo(struct executor *ex, const struct txn *t, const struct commit *c,
    struct record *r)
{
	if (unlock(ex, t) == -1)
		return -1;
	note_time(ex, t, "UNDO");
	tell_displaced(ex, c, r->outcome);
	if (undo_mark(ex, t, r) == -1 ||
	    settle_outcome(ex, r->outcome, Q_RUNNING, r->file) == -1)
		return -1;
	if (c->displaced != NULL)
		return kept_displaced(ex, t->name);
	settle_drop(ex, t->name);
	return 0;
}

/* A later patch takes this one back. What others did between its check and
 * now stays theirs; what was to come back instead is kept. */
static int
undo(struct executor *ex, const struct txn *t, struct record *r)
{
	struct commit c = commit_of(ex, t);
	const char *at = "";
	int answer;

	do
		answer = commit_revert(&c, &r->ops, &at);
	while (answer == -1 && ballast_spend(ex, errno));
	if (answer == 0)
		answer = end_undo(ex, t, &c, r);
	else if (block_permanent(errno))
		answer = turn_undo(ex, t, r, at);
	else
		answer = hold(ex, t, at);
	json_decref(c.displaced);
	return answer;
}

static int
follow(struct executor *ex, struct txn *t, struct record *r,
    enum commit_state state)
{
	struct block b = block_load(t);

	if (r->workspace_ino != ex->workspace.st.st_ino) {
		executor_hold(ex,
		    "%s: it was made for another directory than the present "
		    "workspace",
		    t->name);
		return -1;
	}
	switch (state) {
	case COMMIT_FORWARD:
		return forward(ex, t, r);
	case COMMIT_DONE:
		return forward_done(ex, t, r);
	case COMMIT_BACK:
		return backward(ex, t, r, &b);
	case COMMIT_UNDO:
		return undo(ex, t, r);
	case COMMIT_REDO:
		return redo(ex, t, r, &b);
	case COMMIT_NONE:
		break;
	}
	return 0;
}

static int
follow_record(struct executor *ex, struct txn *t)
{
	struct record r = {0};
	enum commit_state state;
	int found = commit_read(t, &r, &state);
	int answer;

	if (found == 0)
		return unlock(ex, t) == -1 ? -1
					   : death_discard(ex, t->name, t->dir);
	if (found == -1) {
		executor_hold(ex,
		    "%s: its record cannot be trusted (%s); look at it by hand",
		    t->name, strerror(errno));
		return -1;
	}
	answer = follow(ex, t, &r, state);
	record_free(&r);
	return answer;
}

int
carry_on(struct executor *ex, const char *name)
{
	struct txn t;
	int answer, error = 0;

	if (txn_open(&t, &ex->place, name) == -1)
		error = errno;
	if (error == 0)
		answer = follow_record(ex, &t);
	else if (t.dir == -1 && (error == ENOENT || error == ENOTDIR))
		answer = 0; /* gone by now, or no transaction */
	else if (t.dir != -1 && error == ENOENT && !commit_exists(&t))
		answer = death_discard(ex, name, t.dir); /* half made */
	else {
		/* A record without its files is for people to look at. */
		errno = error;
		answer = hold(ex, &t, "opening it");
	}
	txn_close(&t);
	return answer;
}
