/* SPDX-License-Identifier: ISC */
/*
 * retry, hold, approve, reject, cancel, undo, pause, resume: requests to
 * executors, through the spool, so that they are durable before the reply and
 * work with the daemons down. What cannot be right is refused here, in words;
 * what changes between our look and the executor's is the executor's to answer.
 */
#include "common/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/approver.h"
#include "common/clock.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/held.h"
#include "ctl/out.h"
#include "ctl/show.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define ANSWER_MS 2000 /* how long a running executor is waited for */

struct asking {
	struct ctl *c;
	enum request_verb verb;
	const char *reason;
	bool wait;    /* for the summary of what was asked for */
	json_t *held; /* why the patch at hand waits, or NULL */
	int64_t deadline;
	json_t *json; /* or NULL */
};

static bool
is_about_queue(enum request_verb verb)
{
	return verb == REQUEST_PAUSE || verb == REQUEST_RESUME;
}

/* What nobody keeps back but the order of things cannot be let go. */
static const char *
why_not_retry(const struct asking *a, const struct look *l)
{
	const char *reason = out_string(a->held, "reason");

	if (l->dir == Q_FAILED)
		return NULL;
	if (l->dir != Q_HELD)
		return "only a failed or held patch can be queued again";
	if (strcmp(reason, "approval") == 0)
		return "it waits for approval; `patchflow approve` lets it run";
	if (strcmp(reason, "dependency") == 0)
		return "it goes on when what it needs has completed";
	return NULL;
}

static const char *
why_not_undo(const struct look *l)
{
	if (l->dir != Q_COMPLETED)
		return "only a completed patch can be undone";
	if (strcmp(l->state, "undone") == 0)
		return "it is undone already";
	if (l->has_outcome && json_object_get(l->out.doc, "undoes") != NULL)
		return "an undo cannot be undone; hand in what it took back "
		       "under another id";
	return NULL;
}

/* NULL where the verb makes sense for a patch in that state. */
static const char *
why_not(const struct asking *a, const struct look *l)
{
	enum request_verb verb = a->verb;
	bool waits = l->dir == Q_PATCHES || l->dir == Q_HELD;

	if (l->dir == Q__MAX)
		return l->has_outcome
			   ? "it was refused before it was queued; hand in a "
			     "corrected document"
			   : "there is nothing left of it to act on";
	if (verb == REQUEST_UNDO)
		return why_not_undo(l);
	if (verb == REQUEST_CANCEL)
		return waits || l->dir == Q_RUNNING ? NULL
						    : "it has ended already";
	if (verb == REQUEST_APPROVE || verb == REQUEST_REJECT)
		return out_string(a->held, "digest")[0] != '\0'
			   ? NULL
			   : "it does not wait for approval";
	if (verb == REQUEST_HOLD)
		return waits ? NULL
		       : l->dir == Q_RUNNING
			   ? "it is running; `patchflow cancel` stops it"
			   : "only a queued or held patch can be held";
	return why_not_retry(a, l);
}

static void
tell(struct asking *a, const char *subject, const json_t *done)
{
	const char *answer = out_string(done, "answer");
	char *clean = table_clean(answer);

	if (a->json != NULL)
		json_array_append_new(a->json,
		    json_pack("{s:s, s:s, s:b, s:O?}", "subject", subject,
			"verb", request_verb_name[a->verb], "answered",
			done != NULL, "done", done));
	else if (done == NULL)
		(void)printf("%s: %s accepted, will be done when the "
			     "executor gets to it\n",
		    subject, request_verb_name[a->verb]);
	else
		(void)printf("%s: %s\n", subject,
		    clean[0] != '\0' ? clean : request_verb_name[a->verb]);
	free(clean);
}

