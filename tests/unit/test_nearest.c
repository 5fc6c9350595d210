/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/nearest.h"

static void
counts_letters_between_words(void **state)
{
	static const struct {
		const char *a, *b;
		int want;
	} rows[] = {
	    {"", "", 0},
	    {"", "abc", 3},
	    {"spool", "spool", 0},
	    {"Spool", "sPOOL", 0},
	    {"spol", "spool", 1},
	    {"timeuot", "timeout", 1}, /* neighbours swapped */
	    {"kitten", "sitting", 3},
	    {"ab", "ba", 1},
	    {"queue", "quit", 3},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(nearest_distance(rows[i].a, rows[i].b),
		    rows[i].want);
		assert_int_equal(nearest_distance(rows[i].b, rows[i].a),
		    rows[i].want);
	}
}

static void
gives_up_on_long_words(void **state)
{
	static const char longer[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	(void)state;
	assert_int_equal(nearest_distance(longer, "a"), INT_MAX);
	assert_int_equal(nearest_distance("a", longer), INT_MAX);
}

static void
offers_only_what_is_nearer(void **state)
{
	int best = nearest_limit("stauts");

	(void)state;
	assert_false(nearest_offer("stauts", "alerts", &best));
	assert_false(nearest_offer("stauts", "queue", &best));
	assert_true(nearest_offer("stauts", "status", &best));
	assert_int_equal(best, 1);
	assert_false(nearest_offer("stauts", "start", &best));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_letters_between_words),
	    cmocka_unit_test(gives_up_on_long_words),
	    cmocka_unit_test(offers_only_what_is_nearer),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
