/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/instant.h"

static void
seconds_count_before_their_parts(void **state)
{
	static const struct {
		struct timespec later, earlier;
	} rows[] = {
	    {{2, 0}, {1, 0}},
	    {{2, 0}, {1, 999999999}},
	    {{1, 1}, {1, 0}},
	    {{1, 999999999}, {1, 999999998}},
	    {{0, 0}, {-1, 999999999}}, /* before 1970 */
	    {{INT64_C(1) << 32, 0}, {1, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(instant_is_after(&rows[i].later, &rows[i].earlier));
		assert_false(
		    instant_is_after(&rows[i].earlier, &rows[i].later));
	}
}

static void
the_same_time_is_not_after(void **state)
{
	const struct timespec a = {1764000000, 5}, b = a;

	(void)state;
	assert_false(instant_is_after(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seconds_count_before_their_parts),
	    cmocka_unit_test(the_same_time_is_not_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
