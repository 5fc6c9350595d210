/* SPDX-License-Identifier: ISC */
/* One function a verb: retry, hold, cancel, approve, ... */
#include "executor/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/ids.h"
#include "common/outcome.h"
#include "executor/approval.h"
#include "executor/settle.h"
#include "executor/tries.h"
#include "executor/undo.h"

static void
say(struct answer *a, bool ok, const char *fmt, const char *what)
{
	a->ok = ok;
	/* fmt has one %s at most; each is a literal below. */
	if (snprintf(a->text, sizeof(a->text), "%s%s", fmt, what) < 0)
		a->text[0] = '\0';
}

/* It is what, or could not be made so. */
static void
say_done(struct answer *a, bool done, const char *what)
{
	say(a, done, done ? "" : "the spool cannot be written, so it is not ",
	    what);
}

/* Where the latest revision of id is; Q__MAX where it is unknown. */
static enum queue_dir
find(struct executor *ex, const char *id, struct queue_name *n)
{
	struct ids_entry *list = NULL;
	int count = ids_lookup(ex->tree, ex->q->name, id, &list);
	enum queue_dir dir = Q__MAX;

	if (count > 0)
		dir = tree_find_key(ex->q, list[count - 1].key,
		    list[count - 1].attempt, n);
	free(list);
	return dir;
}

static int
set_hold(struct executor *ex, const struct queue_name *n, bool hold)
{
	struct tries t;

	if (tries_load(&ex->state, n->key, &t) == -1)
		return -1;
	if (t.attempt == 0)
		t.attempt = n->attempt;
	t.operator_hold = hold;
	t.not_before_us = 0;
	return tries_save(&ex->state, n->key, &t) == SPOOL_DONE ? 0 : -1;
}

static bool
move(struct executor *ex, enum queue_dir from, const struct queue_name *n,
    enum queue_dir to, const struct queue_name *as)
{
	char a[NAME_SIZE], b[NAME_SIZE];

	key_queue_file(n, a);
	key_queue_file(as, b);
	ex->index.dirty = true;
	return spool_move(ex->q->dir[from], a, ex->q->dir[to], b) == SPOOL_DONE;
}

/* What nobody holds but the queue's order is not to be forced. */
static void
do_release(struct executor *ex, const struct queue_name *n, struct answer *a)
{
	struct tries t;

	if (tries_load(&ex->state, n->key, &t) == -1)
		say(a, false, "its state cannot be read", "");
	else if (t.operator_hold || t.not_before_us > clock_wall_us())
		say_done(a,
		    set_hold(ex, n, false) == 0 &&
			move(ex, Q_HELD, n, Q_PATCHES, n),
		    "released");
	else if (t.approval.digest[0] != '\0' && !t.approval.granted)
		say(a, false, "it waits for approval; `patchflow approve'", "");
	else
		say(a, true, "it waits for what it depends on", "");
}

