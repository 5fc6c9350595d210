/* SPDX-License-Identifier: ISC */
/* Documents of the spool: round trips, and every way to be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/alert.h"
#include "common/outcome.h"
#include "common/request.h"
#include "common/text.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
make_envelope(struct envelope *e)
{
	static char chat[] = "transcript:chat", talk[] = "talk 7";
	static char message[] = "m1", author[] = "gr\xc3\xbc\xc3\x9f";

	*e = (struct envelope){.id = "fix login",
	    .queue = "MAIN",
	    .attempt = 3,
	    .source = chat,
	    .conversation = talk,
	    .message_id = message,
	    .author = author,
	    .uid = 1000,
	    .detected_us = 1764000000123000,
	    .queued_us = 1764000000456000};
	key_make(1764000000000001, e->id, e->key);
	memset(e->digest, 'a', DIGEST_SIZE - 1);
}

static json_t *
make_job(void)
{
	struct job j = {0};
	json_t *doc;

	make_envelope(&j.env);
	j.patch = json_pack("{s:s}", "id", "fix login");
	j.warnings = json_pack("[s]", "no target");
	doc = job_encode(&j);
	json_decref(j.patch);
	json_decref(j.warnings);
	return doc;
}

static void
assert_same_envelope(const struct envelope *a, const struct envelope *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->queue, b->queue);
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->digest, b->digest);
	assert_string_equal(a->source, b->source);
	assert_string_equal(a->conversation, b->conversation);
	assert_string_equal(a->message_id, b->message_id);
	assert_string_equal(a->author, b->author);
	assert_int_equal(a->attempt, b->attempt);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->detected_us, b->detected_us);
	assert_int_equal(a->queued_us, b->queued_us);
}

static void
reads_back_every_field_of_a_job(void **state)
{
	struct envelope want, copy;
	json_t *doc = make_job(), *again;
	struct job j;

	(void)state;
	make_envelope(&want);
	assert_int_equal(job_decode(doc, &j), 0);
	assert_same_envelope(&j.env, &want);
	again = job_encode(&j);
	assert_true(json_equal(doc, again));
	envelope_copy(&copy, &j.env);
	job_free(&j);
	assert_same_envelope(&copy, &want);
	envelope_free(&copy);
	json_decref(again);
	json_decref(doc);
}

static void
refuses_a_job_without_any_one_field(void **state)
{
	json_t *doc = make_job();
	const char *field;
	json_t *value;
	struct job j;

	(void)state;
	json_object_foreach (doc, field, value) {
		json_t *less = json_copy(doc), *null = json_copy(doc);

		(void)json_object_del(less, field);
		assert_int_equal(job_decode(less, &j), -1);
		assert_int_equal(errno, EINVAL);
		(void)json_object_set_new(null, field, json_null());
		assert_int_equal(job_decode(null, &j), -1);
		json_decref(less);
		json_decref(null);
	}
	json_decref(doc);
}

static void
refuses_a_job_with_a_wrong_field(void **state)
{
	static const struct {
		const char *field, *json;
	} cases[] = {
	    {"format", "\"patchflow-job-2\""},
	    {"extra", "1"},
	    {"id", "\"\""},
	    {"id", "\"other\""}, /* not the key's */
	    {"id", "\"fix login\\u0000x\""},
	    {"queue", "\"../x\""},
	    {"queue", "\"inbox\""},
	    {"key", "\"../../etc\""},
	    {"key", "\"1764000000000001-fix_login-00000000\""},
	    {"attempt", "0"},
	    {"attempt", "10000"},
	    {"attempt", "1.5"},
	    {"attempt", "\"1\""},
	    {"digest", "\"abc\""},
	    {"digest", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""},
	    {"uid", "-1"},
	    {"uid", "4294967295"},
	    {"detected_at", "\"yesterday\""},
	    {"queued_at", "0"},
	    {"patch", "[]"},
	    {"warnings", "{}"},
	    {"warnings", "[1]"},
	};
	struct job j;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *doc = make_job();

		(void)json_object_set_new(doc, cases[i].field,
		    json_loads(cases[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL,
			NULL));
		if (job_decode(doc, &j) != -1)
			fail_msg("took %s: %s", cases[i].field, cases[i].json);
		json_decref(doc);
	}
	assert_int_equal(job_decode(NULL, &j), -1);
	job_free(&j);
}

static void
says_each_outcome_in_words(void **state)
{
	static const struct {
		enum outcome_state state;
		enum outcome_stage stage;
		enum outcome_reason reason;
		const char *want;
	} cases[] = {
	    {OUTCOME_COMPLETED, 0, 0, "completed"},
	    {OUTCOME_UNDONE, 0, 0, "undone"},
	    {OUTCOME_FAILED, OUTCOME_VALIDATION, 0, "failed (validation)"},
	    {OUTCOME_FAILED, OUTCOME_CRASHED, 0, "failed (crashed)"},
	    {OUTCOME_REJECTED, 0, OUTCOME_ID_CONFLICT,
		"rejected (id-conflict)"},
	    {OUTCOME_REJECTED, 0, OUTCOME_BY_OPERATOR,
		"rejected (by-operator)"},
	};
	struct envelope e;
	struct outcome o;

	(void)state;
	make_envelope(&e);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *doc = outcome_new(&e, cases[i].state, cases[i].stage,
		    cases[i].reason);

		(void)json_object_set_new(doc, "hint", json_string("free"));
		assert_int_equal(outcome_decode(doc, &o), 0);
		assert_same_envelope(&o.env, &e);
		assert_int_equal(o.stage, cases[i].stage);
		assert_int_equal(o.reason, cases[i].reason);
		assert_string_equal(outcome_words(&o), cases[i].want);
		assert_ptr_equal(o.doc, doc);
		outcome_free(&o);
		json_decref(doc);
	}
}

