/* SPDX-License-Identifier: ISC */
/*
 * At start, before anything else, and again while the queue is held: every
 * transaction carried on or dropped, then every file in .running settled by
 * its outcome or queued again.
 */
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/ballast.h"
#include "executor/carry.h"
#include "executor/executor.h"
#include "executor/settle.h"
#include "executor/tail.h"

#define CRASH_WAIT_MS 30000LL /* behind the others, from the second on */

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
	/* One that has happened is told of, whatever another one waits for. */
	for (size_t i = 0; i < n.count; i++) {
		/* What else lies there is somebody's own. */
		if (key_txn_valid(n.names[i]) && carry_on(ex, n.names[i]) == -1)
			answer = -1;
	}
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

/* 0 settled, -1 not. */
static int
fail_by_document(struct executor *ex, const struct queue_name *n,
    const struct fault *f, const struct settle_at *at)
{
	struct job job;
	json_t *doc = NULL;
	int answer = -1;

	hand_take(ex, n->key, n->attempt);
	if (spool_read_json(ex->q->dir[at->dir], at->file, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		job.env.attempt = n->attempt;
		answer = settle_fault(ex, &job.env, f, NULL, at);
		job_free(&job);
	}
	json_decref(doc);
	hand_drop(ex);
	return answer;
}

/* Where reading it was what took the executor down, even this does: then it
 * is ended unread. */
static int
fail_crashed(struct executor *ex, struct queue_name *n, int crashes,
    const struct settle_at *at)
{
	struct fault f = {0};

	(void)fault_fail(&f, OUTCOME_CRASHED,
	    "the executor died %d times with this patch in hand", crashes);
	fault_hint(&f, "`patchflow deaths` tells how; retry runs it again");
	if (crashes == CRASHES_MAX && fail_by_document(ex, n, &f, at) == 0)
		return 0;
	if (ex->hold[0] != '\0')
		return -1;
	settle_aside(ex, n, &f, at);
	return ex->hold[0] == '\0' ? 0 : -1;
}

static int
crashes_of(const struct tries *t, const struct queue_name *n)
{
	return t->attempt == n->attempt ? t->crashes : 0;
}

static int
recover_file(struct executor *ex, const char *file)
{
	struct settle_at at = {Q_RUNNING, file};
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
	if (crashes_of(&t, &n) >= CRASHES_MAX)
		return fail_crashed(ex, &n, t.crashes, &at);
	return settle_requeue(ex, file, n.key, &t,
	    crashes_of(&t, &n) == CRASHES_MAX - 1 ? CRASH_WAIT_MS : 0);
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

static int
wait_behind(struct executor *ex, const struct queue_name *n, struct tries *t,
    const struct settle_at *at)
{
	t->not_before_us = clock_wall_us() + CRASH_WAIT_MS * 1000;
	ex->held_any = true;
	if (tries_save(&ex->state, n->key, t) == SPOOL_DONE &&
	    (at->dir == Q_HELD || spool_move(ex->q->dir[at->dir], at->file,
				      ex->q->dir[Q_HELD], NULL) == SPOOL_DONE))
		return 0;
	executor_hold(ex, "%s: not held: %s", at->file, strerror(errno));
	return -1;
}

/* The last executor may have died of a patch that it had not claimed. */
static int
recover_unclaimed(struct executor *ex)
{
	struct queue_name *blamed = &ex->hand.blamed, n = {0};
	char file[NAME_SIZE];
	struct settle_at at = {.file = file};
	struct tries t;
	int answer = 0;

	if (blamed->key[0] == '\0')
		return 0;
	at.dir = tree_find_key(ex->q, blamed->key, blamed->attempt, &n);
	key_queue_file(&n, file);
	if ((at.dir == Q_PATCHES || at.dir == Q_HELD) &&
	    tries_load(&ex->state, n.key, &t) == 0) {
		if (crashes_of(&t, &n) >= CRASHES_MAX)
			answer = fail_crashed(ex, &n, t.crashes, &at);
		else if (crashes_of(&t, &n) == CRASHES_MAX - 1 &&
			 t.not_before_us <= clock_wall_us())
			answer = wait_behind(ex, &n, &t, &at);
	}
	if (answer == 0)
		blamed->key[0] = '\0';
	return answer;
}

int
recover_all(struct executor *ex)
{
	/* What it cannot do is still there to be recovered. */
	(void)tail_finish(ex);
	/* First what is left of it, for the transactions; at last all. */
	ballast_open(ex);
	if (recover_txns(ex) == -1 || recover_running(ex) == -1 ||
	    recover_unclaimed(ex) == -1 || ballast_fill(ex) == -1)
		return -1;
	ex->recovered = true;
	return 0;
}
