/* SPDX-License-Identifier: ISC */
/*
 * Two executors and the model of order_model.h beside them: the executor's own
 * code looks, holds, claims and settles, only the run is replaced by a verdict
 * from the table. What it does and the model does not allow at that moment
 * ends the test.
 */
#ifndef TESTS_UNIT_ORDER_SUITE_H
#define TESTS_UNIT_ORDER_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/outcome.h"
#include "common/request.h"
#include "executor/executor.h"
#include "executor/settle.h"
#include "tests/unit/scratch.h"

/* Behind those that have names of their own for what it calls count. */
#include "tests/unit/order_model.h"

/* --- in the place of run.c */

/* The last look was at all that is held. */
static bool all_seen;

static bool
is_queued(struct executor *ex, const struct model_patch *p)
{
	struct queue_name n;

	return tree_find_key(ex->q, p->key, p->attempt, &n) == Q_PATCHES;
}

/* A conflict, or the death of its executor: it waits, and is run again. */
static enum run_start
run_again(struct executor *ex, struct model_patch *p,
    const struct queue_name *name, const char *file)
{
	struct tries t;
	int delay_ms = 1000 << below(3);

	assert_int_equal(tries_load(&ex->state, name->key, &t), 0);
	tries_begin(&t, name->attempt);
	if (p->again-- == 1)
		t.crashes = 1;
	else
		t.requeues = 1;
	assert_int_equal(settle_requeue(ex, file, name->key, &t, delay_ms), 0);
	p->not_before_us = now_us + delay_ms * INT64_C(1000);
	return RUN_SETTLED;
}

void
run_kill(struct executor *ex, enum run_end end)
{
	(void)ex;
	(void)end;
}

enum run_start
run_start(struct executor *ex, const struct job *job,
    const struct queue_name *name, const char *file)
{
	struct model_patch *p = find(job->env.id, job->env.queue);
	struct settle_at at = {Q_RUNNING, file};
	struct fault f = {0};
	struct job ran = *job;
	json_t *doc;

	if (!may_run(p))
		fail_msg("seed %u: %s was not to run", seed, p->id);
	for (int i = 0; i < count; i++)
		if (all[i].queue == p->queue && is_before(&all[i], p) &&
		    may_run(&all[i]) && (all_seen || is_queued(ex, &all[i])))
			fail_msg("seed %u: %s ran before %s", seed, p->id,
			    all[i].id);
	assert_int_equal(name->attempt, p->attempt);
	if (p->again > 0)
		return run_again(ex, p, name, file);
	ran.env.attempt = name->attempt;
	p->state = p->good ? COMPLETED : FAILED;
	if (p->good) {
		doc = outcome_new(&ran.env, OUTCOME_COMPLETED, OUTCOME_NO_STAGE,
		    OUTCOME_NO_REASON);
		assert_int_equal(settle_outcome(ex, doc, at.dir, file), 0);
		json_decref(doc);
	} else {
		(void)fault_fail(&f, OUTCOME_VALIDATION, "as planned");
		assert_int_equal(settle_fault(ex, &ran.env, &f, NULL, &at), 0);
	}
	return RUN_SETTLED;
}

/* --- a suite of two executors */

struct suite {
	struct scratch s;
	struct tree t;
	struct settings settings;
	struct queue_settings queue[QUEUES];
	struct executor ex[QUEUES];
};

static void
suite_open(struct suite *u)
{
	char why[PATH_MAX];

	memset(u, 0, sizeof(*u));
	assert_int_equal(scratch_open_fast(&u->s), 0);
	assert_int_equal(tree_open(&u->t, u->s.path, queue_name, QUEUES, why),
	    0);
	for (int i = 0; i < QUEUES; i++) {
		struct executor *ex = &u->ex[i];

		u->queue[i].ageing = AGEING_US / 1000;
		u->queue[i].attempts = 3;
		ex->tree = &u->t;
		ex->q = tree_queue(&u->t, queue_name[i]);
		ex->settings = &u->settings;
		ex->queue = &u->queue[i];
		ex->workspace.fd = ex->place.dir = -1;
		(void)snprintf(ex->instance, sizeof(ex->instance),
		    "executor@%s", queue_name[i]);
		ex->hand.fd = -1;
		assert_int_equal(state_open(&ex->state, &u->t, ex->instance),
		    0);
		assert_int_equal(journal_open(&ex->journal, u->t.journal,
				     ex->instance, 1 << 20, 1),
		    0);
		assert_int_equal(loop_open(&ex->loop, ex, NULL), 0);
	}
}

static void
suite_close(struct suite *u)
{
	for (int i = 0; i < QUEUES; i++) {
		index_free(&u->ex[i].index);
		waits_free(&u->ex[i].waits);
		journal_close(&u->ex[i].journal);
		state_close(&u->ex[i].state);
		loop_close(&u->ex[i].loop);
	}
	tree_close(&u->t);
	scratch_close(&u->s);
}

