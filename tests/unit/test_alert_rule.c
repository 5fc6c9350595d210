/* SPDX-License-Identifier: ISC */
/* Which alerts are told, and what an answer of a receiver means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "alertd/alertd.h"
#include "alertd/rule.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND_US 1000000ll

static const struct alert trouble = {
    .type = "queue-depth",
    .component = "watchdog",
    .subject = "MAIN",
    .severity = ALERT_WARNING,
    .text = "deep",
};

static struct rule_times
at(int64_t second)
{
	return (struct rule_times){
	    .now_us = (1000 + second) * SECOND_US,
	    .dedupe_ms = 300000,
	    .forget_ms = 86400000,
	};
}

static enum rule_verdict
judge(struct rule_table *t, const struct alert *a, int64_t second,
    int64_t *repeats)
{
	struct rule_times when = at(second);
	int64_t ignored;

	return rule_judge(t, a, &when, false,
	    repeats == NULL ? &ignored : repeats);
}

static void
a_repeat_within_the_time_is_counted_not_told(void **state)
{
	struct rule_table t;
	int64_t repeats;

	(void)state;
	rule_open(&t);
	assert_int_equal(judge(&t, &trouble, 0, &repeats), RULE_TELL);
	assert_int_equal(repeats, 0);
	assert_int_equal(judge(&t, &trouble, 1, NULL), RULE_SUPPRESS);
	assert_int_equal(judge(&t, &trouble, 299, NULL), RULE_SUPPRESS);
	assert_int_equal(judge(&t, &trouble, 300, &repeats), RULE_TELL);
	assert_int_equal(repeats, 2);
	assert_int_equal(judge(&t, &trouble, 301, NULL), RULE_SUPPRESS);
	assert_int_equal(judge(&t, &trouble, 700, &repeats), RULE_TELL);
	assert_int_equal(repeats, 1);
	assert_int_equal(TAILQ_FIRST(&t.entries)->count, 6);
	rule_close(&t);
}

static void
only_type_component_and_subject_make_a_repeat(void **state)
{
	struct alert other = trouble;
	struct rule_table t;

	(void)state;
	rule_open(&t);
	assert_int_equal(judge(&t, &trouble, 0, NULL), RULE_TELL);
	other.type = "stale-patch";
	assert_int_equal(judge(&t, &other, 1, NULL), RULE_TELL);
	other = trouble;
	other.component = "executor@MAIN";
	assert_int_equal(judge(&t, &other, 1, NULL), RULE_TELL);
	other = trouble;
	other.subject = "CYOPS";
	assert_int_equal(judge(&t, &other, 1, NULL), RULE_TELL);
	other = trouble;
	other.text = "other words";
	other.id = "an id";
	assert_int_equal(judge(&t, &other, 1, NULL), RULE_SUPPRESS);
	assert_int_equal(t.count, 4);
	rule_close(&t);
}

static void
worse_is_told_at_once(void **state)
{
	struct alert worse = trouble;
	struct rule_table t;

	(void)state;
	worse.severity = ALERT_CRITICAL;
	rule_open(&t);
	assert_int_equal(judge(&t, &trouble, 0, NULL), RULE_TELL);
	assert_int_equal(judge(&t, &worse, 1, NULL), RULE_TELL);
	assert_int_equal(judge(&t, &worse, 2, NULL), RULE_SUPPRESS);
	assert_int_equal(judge(&t, &trouble, 3, NULL), RULE_SUPPRESS);
	rule_close(&t);
}

static void
the_end_is_told_only_of_what_was_known(void **state)
{
	struct alert end = trouble;
	struct rule_table t;

	(void)state;
	end.resolved = true;
	rule_open(&t);
	assert_int_equal(judge(&t, &end, 0, NULL), RULE_IGNORE);
	assert_int_equal(t.count, 0);
	assert_int_equal(judge(&t, &trouble, 1, NULL), RULE_TELL);
	assert_int_equal(judge(&t, &end, 2, NULL), RULE_RESOLVE);
	rule_drop(&t, TAILQ_FIRST(&t.entries));
	/* A new episode is told at once. */
	assert_int_equal(judge(&t, &trouble, 3, NULL), RULE_TELL);
	rule_close(&t);
}

