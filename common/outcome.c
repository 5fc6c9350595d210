/* SPDX-License-Identifier: ISC */
/* Outcomes: the words for states, and documents to structs and back. */
#include <errno.h>
#include <string.h>

#include "common/outcome.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

const char *const outcome_state_name[OUTCOME__STATES] = {
    [OUTCOME_COMPLETED] = "completed",
    [OUTCOME_UNDONE] = "undone",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_REJECTED] = "rejected",
};

const char *const outcome_stage_name[OUTCOME__STAGES] = {
    [OUTCOME_NO_STAGE] = "",
    [OUTCOME_PREPARE] = "prepare",
    [OUTCOME_MUTATION] = "mutation",
    [OUTCOME_COMMAND] = "command",
    [OUTCOME_VALIDATION] = "validation",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_LIMIT] = "limit",
    [OUTCOME_CONFLICT] = "conflict",
    [OUTCOME_CRASHED] = "crashed",
};

const char *const outcome_reason_name[OUTCOME__REASONS] = {
    [OUTCOME_NO_REASON] = "",
    [OUTCOME_MALFORMED] = "malformed",
    [OUTCOME_INVALID] = "invalid",
    [OUTCOME_NOT_EXECUTABLE] = "not-executable",
    [OUTCOME_ID_CONFLICT] = "id-conflict",
    [OUTCOME_FORBIDDEN] = "forbidden",
    [OUTCOME_WRONG_BRANCH] = "wrong-branch",
    [OUTCOME_EXPIRED] = "expired",
    [OUTCOME_DEPENDENCY_FAILED] = "dependency-failed",
    [OUTCOME_BY_OPERATOR] = "by-operator",
};

static const char *const failed_words[] = {
    [OUTCOME_NO_STAGE] = "failed",
    [OUTCOME_PREPARE] = "failed (prepare)",
    [OUTCOME_MUTATION] = "failed (mutation)",
    [OUTCOME_COMMAND] = "failed (command)",
    [OUTCOME_VALIDATION] = "failed (validation)",
    [OUTCOME_TIMEOUT] = "failed (timeout)",
    [OUTCOME_LIMIT] = "failed (limit)",
    [OUTCOME_CONFLICT] = "failed (conflict)",
    [OUTCOME_CRASHED] = "failed (crashed)",
};
_Static_assert(LENGTH(failed_words) == OUTCOME__STAGES, "a word a stage");

static const char *const rejected_words[] = {
    [OUTCOME_NO_REASON] = "rejected",
    [OUTCOME_MALFORMED] = "rejected (malformed)",
    [OUTCOME_INVALID] = "rejected (invalid)",
    [OUTCOME_NOT_EXECUTABLE] = "rejected (not-executable)",
    [OUTCOME_ID_CONFLICT] = "rejected (id-conflict)",
    [OUTCOME_FORBIDDEN] = "rejected (forbidden)",
    [OUTCOME_WRONG_BRANCH] = "rejected (wrong-branch)",
    [OUTCOME_EXPIRED] = "rejected (expired)",
    [OUTCOME_DEPENDENCY_FAILED] = "rejected (dependency-failed)",
    [OUTCOME_BY_OPERATOR] = "rejected (by-operator)",
};
_Static_assert(LENGTH(rejected_words) == OUTCOME__REASONS, "a word a reason");

json_t *
outcome_new(const struct envelope *e, enum outcome_state state,
    enum outcome_stage stage, enum outcome_reason reason)
{
	json_t *doc = json_object();

	(void)json_object_set_new(doc, "format", json_string(OUTCOME_FORMAT));
	envelope_encode(e, doc);
	(void)json_object_set_new(doc, "state",
	    json_string(outcome_state_name[state]));
	if (stage != OUTCOME_NO_STAGE)
		(void)json_object_set_new(doc, "stage",
		    json_string(outcome_stage_name[stage]));
	if (reason != OUTCOME_NO_REASON)
		(void)json_object_set_new(doc, "reason",
		    json_string(outcome_reason_name[reason]));
	return doc;
}

/*
 * The index of doc's word in names, from least on; absent where the field is
 * missing; -1 for anything else.
 */
static int
word(const json_t *doc, const char *field, const char *const *names, int count,
    int absent)
{
	const json_t *value = json_object_get(doc, field);
	const char *s = json_string_value(value);

	if (value == NULL)
		return absent;
	for (int i = 0; s != NULL && i < count; i++)
		if (names[i][0] != '\0' && strcmp(names[i], s) == 0)
			return i;
	return -1;
}

int
outcome_decode(json_t *doc, struct outcome *o)
{
	const char *format = json_string_value(json_object_get(doc, "format"));
	int state = word(doc, "state", outcome_state_name, OUTCOME__STATES, -1);
	int stage = word(doc, "stage", outcome_stage_name, OUTCOME__STAGES,
	    OUTCOME_NO_STAGE);
	int reason = word(doc, "reason", outcome_reason_name, OUTCOME__REASONS,
	    OUTCOME_NO_REASON);

	*o = (struct outcome){0};
	if (format == NULL || strcmp(format, OUTCOME_FORMAT) != 0 ||
	    state == -1 || stage == -1 || reason == -1 ||
	    (state == OUTCOME_FAILED) != (stage != OUTCOME_NO_STAGE) ||
	    (state == OUTCOME_REJECTED) != (reason != OUTCOME_NO_REASON)) {
		errno = EINVAL;
		return -1;
	}
	if (envelope_decode(doc, &o->env) == -1)
		return -1;
	o->state = (enum outcome_state)state;
	o->stage = (enum outcome_stage)stage;
	o->reason = (enum outcome_reason)reason;
	o->doc = json_incref(doc);
	return 0;
}

void
outcome_free(struct outcome *o)
{
	envelope_free(&o->env);
	json_decref(o->doc);
	*o = (struct outcome){0};
}

const char *
outcome_words(const struct outcome *o)
{
	switch (o->state) {
	case OUTCOME_FAILED:
		return failed_words[o->stage];
	case OUTCOME_REJECTED:
		return rejected_words[o->reason];
	case OUTCOME_COMPLETED:
	case OUTCOME_UNDONE:
		return outcome_state_name[o->state];
	case OUTCOME__STATES:
		break;
	}
	return "";
}
