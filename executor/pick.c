/* SPDX-License-Identifier: ISC */
/* The next patch: order, dependencies, expiry, holds, and the claim. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/outcome.h"
#include "executor/approval.h"
#include "executor/depend.h"
#include "executor/executor.h"
#include "executor/settle.h"
#include "executor/tail.h"

#define DUE_MAX 100 /* in one turn */

static void
on_stray(void *owner, const char *name)
{
	struct executor *ex = owner;

	strays_note(&ex->strays, ex->q->dir[Q_PATCHES], name);
}

/* A patch that is looked at. */
struct candidate {
	enum queue_dir dir;
	char file[NAME_SIZE];
	struct queue_name name;
	struct job job;
	int attempt;  /* see next_attempt; 0 before */
	bool circles; /* are looked for: it reads all that is waited for */
};

/* The attempt under which it would be claimed. Nobody else gives numbers, so
 * that it is looked for once. */
static int
next_attempt(struct executor *ex, struct candidate *c)
{
	struct queue_name n = c->name;

	if (c->attempt == 0) {
		settle_free_attempt(ex, &n);
		c->attempt = n.attempt;
	}
	return c->attempt;
}

/* 1 claimed (settle_sync makes it durable), 0 gone, -1 the queue is held. */
static int
claim(struct executor *ex, struct candidate *c, char claimed[NAME_SIZE])
{
	enum spool_answer a;

	c->name.attempt = next_attempt(ex, c);
	key_queue_file(&c->name, claimed);
	a = spool_shift(ex->q->dir[c->dir], c->file, ex->q->dir[Q_RUNNING],
	    claimed);
	ex->unsynced = ex->unsynced || a == SPOOL_DONE;
	if (a == SPOOL_DONE)
		return 1;
	if (a == SPOOL_REFUSED && errno == ENOENT)
		return 0;
	executor_hold(ex, "%s: not claimed: %s", c->file, strerror(errno));
	return -1;
}

static void
distrust(struct executor *ex, enum queue_dir dir, const char *file,
    struct queue_name *n, const char *why)
{
	struct fault f = {0};
	struct settle_at at = {dir, file};

	(void)fault_fail(&f, OUTCOME_PREPARE,
	    "the queue file %s cannot be trusted (%s); it lies in corrupt/",
	    file, why);
	settle_aside(ex, n, &f, &at);
}

/* 1 with *job filled, 0 not to be run (it was dealt with), -1 try later. */
static int
load(struct executor *ex, enum queue_dir dir, const char *file,
    struct queue_name *n, struct job *job)
{
	json_t *doc = NULL;
	int found = spool_read_json(ex->q->dir[dir], file, &doc);
	int saved = errno;

	if (found == 1 && job_decode(doc, job) == 0) {
		json_decref(doc);
		job->env.attempt = n->attempt;
		return 1;
	}
	json_decref(doc);
	if (found == 0)
		return 0;
	if (found == -1 && saved == ENOMSG && dir == Q_PATCHES) {
		strays_note(&ex->strays, ex->q->dir[dir], file);
		return 0;
	}
	if (found == 1 || saved == EBADMSG || saved == ENOMSG ||
	    saved == EPERM || saved == EFBIG || saved == EINVAL) {
		distrust(ex, dir, file, n,
		    found == 1 ? "not a queue file of this version"
			       : strerror(saved));
		return 0;
	}
	log_warnx("%s: not read: %s", file, strerror(saved));
	ex->trouble = true;
	return -1;
}

static bool
has_expired(const json_t *patch, char *when)
{
	const char *s = json_string_value(json_object_get(patch, "expires"));
	int64_t at;

	if (s == NULL || clock_parse_iso(s, &at) == -1)
		return false;
	strlcpy(when, s, ISO_TIME_SIZE + 16);
	return at <= clock_wall_us();
}