static void
a_clock_set_back_silences_nothing(void **state)
{
	struct rule_table t;

	(void)state;
	rule_open(&t);
	assert_int_equal(judge(&t, &trouble, 900, NULL), RULE_TELL);
	assert_int_equal(judge(&t, &trouble, 10, NULL), RULE_TELL);
	assert_int_equal(judge(&t, &trouble, 20, NULL), RULE_SUPPRESS);
	rule_close(&t);
}

static void
what_was_told_before_a_crash_is_not_a_repeat(void **state)
{
	struct rule_times when = at(1);
	struct rule_table t;
	int64_t repeats;

	(void)state;
	rule_open(&t);
	assert_int_equal(judge(&t, &trouble, 0, NULL), RULE_TELL);
	assert_int_equal(rule_judge(&t, &trouble, &when, true, &repeats),
	    RULE_TELL);
	rule_close(&t);
}

static void
the_table_survives_a_restart(void **state)
{
	struct rule_table before, after;
	json_t *saved, *again;
	int64_t repeats;

	(void)state;
	rule_open(&before);
	rule_open(&after);
	assert_int_equal(judge(&before, &trouble, 0, NULL), RULE_TELL);
	assert_int_equal(judge(&before, &trouble, 1, NULL), RULE_SUPPRESS);
	saved = rule_encode(&before);
	assert_int_equal(rule_decode(&after, saved), 0);
	again = rule_encode(&after);
	assert_true(json_equal(saved, again));
	assert_int_equal(judge(&after, &trouble, 2, NULL), RULE_SUPPRESS);
	assert_int_equal(judge(&after, &trouble, 400, &repeats), RULE_TELL);
	assert_int_equal(repeats, 2);
	json_decref(saved);
	json_decref(again);
	rule_close(&before);
	rule_close(&after);
}

static void
old_and_surplus_entries_give_way(void **state)
{
	struct alert a = trouble;
	struct rule_times soon = at(1010);
	struct rule_times later = at(90000);
	struct rule_table t;
	char subject[32];
	int i;

	(void)state;
	a.subject = subject;
	rule_open(&t);
	for (i = 0; i < RULE_ENTRIES + 10; i++) {
		(void)snprintf(subject, sizeof subject, "s%d", i);
		(void)judge(&t, &a, i, NULL);
	}
	rule_forget(&t, &soon);
	assert_int_equal(t.count, RULE_ENTRIES);
	assert_null(rule_find(&t, a.type, a.component, "s9"));
	assert_non_null(rule_find(&t, a.type, a.component, "s10"));
	rule_forget(&t, &later);
	assert_int_equal(t.count, 0);
	rule_close(&t);
}

static void
every_status_has_its_meaning(void **state)
{
	long code;

	(void)state;
	for (code = 100; code <= 599; code++) {
		enum answer want = ANSWER_NEVER;

		if (code >= 200 && code < 300)
			want = ANSWER_OK;
		else if (code < 200 || code >= 500 || code == 408 ||
			 code == 429)
			want = ANSWER_LATER;
		assert_int_equal(webhook_judge(code, true, true), want);
		/* A head that broke off says nothing. */
		assert_int_equal(webhook_judge(code, false, true),
		    ANSWER_UNKNOWN);
		assert_int_equal(webhook_judge(code, false, false),
		    ANSWER_LATER);
	}
	assert_int_equal(webhook_judge(0, false, false), ANSWER_LATER);
	assert_int_equal(webhook_judge(0, false, true), ANSWER_UNKNOWN);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_repeat_within_the_time_is_counted_not_told),
	    cmocka_unit_test(only_type_component_and_subject_make_a_repeat),
	    cmocka_unit_test(worse_is_told_at_once),
	    cmocka_unit_test(the_end_is_told_only_of_what_was_known),
	    cmocka_unit_test(a_clock_set_back_silences_nothing),
	    cmocka_unit_test(what_was_told_before_a_crash_is_not_a_repeat),
	    cmocka_unit_test(the_table_survives_a_restart),
	    cmocka_unit_test(old_and_surplus_entries_give_way),
	    cmocka_unit_test(every_status_has_its_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