/* The executor's answer, or NULL where none comes in time. */
static json_t *
await_answer(struct asking *a, struct queue_tree *q, const struct request *r)
{
	int64_t deadline = clock_mono_ms() + ANSWER_MS;
	char *instance = xasprintf("executor@%s", q->name);
	json_t *done = NULL;

	if (a->wait)
		deadline = a->deadline;
	else if (!control_is_running(a->c, instance))
		deadline = 0;
	free(instance);
	do {
		json_decref(done);
		done = NULL;
		if (spool_read_json(request_box(q)->dir[BOX_DONE], r->name,
			&done) == 1 &&
		    json_is_boolean(json_object_get(done, "ok")))
			return done;
	} while (follow_pause(deadline));
	json_decref(done);
	return NULL;
}

static void
fill(const struct asking *a, const char *id, struct request *r)
{
	*r = (struct request){.verb = a->verb, .uid = geteuid()};
	(void)strlcpy(r->id, id, sizeof(r->id));
	(void)strlcpy(r->reason, a->reason, sizeof(r->reason));
	if (a->verb == REQUEST_APPROVE || a->verb == REQUEST_REJECT) {
		(void)strlcpy(r->digest, out_string(a->held, "digest"),
		    sizeof(r->digest));
		r->attempt = (int)json_integer_value(
		    json_object_get(a->held, "attempt"));
	}
}

/* Asked here for a clear word at once; who decides is the executor. */
static bool
is_allowed(const struct asking *a, struct queue_tree *q, struct request *r,
    const char *subject)
{
	char why[256];

	if (request_box(q) == &q->requests ||
	    approver_allow(settings_queue(&a->c->s, q->name), r, why))
		return true;
	ctl_say("%s: %s", subject, why);
	return false;
}

static int
put(struct asking *a, struct queue_tree *q, struct request *r,
    const char *subject)
{
	json_t *done;
	int status = CTL_DONE;

	if (request_put(q, r) != SPOOL_DONE) {
		status = errno == EACCES ? CTL_FAILED : CTL_TEMPORARY;
		ctl_say("%s: not accepted: %s", subject, strerror(errno));
		return status;
	}
	done = await_answer(a, q, r);
	tell(a, subject, done);
	if (done != NULL && !json_is_true(json_object_get(done, "ok")))
		status = CTL_FAILED;
	else if (done == NULL && a->wait)
		status = CTL_TEMPORARY;
	json_decref(done);
	return status;
}

static int
ask(struct asking *a, struct queue_tree *q, const char *id)
{
	struct request r;
	char *subject =
	    id[0] != '\0' ? xasprintf("%s@%s", id, q->name) : xstrdup(q->name);
	int status = CTL_FAILED;

	fill(a, id, &r);
	if (is_allowed(a, q, &r, subject))
		status = put(a, q, &r, subject);
	free(subject);
	return status;
}

/* Of an undo for undo:ID, which the executor made before it answered. */
static int
wait_for(struct asking *a, const struct look *l)
{
	char *ref = xasprintf("%s%s@%s", a->verb == REQUEST_UNDO ? "undo:" : "",
	    l->id, l->queue->name);
	struct look *looks;
	int count = looks_find(a->c, ref, &looks);
	int status = CTL_FAILED;

	if (count > 0)
		status = follow_looks(a->c, looks, count, a->deadline, a->json);
	looks_free(looks, count > 0 ? count : 0);
	free(ref);
	return status;
}

static int
ask_one(struct asking *a, const struct look *l)
{
	int status = ask(a, l->queue, l->id);

	return status == CTL_DONE && a->wait ? wait_for(a, l) : status;
}

static void
note_held(struct asking *a, const struct look *l)
{
	json_decref(a->held);
	a->held = l->dir == Q_HELD
		      ? held_describe(a->c, l->queue, l->name.key, l->job)
		      : NULL;
}

