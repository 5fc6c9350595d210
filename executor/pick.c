/* SPDX-License-Identifier: ISC */
/* The next patch: order, dependencies, expiry, holds, and the claim. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/outcome.h"
#include "executor/depend.h"
#include "executor/executor.h"
#include "executor/settle.h"

#define HELD_MAX 4096 /* looked at in one pass */

static void
on_stray(void *owner, const char *name)
{
	struct executor *ex = owner;

	strays_note(&ex->strays, ex->q->dir[Q_PATCHES], name);
}

/* The first attempt from n's on that has no outcome: an operator's retry and
 * a resend can so never share one. */
static void
free_attempt(struct executor *ex, struct queue_name *n)
{
	while (n->attempt < ATTEMPT_MAX &&
	       tree_find_outcome(ex->q, n->key, n->attempt) != BOX__MAX)
		n->attempt++;
}

/* 1 claimed, 0 gone, -1 the queue is held. */
static int
claim(struct executor *ex, enum queue_dir from, const char *file,
    struct queue_name *n, char claimed[NAME_SIZE])
{
	enum spool_answer a;

	free_attempt(ex, n);
	key_queue_file(n, claimed);
	a = spool_move(ex->q->dir[from], file, ex->q->dir[Q_RUNNING], claimed);
	if (a == SPOOL_DONE)
		return 1;
	if (a == SPOOL_REFUSED && errno == ENOENT)
		return 0;
	executor_hold(ex, "%s: not claimed: %s", file, strerror(errno));
	return -1;
}

/* A queue file that cannot be trusted still gets its outcome: the id is in
 * its name. */
static void
set_aside(struct executor *ex, enum queue_dir dir, const char *file,
    struct queue_name *n, const char *why)
{
	struct envelope env = {.source = xstrdup("spool"),
	    .conversation = xstrdup(""),
	    .message_id = xstrdup(""),
	    .author = xstrdup("")};
	struct fault f = {0};
	struct alert a = {.type = "spool-corrupt",
	    .component = ex->instance,
	    .subject = file,
	    .severity = ALERT_CRITICAL,
	    .text = why,
	    .queue = ex->q->name};
	size_t len = strlen(n->key);