static void
refuses_outcomes_that_contradict_themselves(void **state)
{
	static const struct {
		const char *state, *stage, *reason;
	} cases[] = {
	    {"failed", NULL, NULL},
	    {"failed", "", NULL},
	    {"failed", "validation", "invalid"},
	    {"rejected", NULL, NULL},
	    {"rejected", "mutation", "invalid"},
	    {"completed", "mutation", NULL},
	    {"undone", NULL, "invalid"},
	    {"done", NULL, NULL},
	    {NULL, NULL, NULL},
	};
	struct envelope e;
	struct outcome o;

	(void)state;
	make_envelope(&e);
	for (size_t i = 0; i < LENGTH(cases); i++) {
		json_t *doc = outcome_new(&e, OUTCOME_COMPLETED, 0, 0);

		(void)json_object_del(doc, "state");
		if (cases[i].state != NULL)
			(void)json_object_set_new(doc, "state",
			    json_string(cases[i].state));
		if (cases[i].stage != NULL)
			(void)json_object_set_new(doc, "stage",
			    json_string(cases[i].stage));
		if (cases[i].reason != NULL)
			(void)json_object_set_new(doc, "reason",
			    json_string(cases[i].reason));
		assert_int_equal(outcome_decode(doc, &o), -1);
		assert_int_equal(errno, EINVAL);
		json_decref(doc);
	}
}

static void
writes_text_that_is_no_utf8(void **state)
{
	static char raw[] = "caf\xe9";
	struct envelope e;
	json_t *doc = json_object();

	(void)state;
	make_envelope(&e);
	e.author = raw;
	e.conversation = NULL;
	envelope_encode(&e, doc);
	assert_string_equal(json_string_value(json_object_get(doc, "author")),
	    "caf?");
	assert_string_equal(
	    json_string_value(json_object_get(doc, "conversation")), "");
	json_decref(doc);
	doc = text_json_cut("a\xe2\x82\xac", 3);
	assert_string_equal(json_string_value(doc), "a");
	json_decref(doc);
	doc = text_json_cut("a\xe2\x82\xac", 4);
	assert_string_equal(json_string_value(doc), "a\xe2\x82\xac");
	json_decref(doc);
}

static void
reads_back_alerts(void **state)
{
	struct alert a = {.type = "put-failed",
	    .component = "ghost-bridge",
	    .subject = "MAIN",
	    .severity = ALERT_CRITICAL,
	    .text = "no space",
	    .id = "fix",
	    .resolved = true};
	struct alert b;
	json_t *doc = alert_encode(&a);

	(void)state;
	assert_int_equal(alert_decode(doc, &b), 0);
	assert_string_equal(b.type, a.type);
	assert_string_equal(b.text, a.text);
	assert_null(b.queue);
	assert_string_equal(b.id, "fix");
	assert_int_equal(b.severity, ALERT_CRITICAL);
	assert_true(b.resolved);
	(void)json_object_set_new(doc, "severity", json_string("loud"));
	assert_int_equal(alert_decode(doc, &b), -1);
	(void)json_object_set_new(doc, "severity", json_string("info"));
	assert_int_equal(alert_decode(doc, &b), 0);
	(void)json_object_set_new(doc, "more", json_true());
	assert_int_equal(alert_decode(doc, &b), -1);
	json_decref(doc);
}

static void
reads_back_requests(void **state)
{
	static const struct {
		const char *id;
		enum request_verb verb;
		int want;
	} cases[] = {
	    {"fix", REQUEST_RETRY, 0},
	    {"a b", REQUEST_HOLD, 0},
	    {"", REQUEST_CANCEL, -1},
	    {"", REQUEST_PAUSE, 0},
	    {"fix", REQUEST_RESUME, -1},
	};
	struct request back;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct request r = {.verb = cases[i].verb, .reason = "why"};
		json_t *doc;

		(void)strlcpy(r.id, cases[i].id, sizeof(r.id));
		doc = request_encode(&r);
		assert_int_equal(request_decode(doc, &back), cases[i].want);
		if (cases[i].want == 0) {
			assert_int_equal(back.verb, r.verb);
			assert_string_equal(back.id, r.id);
			assert_string_equal(back.reason, "why");
		}
		(void)json_object_set_new(doc, "verb", json_string("explode"));
		assert_int_equal(request_decode(doc, &back), -1);
		json_decref(doc);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_back_every_field_of_a_job),
	    cmocka_unit_test(refuses_a_job_without_any_one_field),
	    cmocka_unit_test(refuses_a_job_with_a_wrong_field),
	    cmocka_unit_test(says_each_outcome_in_words),
	    cmocka_unit_test(refuses_outcomes_that_contradict_themselves),
	    cmocka_unit_test(writes_text_that_is_no_utf8),
	    cmocka_unit_test(reads_back_alerts),
	    cmocka_unit_test(reads_back_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