static void
reject(struct executor *ex, struct candidate *c, const struct fault *f,
    json_t *extra)
{
	char claimed[NAME_SIZE];
	struct settle_at at = {Q_RUNNING, claimed};

	if (claim(ex, c, claimed) != 1)
		return;
	c->job.env.attempt = c->name.attempt;
	(void)settle_fault(ex, &c->job.env, f, extra, &at);
}

static bool
reject_expired(struct executor *ex, struct candidate *c)
{
	char when[ISO_TIME_SIZE + 16];
	struct fault f = {0};

	if (!has_expired(c->job.patch, when))
		return false;
	(void)fault_reject(&f, OUTCOME_EXPIRED, "the patch expired at %s",
	    when);
	reject(ex, c, &f, NULL);
	return true;
}

static void
reject_dependency(struct executor *ex, struct candidate *c,
    struct depend_answer *a)
{
	json_t *extra =
	    a->circle != NULL ? json_pack("{s:O}", "circle", a->circle) : NULL;
	struct fault f = {0};

	(void)fault_reject(&f, OUTCOME_DEPENDENCY_FAILED, "%s", a->why);
	reject(ex, c, &f, extra);
	json_decref(extra);
}

/* False: forbidden, and rejected as that. */
static bool
is_allowed(struct executor *ex, struct candidate *c, struct policy_answer *p)
{
	struct fault f = {0};

	approval_judge(ex, &c->job, next_attempt(ex, c), p);
	if (p->verdict != POLICY_DENY)
		return true;
	(void)fault_reject(&f, OUTCOME_FORBIDDEN, "%s", p->why);
	reject(ex, c, &f, NULL);
	return false;
}

/* Expired, forbidden, or in need of what will not come: rejected. Else true,
 * and *ready or it waits. Circles are looked for among those that wait. */
static bool
may_live(struct executor *ex, struct candidate *c, struct depends *d,
    bool *ready)
{
	struct depend_answer a;
	struct policy_answer p;
	bool live;

	if (reject_expired(ex, c) || !is_allowed(ex, c, &p))
		return false;
	depends_check(d, &c->job, c->circles, &a);
	live = a.state != DEPEND_FAILED;
	*ready = a.state == DEPEND_READY;
	if (!live)
		reject_dependency(ex, c, &a);
	else if (!*ready)
		log_debug("%s: %s", c->name.key, a.why);
	json_decref(a.circle);
	if (live && p.verdict == POLICY_HOLD) {
		*ready = false;
		if (p.why[0] != '\0')
			(void)approval_ask(ex, &c->job.env, next_attempt(ex, c),
			    false, p.why);
	}
	return live;
}

static void
put_by(struct executor *ex, const struct candidate *c)
{
	const char *file = c->file;
	enum spool_answer a =
	    spool_move(ex->q->dir[Q_PATCHES], file, ex->q->dir[Q_HELD], NULL);

	ex->held_any = true;
	waits_add(&ex->waits, c->job.patch, file);
	if (a != SPOOL_DONE && errno != ENOENT)
		executor_hold(ex, "%s: not held: %s", file, strerror(errno));
}

/* What the last one came to is known first, where it matters. False: the queue
 * is held for that. */
static bool
may_follow(struct executor *ex, const struct candidate *c)
{
	return !tail_concerns(ex, c->name.key, c->job.patch) ||
	       tail_finish(ex) == 0;
}

/* True when something was done about it: one thing a turn, so that a
 * thousand that wait do not keep signals and requests waiting. */
static bool
consider(struct executor *ex, const struct queue_name *n)
{
	struct candidate c = {.dir = Q_PATCHES, .name = *n};
	char claimed[NAME_SIZE];
	struct depends d;
	bool ready = false, done = true;

	key_queue_file(n, c.file);
	hand_take(ex, n->key, n->attempt);
	if (load(ex, c.dir, c.file, &c.name, &c.job) != 1) {
		hand_drop(ex);
		return false;
	}
	depends_open(&d, ex->tree);
	if (may_follow(ex, &c) && may_live(ex, &c, &d, &ready) && !ready) {
		put_by(ex, &c);
	} else if (ready) {
		done = claim(ex, &c, claimed) == 1;
		if (done)
			(void)run_start(ex, &c.job, &c.name, claimed);
	}
	depends_close(&d);
	job_free(&c.job);
	hand_drop(ex);
	return done;
}

