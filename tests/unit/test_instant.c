/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "executor/instant.h"

#define START_US INT64_C(1764000000000000)

/* The clocks, and how long we are held up behind each of the next looks at the
 * one that is set. */
static int64_t wall_us = START_US, mono_ms = 1000, held_up_ms;
static int times;

static void
pass(int64_t ms)
{
	wall_us += ms * 1000;
	mono_ms += ms;
}

int64_t
clock_mono_ms(void)
{
	return mono_ms;
}

int64_t
clock_wall_us(void)
{
	int64_t now = wall_us;

	if (times-- > 0)
		pass(held_up_ms);
	return now;
}

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

static void
a_clock_is_set_back_by_somebody_and_not_by_a_pause(void **state)
{
	int64_t then = instant_ahead_us();

	(void)state;
	pass(3600000);
	assert_false(instant_was_set_back(then));
	times = 3;
	held_up_ms = 20;
	assert_false(instant_was_set_back(then));
	times = 3;
	assert_int_equal(instant_ahead_us(), then);
	wall_us -= 10000;
	assert_true(instant_was_set_back(then));
	wall_us += 20000;
	assert_false(instant_was_set_back(then));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seconds_count_before_their_parts),
	    cmocka_unit_test(the_same_time_is_not_after),
	    cmocka_unit_test(
		a_clock_is_set_back_by_somebody_and_not_by_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