/* Where an id is in several queues, those that the verb fits are asked. */
static int
ask_about_patch(struct asking *a, const char *ref)
{
	struct look *looks;
	int i, asked = 0, n = looks_find(a->c, ref, &looks);
	int status = n > 0 ? CTL_DONE : CTL_FAILED;

	for (i = 0; i < n; i++) {
		note_held(a, &looks[i]);
		if (why_not(a, &looks[i]) == NULL) {
			status = ctl_worse(status, ask_one(a, &looks[i]));
			asked++;
		}
	}
	for (i = 0; i < n && asked == 0; i++) {
		note_held(a, &looks[i]);
		ctl_say("%s is %s: %s", look_ref(&looks[i]),
		    show_words(&looks[i]), why_not(a, &looks[i]));
		status = CTL_FAILED;
	}
	json_decref(a->held);
	a->held = NULL;
	looks_free(looks, n > 0 ? n : 0);
	return status;
}

static int
ask_about_queue(struct asking *a, const char *name)
{
	const struct queue_settings *q = ctl_queue(a->c, name);

	return q != NULL ? ask(a, tree_queue(&a->c->t, q->name), "")
			 : CTL_FAILED;
}

static enum request_verb
verb_of(const char *name)
{
	enum request_verb v = 0;

	while (v + 1 < REQUEST__MAX && strcmp(request_verb_name[v], name) != 0)
		v++;
	return v;
}

static int
ask_all(struct asking *a)
{
	int i, status = ctl_open(a->c);

	if (status != 0)
		return status;
	a->json = a->c->json ? json_array() : NULL;
	for (i = 0; i < a->c->argc; i++)
		status =
		    ctl_worse(status, is_about_queue(a->verb)
					  ? ask_about_queue(a, a->c->argv[i])
					  : ask_about_patch(a, a->c->argv[i]));
	if (a->json != NULL)
		out_list(a->json, status);
	return status;
}

/* A request holds so much of it: what would be cut is better said shorter. */
static int
take_reason(struct asking *a, const char *text)
{
	if (strlen(text) >= sizeof(((struct request *)NULL)->reason)) {
		ctl_say("a reason has at most %zu bytes, this one %zu",
		    sizeof(((struct request *)NULL)->reason) - 1, strlen(text));
		return -1;
	}
	a->reason = text;
	return 0;
}

/* 0, or -1: not an option of this verb, or not a span. */
static int
take_option(struct asking *a, int opt)
{
	if (opt == 'r' || opt == 'm')
		return take_reason(a, optarg);
	if (opt == 'w')
		a->wait = true;
	else if (opt == 't')
		a->deadline = follow_deadline(optarg);
	else
		return -1;
	return a->deadline == -1 ? -1 : 0;
}

/* What each verb takes. */
static const struct {
	const char *letters;
	struct option words[4];
} options[REQUEST__MAX] = {
    [REQUEST_RETRY] = {"w", {{"wait", no_argument, NULL, 'w'},
				{"timeout", required_argument, NULL, 't'}}},
    [REQUEST_UNDO] = {"w", {{"wait", no_argument, NULL, 'w'},
			       {"timeout", required_argument, NULL, 't'}}},
    [REQUEST_APPROVE] = {"m:w", {{"comment", required_argument, NULL, 'm'},
				    {"wait", no_argument, NULL, 'w'},
				    {"timeout", required_argument, NULL, 't'}}},
    [REQUEST_REJECT] = {"m:", {{"comment", required_argument, NULL, 'm'}}},
    [REQUEST_CANCEL] = {"r:", {{"reason", required_argument, NULL, 'r'}}},
    [REQUEST_HOLD] = {.letters = ""},
    [REQUEST_PAUSE] = {.letters = ""},
    [REQUEST_RESUME] = {.letters = ""},
};

int
run_request(struct ctl *c)
{
	struct asking a = {.c = c,
	    .verb = verb_of(c->verb->name),
	    .reason = "",
	    .deadline = FOLLOW_FOREVER};
	int opt;

	while ((opt = ctl_option(c, options[a.verb].letters,
		    options[a.verb].words)) != -1) {
		if (take_option(&a, opt) == -1)
			return CTL_USAGE;
	}
	return c->argc > 0 ? ask_all(&a) : CTL_USAGE;
}