static void
arrive(struct suite *u, struct model_patch *p)
{
	struct ids_entry entry = {.attempt = 1, .rev = 1};
	struct ids_accept a = {.tree = &u->t,
	    .id = p->id,
	    .entry = &entry,
	    .dst = IDS_QUEUE,
	    .digit = p->digit};
	struct job job = {.env = {.attempt = 1,
			      .source = xstrdup("test"),
			      .conversation = xstrdup(""),
			      .message_id = xstrdup(""),
			      .author = xstrdup("")}};
	json_t *deps = json_array(), *doc;
	char expires[ISO_TIME_SIZE];

	for (int d = 0; d < DEPS; d++)
		if (p->dep[d][0] != '\0')
			json_array_append_new(deps, json_string(p->dep[d]));
	job.patch = json_pack("{s:o}", "dependencies", deps);
	if (p->expires_us != 0) {
		clock_iso(p->expires_us, expires);
		json_object_set_new(job.patch, "expires", json_string(expires));
	}
	job.warnings = json_array();
	(void)strlcpy(job.env.id, p->id, sizeof(job.env.id));
	(void)strlcpy(job.env.queue, queue_name[p->queue],
	    sizeof(job.env.queue));
	(void)strlcpy(job.env.key, p->key, sizeof(job.env.key));
	digest_bytes(p->key, strlen(p->key), job.env.digest);
	(void)strlcpy(entry.queue, job.env.queue, sizeof(entry.queue));
	(void)strlcpy(entry.key, p->key, sizeof(entry.key));
	(void)strlcpy(entry.digest, job.env.digest, sizeof(entry.digest));
	doc = job_encode(&job);
	a.doc = doc;
	assert_int_equal(ids_accept(&a), SPOOL_DONE);
	json_decref(doc);
	job_free(&job);
	p->state = WAITING;
	u->ex[p->queue].index.dirty = true;
}

enum rejected { NOT_REJECTED, FOR_NEED, FOR_CIRCLE, FOR_TIME };

/* By its outcome. */
static enum rejected
rejected_for(struct suite *u, const struct model_patch *p)
{
	struct queue_tree *q = u->ex[p->queue].q;
	enum box_dir box = tree_find_outcome(q, p->key, p->attempt);
	char name[NAME_SIZE];
	struct outcome o;
	enum rejected why;
	json_t *doc;

	if (p->state != WAITING || box == BOX__MAX)
		return NOT_REJECTED;
	key_outcome_file(p->key, p->attempt, name);
	assert_int_equal(spool_read_json(q->outcomes.dir[box], name, &doc), 1);
	assert_int_equal(outcome_decode(doc, &o), 0);
	if (o.reason == OUTCOME_EXPIRED) {
		why = FOR_TIME;
	} else {
		assert_int_equal(o.reason, OUTCOME_DEPENDENCY_FAILED);
		why = json_object_get(doc, "circle") != NULL ? FOR_CIRCLE
							     : FOR_NEED;
	}
	outcome_free(&o);
	json_decref(doc);
	return why;
}

static bool
is_right(int i, enum rejected why)
{
	return why == FOR_TIME     ? has_expired(&all[i])
	       : why == FOR_CIRCLE ? is_in_circle(i)
				   : needs_failed(&all[i]);
}

static bool
note_one(struct suite *u, enum rejected why)
{
	for (int i = 0; i < count; i++) {
		if (rejected_for(u, &all[i]) != why || !is_right(i, why))
			continue;
		all[i].state = why == FOR_CIRCLE ? IN_CIRCLE : FAILED;
		return true;
	}
	return false;
}

/* Takes over one rejection that the model understands, if there is one. What
 * has expired in a look was still a member of its circle for the others. */
static bool
note_rejected(struct suite *u)
{
	return note_one(u, FOR_CIRCLE) || note_one(u, FOR_NEED) ||
	       note_one(u, FOR_TIME);
}

/* As executor.c: all that is held, or only what became due; both are right at
 * any time. */
static void
look(struct suite *u, int queue, bool whole)
{
	static const char *const words[] = {[FOR_NEED] = "nothing that failed",
	    [FOR_CIRCLE] = "no circle",
	    [FOR_TIME] = "no lack of time"};
	struct executor *ex = &u->ex[queue];

	ex->index.cost_ms = 0;
	if (whole)
		pick_held(ex);
	all_seen = whole;
	pick_due(ex);
	(void)pick_next(ex);
	/* One look may reject several, one for another: in any order. */
	while (note_rejected(u))
		continue;
	for (int i = 0; i < count; i++) {
		enum rejected why = rejected_for(u, &all[i]);

		if (why != NOT_REJECTED)
			fail_msg("seed %u: %s is rejected for %s", seed,
			    all[i].id, words[why]);
	}
	assert_string_equal(ex->hold, "");
}

/* --- things that happen to patches that ended */

static void
ask(struct suite *u, const struct model_patch *p, enum request_verb verb)
{
	struct request r = {.verb = verb};
	struct executor *ex = &u->ex[p->queue];

	(void)strlcpy(r.id, p->id, sizeof(r.id));
	assert_int_equal(request_put(ex->q, &r), SPOOL_DONE);
	requests_take(ex);
}

static void
retry(struct suite *u, struct model_patch *p)
{
	ask(u, p, REQUEST_RETRY);
	p->attempt++;
	p->good = true;
	p->state = WAITING;
}

/* Its note says no time any more: a hold ends that, and so does its end. */
static void
hold_or_release(struct suite *u, struct model_patch *p)
{
	ask(u, p, p->held ? REQUEST_RETRY : REQUEST_HOLD);
	p->held = !p->held;
	p->not_before_us = 0;
}

#endif
