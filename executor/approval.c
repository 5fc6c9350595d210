/* SPDX-License-Identifier: ISC */
/* Asking for approval, granting it, and telling that it is not needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "executor/approval.h"
#include "executor/tries.h"
#include "executor/undo.h"
#include "executor/utf8.h"

static bool
is_of(const struct approval *a, const char *digest, int attempt)
{
	return strcmp(a->digest, digest) == 0 && a->attempt == attempt;
}

/* What has been asked waits for its answer, also where only its commands gave
 * reason to ask: run again without, they would give it again. */
static void
heed(struct executor *ex, const struct envelope *env, int attempt,
    struct policy_answer *a)
{
	struct tries t;

	if (tries_load(&ex->state, env->key, &t) == -1) {
		executor_hold(ex, "%s: state not read", env->key);
		*a = (struct policy_answer){.verdict = POLICY_HOLD};
	} else if (!is_of(&t.approval, env->digest, attempt)) {
		return;
	} else if (t.approval.granted) {
		a->verdict = POLICY_RUN;
	} else if (t.approval.of_changes) {
		a->verdict = POLICY_HOLD;
		(void)strlcpy(a->why, t.approval.why, sizeof(a->why));
	}
}

void
approval_judge(struct executor *ex, const struct job *job, int attempt,
    struct policy_answer *a)
{
	const struct policy_source s = {.queue = ex->queue,
	    .file = ex->settings->path};
	struct fault f = {0};
	struct plan p;

	*a = (struct policy_answer){0};
	if (!policy_is_set(ex->queue) || undo_is(job->patch))
		return;
	/* What is no plan is rejected as that when it runs. */
	if (plan_make(job->patch, ex->queue, &p, &f) == 0)
		policy_of_plan(&s, &p, a);
	plan_free(&p);
	fault_free(&f);
	if (a->verdict != POLICY_DENY && !ex->dry.on)
		heed(ex, &job->env, attempt, a);
}

static struct policy_source
source_of_changes(const struct executor *ex)
{
	return (struct policy_source){.queue = ex->queue,
	    .file = ex->settings->path,
	    .past = ex->run.approved};
}

static void
on_change(void *executor, const char *path)
{
	struct executor *ex = executor;
	const struct policy_source s = source_of_changes(ex);

	policy_of_path(&s, path, &ex->run.policy);
}

/* It would not run, had nobody approved of what these rules hold. */
static void
note_approved(struct executor *ex)
{
	struct run *r = &ex->run;
	struct policy_source s = {.queue = ex->queue,
	    .file = ex->settings->path};
	struct policy_answer a;

	if (ex->dry.on || ex->queue->rule_count == 0)
		return;
	s.holds = r->approved = xcalloc(ex->queue->rule_count, sizeof(bool));
	policy_of_plan(&s, &r->plan, &a);
}

void
approval_watch(struct executor *ex, struct changes *c)
{
	ex->run.policy = (struct policy_answer){0};
	if (!policy_is_set(ex->queue))
		return;
	note_approved(ex);
	c->on = on_change;
	c->owner = ex;
}

/* That the patch might run was another question. */
static bool
is_granted_for_changes(struct executor *ex)
{
	const struct run *r = &ex->run;
	struct tries t;

	return tries_load(&ex->state, r->job.env.key, &t) == 0 &&
	       t.approval.granted && t.approval.of_changes &&
	       is_of(&t.approval, r->job.env.digest, r->name.attempt);
}

void
approval_judge_changes(struct executor *ex, const struct changes *c,
    struct policy_answer *a)
{
	const struct policy_source s = source_of_changes(ex);

	*a = ex->run.policy;
	if (!policy_is_set(ex->queue))
		return;
	policy_of_size(&s, (int64_t)c->count, c->bytes, a);
	if (a->verdict == POLICY_HOLD && is_granted_for_changes(ex))
		a->verdict = POLICY_RUN;
}

static void
tell(struct executor *ex, const char *id, const char *why)
{
	char *text = why != NULL
			 ? xasprintf("%s@%s waits for approval: %s; look with "
				     "`patchflow show', which names who may, "
				     "then `patchflow approve' or `reject'",
			       id, ex->q->name, why)
			 : xasprintf("%s@%s waits for no approval any more", id,
			       ex->q->name);
	struct alert a = {.type = "approval-needed",
	    .component = ex->instance,
	    .subject = id,
	    .severity = why != NULL ? ALERT_WARNING : ALERT_INFO,
	    .text = text,
	    .queue = ex->q->name,
	    .id = id,
	    .resolved = why == NULL};

	executor_alert(ex, &a);
	free(text);
}