static void
refill(struct executor *ex)
{
	struct index *x = &ex->index;
	struct index_source from = {.dir = ex->q->dir[Q_PATCHES],
	    .now_us = clock_wall_us(),
	    .ageing_us = ex->queue->ageing * 1000,
	    .stray = on_stray,
	    .owner = ex};

	if ((x->next < x->count && !x->dirty) || !index_may_scan(x))
		return;
	if (index_scan(x, &from) == -1) {
		log_warn("patches: not read");
		ex->trouble = true;
	}
	(void)index_rename(x, from.dir);
}

bool
pick_next(struct executor *ex)
{
	struct queue_name n;

	refill(ex);
	while (ex->hold[0] == '\0' && index_take(&ex->index, &n)) {
		if (consider(ex, &n))
			return true;
	}
	return false;
}

static void
release(struct executor *ex, const struct candidate *c)
{
	if (spool_move(ex->q->dir[Q_HELD], c->file, ex->q->dir[Q_PATCHES],
		NULL) == SPOOL_DONE)
		index_put(&ex->index, &c->name);
	else
		executor_hold(ex, "%s: not moved back", c->file);
}

/* Back into the queue, or rejected, or left waiting. */
static void
consider_held(struct executor *ex, const char *file, struct depends *d,
    bool circles)
{
	struct candidate c = {.dir = Q_HELD, .circles = circles};
	struct tries t;
	bool ready = false;

	if (key_parse_queue_file(file, &c.name) == -1 ||
	    tries_load(&ex->state, c.name.key, &t) == -1)
		return;
	ex->held_any = true;
	strlcpy(c.file, file, sizeof(c.file));
	/* Reading it may be what it takes. */
	if (t.crashes > 0 && t.not_before_us > clock_wall_us())
		return;
	hand_take(ex, c.name.key, c.name.attempt);
	if (load(ex, c.dir, file, &c.name, &c.job) != 1)
		return;
	if (t.operator_hold || t.not_before_us > clock_wall_us())
		(void)reject_expired(ex, &c);
	else if (may_live(ex, &c, d, &ready) && ready)
		release(ex, &c);
	else
		waits_add(&ex->waits, c.job.patch, file);
	job_free(&c.job);
}

void
pick_held(struct executor *ex)
{
	struct spool_names names = {0};
	int64_t began = clock_mono_ms();
	struct depends d;

	ex->held_at_ms = began;
	/* All of them: one that may go must not stand behind those that wait.
	 */
	if (spool_list(ex->q->dir[Q_HELD], 0, &names) == -1) {
		log_warn(".held: not read");
		ex->trouble = true;
		return;
	}
	depends_open(&d, ex->tree);
	ex->held_any = ex->held_stale = false;
	waits_clear(&ex->waits);
	for (size_t i = 0; i < names.count && ex->hold[0] == '\0'; i++) {
		consider_held(ex, names.names[i], &d, true);
		if (i % 100 == 0)
			executor_beat(ex);
	}
	hand_drop(ex);
	depends_close(&d);
	spool_names_free(&names);
	ex->held_at_ms = clock_mono_ms();
	ex->held_cost_ms = ex->held_at_ms - began;
}

void
pick_due(struct executor *ex)
{
	char file[NAME_SIZE];
	struct depends d;

	if (!waits_are_due(&ex->waits))
		return;
	depends_open(&d, ex->tree);
	for (int i = 0;
	     i < DUE_MAX && ex->hold[0] == '\0' && waits_take(&ex->waits, file);
	     i++)
		consider_held(ex, file, &d, false);
	hand_drop(ex);
	depends_close(&d);
}
