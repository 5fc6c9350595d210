/* SPDX-License-Identifier: ISC */
/* The reasons of commands that could not report them. */
#include <stdio.h>
#include <string.h>

#include "executor/reasons.h"
#include "executor/utf8.h"

static const char *
killed_by(const struct run *r)
{
	switch (r->end) {
	case RUN_CANCELLED:
		return "cancelled";
	case RUN_TIMED_OUT:
		return "timeout";
	case RUN_ON:
	case RUN_STOPPED:
		break;
	}
	return "killed";
}

static void
set_reason(json_t *command, const struct run *r, enum limit_kind over)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "limit:%s", limit_name[over]);
	json_object_set_new(command, "reason",
	    json_string(over != LIMIT_NONE ? text : killed_by(r)));
}

static json_t *
add_command(struct run *r, const char *phase, json_t *text)
{
	json_t *doc = json_pack("{s:s,s:o,s:n,s:n}", "phase", phase, "command",
	    text, "exit_code", "signal");

	if (r->commands == NULL)
		r->commands = json_array();
	json_array_append_new(r->commands, doc);
	return doc;
}

static bool
has_failed(const json_t *command)
{
	const json_t *code = json_object_get(command, "exit_code");

	return !json_is_integer(code) || json_integer_value(code) != 0 ||
	       json_is_true(json_object_get(command, "timed_out"));
}

/* The one that was running died with the worker; else a limit of the patch as
 * a whole is why the last one failed. */
static void
explain_last(struct run *r, enum limit_kind over)
{
	const json_t *running = r->running;
	json_t *last;

	if (running != NULL) {
		last = add_command(r,
		    json_string_value(json_object_get(running, "phase")),
		    json_incref(json_object_get(running, "text")));
		set_reason(last, r, over);
		return;
	}
	last = json_array_get(r->commands, json_array_size(r->commands) - 1);
	/* A shell may make nothing of what was killed below it. */
	if (last != NULL && over != LIMIT_NONE &&
	    (has_failed(last) || json_array_size(r->commands) == 1))
		set_reason(last, r, over);
}

/* The commands of a phase stand in their order, and the first failure ends
 * them: what is there beyond those that reported was not reached. */
static void
skip_one(struct run *r, enum plan_phase phase, const char *text,
    size_t left[PHASE__MAX])
{
	json_t *doc;

	if (left[phase] > 0) {
		left[phase]--;
		return;
	}
	doc = add_command(r, plan_phase_name[phase], utf8_string(text));
	json_object_set_new(doc, "reason", json_string("not-run"));
}

static void
skip_phase(struct run *r, enum plan_phase phase, size_t left[PHASE__MAX])
{
	const struct plan *p = &r->plan;

	for (size_t i = 0; phase == PHASE_MUTATION && i < p->step_count; i++) {
		if (p->steps[i].kind == PLAN_COMMAND)
			skip_one(r, phase, p->steps[i].to, left);
	}
	for (size_t i = 0; i < p->command_count; i++) {
		if (p->commands[i].phase == phase)
			skip_one(r, phase, p->commands[i].text, left);
	}
}

static void
add_unreached(struct run *r)
{
	size_t left[PHASE__MAX] = {0};
	const json_t *command;
	size_t i;

	json_array_foreach (r->commands, i, command) {
		const char *phase =
		    json_string_value(json_object_get(command, "phase"));

		for (int p = 0; phase != NULL && p < PHASE__MAX; p++) {
			if (strcmp(phase, plan_phase_name[p]) == 0)
				left[p]++;
		}
	}
	for (int p = 0; p < PHASE__MAX; p++)
		skip_phase(r, (enum plan_phase)p, left);
}

void
reasons_complete(struct run *r, enum limit_kind over)
{
	/* No jail: nothing was about to run. */
	if (r->jail.pid == -1)
		return;
	explain_last(r, over);
	add_unreached(r);
}