	/* TIME-SLUG-HASH8: the slug is the id, or near to it. */
	if (len > 26)
		(void)strlcpy(env.id, n->key + 17, len - 17 - 9 + 1);
	if (!key_is_of(n->key, env.id))
		strlcpy(env.id, "corrupt", sizeof(env.id));
	free_attempt(ex, n);
	strlcpy(env.queue, ex->q->name, sizeof(env.queue));
	strlcpy(env.key, n->key, sizeof(env.key));
	env.attempt = n->attempt;
	digest_bytes(file, strlen(file), env.digest);
	env.queued_us = env.detected_us = key_time_us(n->key);
	(void)fault_fail(&f, OUTCOME_PREPARE,
	    "the queue file %s cannot be trusted (%s); it lies in corrupt/",
	    file, why);
	log_warnx("%s: set aside: %s", file, why);
	executor_alert(ex, &a);
	/* The outcome before the file goes: else nobody would write it. */
	if (key_is_of(n->key, env.id)) {
		json_t *doc =
		    outcome_new(&env, f.state, f.stage, OUTCOME_NO_REASON);
		char name[NAME_SIZE];

		settle_common(ex, doc);
		fault_describe(&f, doc);
		key_outcome_file(n->key, n->attempt, name);
		if (tree_put_json(ex->tree, ex->q->outcomes.dir, name, doc) ==
		    SPOOL_REFUSED)
			executor_hold(ex, "%s: outcome not written", file);
		json_decref(doc);
	}
	if (tree_set_aside(ex->tree, ex->q->dir[dir], ex->q->name, file) !=
	    SPOOL_DONE)
		executor_hold(ex, "%s: not moved to corrupt", file);
	envelope_free(&env);
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
		set_aside(ex, dir, file, n,
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

/* A patch that is looked at. */
struct candidate {
	enum queue_dir dir;
	char file[NAME_SIZE];
	struct queue_name name;
	struct job job;
};

static void
reject(struct executor *ex, struct candidate *c, const struct fault *f)
{
	char claimed[NAME_SIZE];
	struct settle_at at = {Q_RUNNING, claimed};

	if (claim(ex, c->dir, c->file, &c->name, claimed) != 1)
		return;
	c->job.env.attempt = c->name.attempt;
	(void)settle_fault(ex, &c->job.env, f, NULL, &at);
}

enum verdict { VERDICT_RUN, VERDICT_WAIT, VERDICT_REJECT };

static enum verdict
judge(struct executor *ex, const struct job *job, struct fault *f)
{
	char why[512], when[ISO_TIME_SIZE + 16];

	if (has_expired(job->patch, when)) {
		(void)fault_reject(f, OUTCOME_EXPIRED,
		    "the patch expired at %s", when);
		return VERDICT_REJECT;
	}
	switch (depend_check(ex->tree, ex->q, job->env.id, job->patch, why)) {
	case DEPEND_READY:
		return VERDICT_RUN;
	case DEPEND_WAIT:
		log_debug("%s: %s", job->env.key, why);
		return VERDICT_WAIT;
	case DEPEND_FAILED:
		break;
	}
	(void)fault_reject(f, OUTCOME_DEPENDENCY_FAILED, "%s", why);
	return VERDICT_REJECT;
}

static void
put_by(struct executor *ex, const char *file)
{
	enum spool_answer a =
	    spool_move(ex->q->dir[Q_PATCHES], file, ex->q->dir[Q_HELD], NULL);

	ex->held_any = true;
	if (a != SPOOL_DONE && errno != ENOENT)
		executor_hold(ex, "%s: not held: %s", file, strerror(errno));
}

/* True when something was done about it: one thing a turn, so that a
 * thousand that wait do not keep signals and requests waiting. */
static bool
consider(struct executor *ex, const struct queue_name *n)
{
	struct candidate c = {.dir = Q_PATCHES, .name = *n};
	char claimed[NAME_SIZE];
	struct fault f = {0};
	bool done = true;

	key_queue_file(n, c.file);
	if (load(ex, c.dir, c.file, &c.name, &c.job) != 1)
		return false;
	switch (judge(ex, &c.job, &f)) {
	case VERDICT_RUN:
		done = claim(ex, c.dir, c.file, &c.name, claimed) == 1;
		if (done)
			(void)run_start(ex, &c.job, &c.name, claimed);
		break;
	case VERDICT_WAIT:
		put_by(ex, c.file);
		break;
	case VERDICT_REJECT:
		reject(ex, &c, &f);
		break;
	}
	job_free(&c.job);
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

/* Back into the queue, or rejected, or left waiting. */
static void
consider_held(struct executor *ex, const char *file)
{
	struct candidate c = {.dir = Q_HELD};
	struct fault f = {0};
	struct tries t;

	if (key_parse_queue_file(file, &c.name) == -1 ||
	    tries_load(&ex->state, c.name.key, &t) == -1)
		return;
	ex->held_any = true;
	strlcpy(c.file, file, sizeof(c.file));
	if (t.operator_hold || t.not_before_us > clock_wall_us() ||
	    load(ex, c.dir, file, &c.name, &c.job) != 1)
		return;
	switch (judge(ex, &c.job, &f)) {
	case VERDICT_RUN:
		if (spool_move(ex->q->dir[Q_HELD], file, ex->q->dir[Q_PATCHES],
			NULL) == SPOOL_DONE)
			index_put(&ex->index, &c.name);
		else
			executor_hold(ex, "%s: not moved back", file);
		break;
	case VERDICT_WAIT:
		break;
	case VERDICT_REJECT:
		reject(ex, &c, &f);
		break;
	}
	job_free(&c.job);
}

void
pick_held(struct executor *ex)
{
	struct spool_names names = {0};
	int64_t began = clock_mono_ms();

	ex->held_at_ms = began;
	if (spool_list(ex->q->dir[Q_HELD], HELD_MAX, &names) == -1) {
		log_warn(".held: not read");
		ex->trouble = true;
		return;
	}
	ex->held_any = ex->held_stale = false;
	for (size_t i = 0; i < names.count && ex->hold[0] == '\0'; i++) {
		consider_held(ex, names.names[i]);
		if (i % 100 == 0)
			executor_beat(ex);
	}
	spool_names_free(&names);
	ex->held_at_ms = clock_mono_ms();
	ex->held_cost_ms = ex->held_at_ms - began;
}