int
approval_ask(struct executor *ex, const struct envelope *env, int attempt,
    bool of_changes, const char *why)
{
	struct tries t;

	if (tries_load(&ex->state, env->key, &t) == -1) {
		executor_hold(ex, "%s: state not read", env->key);
		return -1;
	}
	if (is_of(&t.approval, env->digest, attempt) &&
	    (t.approval.of_changes || !of_changes))
		return 0;
	/* Told first: killed in between, it is told once more. */
	tell(ex, env->id, why);
	t.approval = (struct approval){.attempt = attempt,
	    .of_changes = of_changes,
	    .asked_us = clock_wall_us()};
	(void)strlcpy(t.approval.digest, env->digest,
	    sizeof(t.approval.digest));
	(void)strlcpy(t.approval.why, why, sizeof(t.approval.why));
	if (t.attempt != attempt)
		tries_begin(&t, attempt);
	if (tries_save(&ex->state, env->key, &t) != SPOOL_DONE) {
		executor_hold(ex, "%s: state not written", env->key);
		return -1;
	}
	log_info("%s: waits for approval, %s", env->key, why);
	journal_write(&ex->journal, "approval-needed",
	    json_pack("{s:s,s:s,s:i,s:o}", "id", env->id, "queue", ex->q->name,
		"attempt", attempt, "why", utf8_string(why)));
	return 0;
}

static bool
say(char answer[256], bool ok, const char *text)
{
	(void)strlcpy(answer, text, 256);
	return ok;
}

bool
approval_is_meant(struct executor *ex, const struct request *r, const char *key,
    char answer[256])
{
	struct tries t;

	if (tries_load(&ex->state, key, &t) == -1)
		return say(answer, false, "its state cannot be read");
	if (t.approval.digest[0] == '\0')
		return say(answer, false, "it does not wait for approval");
	if (r->digest[0] != '\0' && !is_of(&t.approval, r->digest, r->attempt))
		return say(answer, false,
		    "another document has come under this id: look again");
	return true;
}

bool
approval_grant(struct executor *ex, const struct request *r, const char *key,
    char answer[256])
{
	char name[64];
	struct tries t;

	if (!approval_is_meant(ex, r, key, answer))
		return false;
	if (tries_load(&ex->state, key, &t) == -1)
		return say(answer, false, "its state cannot be read");
	if (t.approval.granted)
		return say(answer, true, "it is approved already");
	t.approval.granted = true;
	t.approval.by = r->uid;
	(void)strlcpy(t.approval.as, r->as, sizeof(t.approval.as));
	t.approval.at_us = clock_wall_us();
	(void)strlcpy(t.approval.comment, r->reason,
	    sizeof(t.approval.comment));
	if (tries_save(&ex->state, key, &t) != SPOOL_DONE)
		return say(answer, false, "its state cannot be written");
	tell(ex, r->id, NULL);
	approval_name(r->uid, name, sizeof(name));
	log_info("%s: approved by %s", key, name);
	ex->held_any = ex->held_stale = true;
	return say(answer, true,
	    t.operator_hold ? "approved; it is still held until retry"
			    : "approved");
}

void
approval_close(struct executor *ex, const char *key, const char *id)
{
	struct tries t;

	if (tries_load(&ex->state, key, &t) == 0 &&
	    t.approval.digest[0] != '\0' && !t.approval.granted)
		tell(ex, id, NULL);
}

json_t *
approval_describe(struct executor *ex, const char *key)
{
	char name[64], at[ISO_TIME_SIZE];
	struct tries t;

	if (!policy_is_set(ex->queue) || ex->dry.on ||
	    tries_load(&ex->state, key, &t) == -1 || !t.approval.granted)
		return NULL;
	approval_name(t.approval.by, name, sizeof(name));
	clock_iso(t.approval.at_us, at);
	return json_pack("{s:o,s:I,s:s,s:s,s:o,s:o}", "by", utf8_string(name),
	    "uid", (json_int_t)t.approval.by, "as", t.approval.as, "at", at,
	    "comment", utf8_string(t.approval.comment), "why",
	    utf8_string(t.approval.why));
}

void
approval_name(uid_t uid, char *out, size_t size)
{
	struct account a;

	if (account_of(uid, &a) == 0)
		(void)strlcpy(out, a.name, size);
	else
		(void)snprintf(out, size, "uid %u", uid);
}
