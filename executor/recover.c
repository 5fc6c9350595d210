/* SPDX-License-Identifier: ISC */
/*
 * Forward where there is a COMMIT, back where there is none. Runs at start
 * before anything else, again while the queue is held, and for its one
 * transaction at the end of every success: the code that a crash depends on
 * is the code that always runs.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "executor/commit.h"
#include "executor/death.h"
#include "executor/executor.h"
#include "executor/settle.h"

#define CRASHES_MAX 3
#define CRASH_WAIT_MS 30000 /* behind the others, from the second on */

static int
fail_apply(struct executor *ex, const char *name, const char *at)
{
	executor_hold(ex, "%s: cannot go on at %s: %s", name, at,
	    strerror(errno));
	return -1;
}

static bool
is_late_write(const struct txn *t, const struct op *o)
{
	char name[32];
	struct stat st;

	if (o->kind == OP_META || o->old_ino == 0 || !S_ISREG(o->old_mode))
		return false;
	if (snprintf(name, sizeof(name), "%zu", o->n) < 0 ||
	    fstatat(o->kind == OP_PUT ? t->new : t->old, name, &st,
		AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	return st.st_ino == o->old_ino &&
	       (st.st_size != o->old_size ||
		   st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec !=
		       o->old_mtime_ns);
}

/* What others wrote behind the last check lies in T: say so, keep it. */
static void
note_displaced(struct executor *ex, struct commit *c, struct record *r)
{
	for (size_t i = 0; i < r->ops.count; i++) {
		if (!is_late_write(c->txn, &r->ops.items[i]))
			continue;
		if (c->displaced == NULL)
			c->displaced = json_array();
		json_array_append_new(c->displaced,
		    json_string(r->ops.items[i].path));
	}
	if (c->displaced == NULL)
		return;
	json_object_set(r->outcome, "displaced_foreign", c->displaced);
	json_object_set_new(r->outcome, "displaced_in",
	    json_sprintf("%s/.kept-%s", ex->place.path, c->txn->name));
}

static void
keep_displaced(struct executor *ex, const char *name)
{
	char kept[NAME_SIZE + 16];
	struct alert a = {.type = "patch-failed",
	    .component = ex->instance,
	    .subject = name,
	    .severity = ALERT_ERROR,
	    .queue = ex->q->name};
	char *text;

	/* A dot keeps it out of recovery's sight. */
	if (snprintf(kept, sizeof(kept), ".kept-%s", name) < 0 ||
	    spool_move(ex->place.dir, name, ex->place.dir, kept) !=
		SPOOL_DONE) {
		log_warn("%s: displaced files not kept aside", name);
		return;
	}
	text = xasprintf("files that others changed while the patch was put "
			 "into place are kept in %s/%s",
	    ex->place.path, kept);
	a.text = text;
	executor_alert(ex, &a);
	free(text);
}

static void
note_time(struct executor *ex, const struct txn *t)
{
	struct stat st;

	if (fstatat(t->dir, "DONE", &st, 0) == 0)
		ex->last_commit = st.st_ctim;
}

static int
forward(struct executor *ex, struct txn *t, struct record *r, bool applied)
{
	struct commit c = {.workspace = &ex->workspace,
	    .txn = t,
	    .beat = executor_beat,
	    .owner = ex};
	const char *at = "";
	bool displaced;
	int answer;

	if (!applied && commit_apply(&c, &r->ops, &at) == -1)
		return fail_apply(ex, t->name, at);
	if (!applied && commit_done(t) == -1)
		return fail_apply(ex, t->name, "DONE");
	note_time(ex, t);
	note_displaced(ex, &c, r);
	displaced = c.displaced != NULL;
	json_decref(c.displaced);
	answer = settle_outcome(ex, r->outcome, Q_RUNNING, r->file);
	if (answer == 0 && displaced)
		keep_displaced(ex, t->name);
	else if (answer == 0)
		settle_drop(ex, t->name);
	return answer;
}

static int
backward(struct executor *ex, struct txn *t, struct record *r)
{
	struct commit c = {.workspace = &ex->workspace,
	    .txn = t,
	    .beat = executor_beat,
	    .owner = ex};
	struct settle_at where = {Q_RUNNING, r->file};
	struct fault f = {0};
	struct outcome o;
	const char *at = "";
	int answer = -1;

	if (commit_revert(&c, &r->ops, &at) == -1)
		return fail_apply(ex, t->name, at);
	(void)fault_fail(&f, OUTCOME_PREPARE,
	    "the change could not be completed and was taken back");
	if (outcome_decode(r->outcome, &o) == 0) {
		answer = settle_fault(ex, &o.env, &f, NULL, &where);
		outcome_free(&o);
	}
	if (answer == 0)
		settle_drop(ex, t->name);
	return answer;
}

static int
follow_record(struct executor *ex, struct txn *t)
{
	struct record r = {0};
	const char *which;
	int found = commit_read(t, &r, &which);
	int answer;

	if (found == 0)
		return death_discard(ex, t->name, t->dir);
	if (found == -1) {
		executor_hold(ex,
		    "%s: its %s cannot be trusted (%s); look at it by hand",
		    t->name, which, strerror(errno));
		return -1;
	}
	if (r.workspace_ino != ex->workspace.st.st_ino) {
		executor_hold(ex,
		    "%s: it was made for another directory than the present "
		    "workspace",
		    t->name);
		answer = -1;
	} else if (strcmp(which, "REVERT") == 0) {
		answer = backward(ex, t, &r);
	} else {
		answer = forward(ex, t, &r, strcmp(which, "DONE") == 0);
	}
	record_free(&r);
	return answer;
}

int
recover_txn(struct executor *ex, const char *name)
{
	struct txn t;
	int answer;

	if (txn_open(&t, &ex->place, name) == 0)
		answer = follow_record(ex, &t);
	else if (t.dir != -1 && errno == ENOENT)
		answer = death_discard(ex, name, t.dir); /* half made */
	else
		answer = errno == ENOENT || errno == ENOTDIR
			     ? 0
			     : fail_apply(ex, name, "opening it");
	txn_close(&t);
	return answer;
}

static int
recover_txns(struct executor *ex)
{
	struct spool_names n = {0};
	int answer = 0;

	if (txn_sweep(&ex->place) == -1 ||
	    spool_list(ex->place.dir, 0, &n) == -1) {
		executor_hold(ex, "%s: not read: %s", ex->place.path,
		    strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < n.count && answer == 0; i++)
		answer = recover_txn(ex, n.names[i]);
	spool_names_free(&n);
	return answer;
}

/* The outcome was durable, the move was not. */
static int
settle_by_outcome(struct executor *ex, const char *file,
    const struct queue_name *n, enum box_dir box)
{
	char name[NAME_SIZE];
	json_t *doc = NULL;
	int answer;

	key_outcome_file(n->key, n->attempt, name);
	if (spool_read_json(ex->q->outcomes.dir[box], name, &doc) != 1) {
		executor_hold(ex, "%s: its outcome cannot be read", file);
		return -1;
	}
	answer = settle_outcome(ex, doc, Q_RUNNING, file);
	json_decref(doc);
	return answer;
}

static int
fail_crashed(struct executor *ex, const char *file, const struct queue_name *n,
    int crashes)
{
	struct settle_at at = {Q_RUNNING, file};
	struct fault f = {0};
	struct job job;
	json_t *doc = NULL;
	int answer = -1;

	(void)fault_fail(&f, OUTCOME_CRASHED,
	    "the executor died %d times while it ran this patch", crashes);
	if (spool_read_json(ex->q->dir[Q_RUNNING], file, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		job.env.attempt = n->attempt;
		answer = settle_fault(ex, &job.env, &f, NULL, &at);
		job_free(&job);
	}
	json_decref(doc);
	return answer;
}

static int
recover_file(struct executor *ex, const char *file)
{
	struct queue_name n;
	struct tries t;
	enum box_dir box;

	if (key_parse_queue_file(file, &n) == -1) {
		log_warnx("%s: unknown file in .running", file);
		return 0;
	}
	box = tree_find_outcome(ex->q, n.key, n.attempt);
	if (box != BOX__MAX)
		return settle_by_outcome(ex, file, &n, box);
	if (tries_load(&ex->state, n.key, &t) == -1) {
		executor_hold(ex, "%s: state not read", n.key);
		return -1;
	}
	if (t.attempt == n.attempt && t.crashes >= CRASHES_MAX &&
	    fail_crashed(ex, file, &n, t.crashes) == 0)
		return 0;
	return settle_requeue(ex, file, n.key, &t,
	    t.attempt == n.attempt && t.crashes >= CRASHES_MAX - 1
		? CRASH_WAIT_MS
		: 0);
}

static int
recover_running(struct executor *ex)
{
	struct spool_names n = {0};
	int answer = spool_list(ex->q->dir[Q_RUNNING], 0, &n);

	if (answer == -1)
		executor_hold(ex, ".running: not read: %s", strerror(errno));
	for (size_t i = 0; i < n.count && answer == 0; i++)
		answer = recover_file(ex, n.names[i]);
	spool_names_free(&n);
	return answer;
}

int
recover_all(struct executor *ex)
{
	if (recover_txns(ex) == -1 || recover_running(ex) == -1)
		return -1;
	ex->recovered = true;
	return 0;
}