static void
do_approve(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_HELD || dir == Q_PATCHES)
		a->ok = approval_grant(ex, r, n.key, a->text);
	else
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static void
do_retry(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n, next;
	enum queue_dir dir = find(ex, r->id, &n);

	next = n;
	if (dir == Q_FAILED) {
		next.attempt++;
		say_done(a, move(ex, dir, &n, Q_PATCHES, &next),
		    "queued again as the next attempt");
	} else if (dir == Q_HELD) {
		do_release(ex, &n, a);
	} else {
		say(a, dir == Q_PATCHES || dir == Q_RUNNING, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	}
}

static void
do_hold(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_PATCHES || dir == Q_HELD) {
		ex->held_any = true;
		say_done(a,
		    set_hold(ex, &n, true) == 0 &&
			(dir == Q_HELD || move(ex, dir, &n, Q_HELD, &n)),
		    "held until retry");
		return;
	}
	say(a, false, "it is ",
	    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static bool
reject(struct executor *ex, enum queue_dir dir, struct queue_name *n,
    const struct request *r)
{
	char file[NAME_SIZE], who[64];
	struct settle_at at = {dir, file};
	struct fault f = {0};
	struct job job;
	json_t *doc = NULL;
	struct tries t;
	bool done = false;

	/* What reading it has done so often is not tried again for this. */
	if (tries_load(&ex->state, n->key, &t) == -1 ||
	    (t.attempt == n->attempt && t.crashes >= CRASHES_MAX))
		return false;
	key_queue_file(n, file);
	hand_take(ex, n->key, n->attempt);
	approval_name(r->uid, who, sizeof(who));
	(void)fault_reject(&f, OUTCOME_BY_OPERATOR, "%s by %s%s%s",
	    r->verb == REQUEST_REJECT ? "not approved" : "cancelled", who,
	    r->reason[0] != '\0' ? ": " : "", r->reason);
	if (spool_read_json(ex->q->dir[dir], file, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		job.env.attempt = n->attempt;
		done = settle_fault(ex, &job.env, &f, NULL, &at) == 0;
		job_free(&job);
	}
	json_decref(doc);
	hand_drop(ex);
	return done;
}

static void
do_reject(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir != Q_HELD && dir != Q_PATCHES)
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	else if (!approval_is_meant(ex, r, n.key, a->text))
		a->ok = false;
	else
		say_done(a, reject(ex, dir, &n, r), "rejected");
}

/* Killed, it may still have been committed, or be run again after a crash of
 * ours: the answer is what has become of it, and waits for that. */
static void
stop_run(struct executor *ex, const struct request *r, struct answer *a)
{
	struct run *run = &ex->run;
	char who[64];

	a->later = true;
	run_kill(ex, RUN_CANCELLED);
	if (run->end != RUN_CANCELLED || run->cancelled[0] != '\0')
		return;
	approval_name(r->uid, who, sizeof(who));
	(void)snprintf(run->cancelled, sizeof(run->cancelled),
	    "cancelled by %s while it ran%s%s", who,
	    r->reason[0] != '\0' ? ": " : "", r->reason);
}

static bool
was_cancelled(struct executor *ex, const struct queue_name *n)
{
	enum box_dir box = tree_find_outcome(ex->q, n->key, n->attempt);
	char name[NAME_SIZE];
	struct outcome o;
	json_t *doc = NULL;
	bool was = false;

	key_outcome_file(n->key, n->attempt, name);
	if (box != BOX__MAX &&
	    spool_read_json(ex->q->outcomes.dir[box], name, &doc) == 1 &&
	    outcome_decode(doc, &o) == 0) {
		was = o.reason == OUTCOME_BY_OPERATOR;
		outcome_free(&o);
	}
	json_decref(doc);
	return was;
}

static void
do_cancel(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_RUNNING && ex->run.active &&
	    strcmp(ex->run.name.key, n.key) == 0) {
		stop_run(ex, r, a);
	} else if (dir == Q_RUNNING) {
		say(a, false,
		    "it was interrupted, and completes or waits again once "
		    "the queue goes on",
		    "");
	} else if (dir == Q_PATCHES || dir == Q_HELD) {
		ex->index.dirty = true;
		say_done(a, reject(ex, dir, &n, r), "rejected");
	} else if (dir == Q_FAILED && was_cancelled(ex, &n)) {
		say(a, true, "cancelled", "");
	} else {
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	}
}

static void
do_undo(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_COMPLETED)
		a->ok = undo_ask(ex, r->id, &n, a->text);
	else
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static void
do_pause(struct executor *ex, const struct request *r, struct answer *a)
{
	json_t *doc = json_pack("{s:s}", "format", PAUSE_FORMAT);

	(void)r;
	say_done(a, state_save(&ex->state, "paused.json", doc) == SPOOL_DONE,
	    "paused");
	ex->paused |= a->ok;
	json_decref(doc);
}

static void
do_resume(struct executor *ex, const struct request *r, struct answer *a)
{
	(void)r;
	say_done(a, state_remove(&ex->state, "paused.json") == SPOOL_DONE,
	    "resumed");
	if (a->ok)
		ex->paused = false;
}

static void (*const verbs[REQUEST__MAX])(struct executor *,
    const struct request *, struct answer *) = {
    [REQUEST_RETRY] = do_retry,
    [REQUEST_HOLD] = do_hold,
    [REQUEST_CANCEL] = do_cancel,
    [REQUEST_APPROVE] = do_approve,
    [REQUEST_REJECT] = do_reject,
    [REQUEST_UNDO] = do_undo,
    [REQUEST_PAUSE] = do_pause,
    [REQUEST_RESUME] = do_resume,
};

void
verbs_do(struct executor *ex, const struct request *r, struct answer *a)
{
	verbs[r->verb](ex, r, a);
}
