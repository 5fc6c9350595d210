/* SPDX-License-Identifier: ISC */
/* Rules: commands by regular expression, paths by glob, sizes by number. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/glob.h"
#include "executor/policy.h"

#define SHOWN 160 /* bytes of a command in a reason */

static enum policy
verdict_of(const struct rule_settings *r)
{
	return strcmp(r->action, "deny") == 0   ? POLICY_DENY
	       : strcmp(r->action, "hold") == 0 ? POLICY_HOLD
						: POLICY_RUN;
}

/* Does it count? Noted, too. */
static bool
may_hold(const struct policy_source *s, const struct rule_settings *r)
{
	size_t i = (size_t)(r - s->queue->rules);

	if (s->holds != NULL)
		s->holds[i] = true;
	return s->past == NULL || !s->past[i];
}

/* The strictest wins; of equals the first gives the reason. */
static void
weigh(struct policy_answer *a, const struct policy_source *s,
    const struct rule_settings *r, const char *what)
{
	enum policy v = verdict_of(r);

	if ((v == POLICY_HOLD && !may_hold(s, r)) || v <= a->verdict)
		return;
	a->verdict = v;
	if (snprintf(a->why, sizeof(a->why), "%s: %s:%d: %s", what, s->file,
		r->line, r->action) < 0)
		a->why[0] = '\0';
}

bool
policy_is_set(const struct queue_settings *q)
{
	return q->rule_count > 0 ||
	       (q->approve != NULL && strcmp(q->approve, "never") != 0);
}

/* A command is allowed only as a whole; held or denied for any part. */
static bool
matches(const struct rule_settings *r, const char *command)
{
	bool whole = verdict_of(r) == POLICY_RUN;
	regmatch_t at;
	regex_t re;
	bool hit;

	if (regcomp(&re, r->command, REG_EXTENDED) != 0)
		return !whole; /* checked at start; a doubt is no leave */
	hit =
	    regexec(&re, command, 1, &at, 0) == 0 &&
	    (!whole || (at.rm_so == 0 && (size_t)at.rm_eo == strlen(command)));
	regfree(&re);
	return hit;
}

static void
judge_command(const struct policy_source *s, const char *command,
    struct policy_answer *a)
{
	const struct queue_settings *q = s->queue;
	char what[SHOWN + 32];

	(void)snprintf(what, sizeof(what), "command `%.*s'", SHOWN, command);
	for (size_t i = 0; i < q->rule_count; i++) {
		if (q->rules[i].command[0] == '\0' ||
		    !matches(&q->rules[i], command))
			continue;
		weigh(a, s, &q->rules[i], what);
		return;
	}
	if (strcmp(q->approve, "never") == 0 || a->verdict != POLICY_RUN)
		return;
	a->verdict = POLICY_HOLD;
	(void)snprintf(a->why, sizeof(a->why), "%s: approve is %s", what,
	    q->approve);
}

/* Whoever names a directory to be taken away takes what is in it, too. */
static bool
holds(const char *path, const char *glob)
{
	size_t len = strlen(path);

	return strncmp(glob, path, len) == 0 && glob[len] == '/';
}

static void
judge_path(const struct policy_source *s, const char *path, bool whole,
    struct policy_answer *a)
{
	const struct queue_settings *q = s->queue;
	char *what;

	for (size_t i = 0; i < q->rule_count; i++) {
		const struct rule_settings *r = &q->rules[i];

		if (r->path[0] == '\0' ||
		    (!glob_covers(r->path, path) &&
			(!whole || verdict_of(r) == POLICY_RUN ||
			    !holds(path, r->path))))
			continue;
		what = xasprintf("path %.*s", SHOWN, path);
		weigh(a, s, r, what);
		free(what);
		return;
	}
}

void
policy_of_size(const struct policy_source *s, int64_t files, int64_t bytes,
    struct policy_answer *a)
{
	const struct queue_settings *q = s->queue;
	char what[64];

	for (size_t i = 0; i < q->rule_count; i++) {
		const struct rule_settings *r = &q->rules[i];

		if (r->files > 0 && files > r->files) {
			(void)snprintf(what, sizeof(what), "%lld files",
			    (long long)files);
			weigh(a, s, r, what);
		}
		if (r->bytes > 0 && bytes > r->bytes) {
			(void)snprintf(what, sizeof(what), "%lld bytes",
			    (long long)bytes);
			weigh(a, s, r, what);
		}
	}
}

static int64_t
bytes_of(const struct plan_step *s)
{
	size_t bytes = s->text.len;

	for (size_t i = 0; i < s->edit_count; i++)
		bytes += s->edits[i].replace.len;
	return (int64_t)bytes;
}

static void
judge_step(const struct policy_source *s, const struct plan_step *step,
    struct policy_answer *a)
{
	if (step->kind == PLAN_COMMAND) {
		judge_command(s, step->to, a);
		return;
	}
	judge_path(s, step->path, true, a);
	if (step->kind == PLAN_RENAME)
		judge_path(s, step->to, true, a);
}

/* The summarizer writes it, but it is the patch that names the place. Where
 * that is none of the workspace the summarizer makes no copy. */
static void
judge_copy(const struct policy_source *s, const struct plan *p,
    struct policy_answer *a)
{
	const char *wanted =
	    json_string_value(json_object_get(p->final, "summaryFile"));
	struct fault none = {0};
	char *path;

	if (wanted == NULL)
		return;
	path = plan_path(s->queue, wanted, &none);
	if (path != NULL)
		judge_path(s, path, false, a);
	free(path);
	fault_free(&none);
}

void
policy_of_plan(const struct policy_source *s, const struct plan *p,
    struct policy_answer *a)
{
	json_t *paths = json_object();
	int64_t bytes = 0;

	*a = (struct policy_answer){0};
	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_step *step = &p->steps[i];

		judge_step(s, step, a);
		bytes += bytes_of(step);
		if (step->kind != PLAN_COMMAND)
			json_object_set_new_nocheck(paths, step->path,
			    json_null());
	}
	judge_copy(s, p, a);
	/* Gates are the queue's own. */
	for (size_t i = 0; i < p->command_count; i++) {
		if (p->commands[i].phase != PHASE_GATE)
			judge_command(s, p->commands[i].text, a);
	}
	policy_of_size(s, (int64_t)json_object_size(paths), bytes, a);
	json_decref(paths);
	if (a->verdict == POLICY_RUN &&
	    strcmp(s->queue->approve, "always") == 0) {
		a->verdict = POLICY_HOLD;
		(void)strlcpy(a->why, "approve is always", sizeof(a->why));
	}
}

void
policy_of_path(const struct policy_source *s, const char *path,
    struct policy_answer *a)
{
	judge_path(s, path, false, a);
}
