/* SPDX-License-Identifier: ISC */
/* Counters and holds of single patches. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "executor/tries.h"
#include "executor/utf8.h"

#define FORMAT "patchflow-tries-1"
#define FIRST_MS 2000
#define LAST_MS 60000
#define AHEAD_MAX_US (3600 * 1000000LL)

static void
file_name(const char *key, char out[NAME_SIZE])
{
	if (snprintf(out, NAME_SIZE, "%s.json", key) < 0)
		out[0] = '\0';
}

static void
copy(const json_t *doc, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(doc, key));

	(void)strlcpy(out, s != NULL ? s : "", size);
}

static void
load_approval(const json_t *doc, struct approval *a)
{
	copy(doc, "digest", a->digest, sizeof(a->digest));
	copy(doc, "why", a->why, sizeof(a->why));
	copy(doc, "comment", a->comment, sizeof(a->comment));
	copy(doc, "as", a->as, sizeof(a->as));
	a->attempt = (int)json_integer_value(json_object_get(doc, "attempt"));
	a->asked_us = json_integer_value(json_object_get(doc, "asked_us"));
	a->of_changes = json_is_true(json_object_get(doc, "of_changes"));
	a->granted = json_is_true(json_object_get(doc, "granted"));
	a->by = (uid_t)json_integer_value(json_object_get(doc, "by"));
	a->at_us = json_integer_value(json_object_get(doc, "at_us"));
}

static json_t *
encode_approval(const struct approval *a)
{
	if (a->digest[0] == '\0')
		return NULL;
	return json_pack("{s:s,s:i,s:o,s:I,s:b,s:b,s:I,s:s,s:I,s:o}", "digest",
	    a->digest, "attempt", a->attempt, "why", utf8_string(a->why),
	    "asked_us", (json_int_t)a->asked_us, "of_changes", a->of_changes,
	    "granted", a->granted, "by", (json_int_t)a->by, "as", a->as,
	    "at_us", (json_int_t)a->at_us, "comment", utf8_string(a->comment));
}

int
tries_load(const struct state *s, const char *key, struct tries *t)
{
	char name[NAME_SIZE];
	json_t *doc = NULL;
	int found;

	memset(t, 0, sizeof(*t));
	file_name(key, name);
	found = state_load(s, name, FORMAT, &doc);
	/* A broken one is set aside: counting begins anew. */
	if (found == -1 && errno == EBADMSG)
		return 0;
	if (found != 1)
		return found;
	t->attempt = (int)json_integer_value(json_object_get(doc, "attempt"));
	t->crashes = (int)json_integer_value(json_object_get(doc, "crashes"));
	t->requeues = (int)json_integer_value(json_object_get(doc, "requeues"));
	t->not_before_us =
	    json_integer_value(json_object_get(doc, "not_before_us"));
	t->operator_hold = json_is_true(json_object_get(doc, "hold"));
	copy(doc, "last_death", t->last_death, sizeof(t->last_death));
	load_approval(json_object_get(doc, "approval"), &t->approval);
	/* The clock may have been set back since. */
	if (t->not_before_us > clock_wall_us() + AHEAD_MAX_US)
		t->not_before_us = 0;
	json_decref(doc);
	return 0;
}

enum spool_answer
tries_save(const struct state *s, const char *key, const struct tries *t)
{
	char name[NAME_SIZE];
	json_t *doc = json_pack("{s:s,s:i,s:i,s:i,s:I,s:b,s:s,s:o*}", "format",
	    FORMAT, "attempt", t->attempt, "crashes", t->crashes, "requeues",
	    t->requeues, "not_before_us", (json_int_t)t->not_before_us, "hold",
	    t->operator_hold, "last_death", t->last_death, "approval",
	    encode_approval(&t->approval));
	enum spool_answer answer;

	file_name(key, name);
	answer = state_save(s, name, doc);
	json_decref(doc);
	return answer;
}

void
tries_forget(const struct state *s, const char *key)
{
	char name[NAME_SIZE];

	file_name(key, name);
	/* What stays behind is only a count of an attempt that is over. */
	if (spool_exists(s->dir, name) && state_remove(s, name) != SPOOL_DONE)
		return;
}

void
tries_begin(struct tries *t, int attempt)
{
	t->attempt = attempt;
	t->crashes = t->requeues = 0;
	t->last_death[0] = '\0';
}

int64_t
tries_delay_ms(int n)
{
	int64_t ms = FIRST_MS;

	while (n-- > 1 && ms < LAST_MS)
		ms *= 2;
	return ms < LAST_MS ? ms : LAST_MS;
}
