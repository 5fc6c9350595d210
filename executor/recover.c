/* SPDX-License-Identifier: ISC */
/*
 * At start, before anything else, and again while the queue is held: every
 * transaction carried on or dropped, then every file in .running settled by
 * its outcome or queued again.
 */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "executor/ballast.h"
#include "executor/carry.h"
#include "executor/executor.h"
#include "executor/settle.h"

#define CRASHES_MAX 3
#define CRASH_WAIT_MS 30000 /* behind the others, from the second on */

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
		answer = carry_on(ex, n.names[i]);
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
	/* First what is left of it, for the transactions; at last all. */
	ballast_open(ex);
	if (recover_txns(ex) == -1 || recover_running(ex) == -1 ||
	    ballast_fill(ex) == -1)
		return -1;
	ex->recovered = true;
	return 0;
}
