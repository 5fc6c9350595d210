/* SPDX-License-Identifier: ISC */
/* An empty box is not listed again while its times are those of before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "executor/quiet.h"
#include "tests/unit/scratch.h"

#define SECOND 1000000LL

static struct stat
look(int dir)
{
	struct stat st;

	assert_int_equal(fstat(dir, &st), 0);
	return st;
}

static int64_t
changed_us(const struct stat *st)
{
	return st->st_ctim.tv_sec * SECOND + st->st_ctim.tv_nsec / 1000;
}

/* Noted long after its last change, at the monotonic time 0. */
static struct quiet
noted(const struct stat *st)
{
	struct quiet q = {0};

	quiet_note(&q, st, changed_us(st) + 10 * SECOND, 0);
	return q;
}

static void
is_empty_for_a_second(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "box");
	struct stat st = look(dir);
	struct quiet q = noted(&st), never = {0};

	assert_true(quiet_holds(&q, dir, 0));
	assert_true(quiet_holds(&q, dir, 999));
	assert_false(quiet_holds(&q, dir, 1000));
	assert_false(quiet_holds(&never, dir, 0));
	(void)close(dir);
}

static void
is_over_when_anything_differs(void **state)
{
	struct scratch *s = *state;
	int dir = scratch_dir(s, "box");
	struct stat now = look(dir), old[6];
	struct quiet q;

	for (size_t i = 0; i < 6; i++)
		old[i] = now;
	old[0].st_ino++;
	old[1].st_dev++;
	old[2].st_mtim.tv_sec--;
	old[3].st_ctim.tv_sec--;
	old[4].st_ctim.tv_nsec ^= 1;
	old[5].st_mtim.tv_nsec ^= 1;
	for (size_t i = 0; i < 6; i++) {
		q = noted(&old[i]);
		assert_false(quiet_holds(&q, dir, 0));
	}
	(void)close(dir);
}

static void
is_not_believed_within_a_tick(void **state)
{
	static const struct {
		long ns;
		int64_t age_us;
		bool holds;
	} cases[] = {
	    {1, -10 * SECOND, false}, /* the clock was set back */
	    {1, 0, false},
	    {1, 99000, false},
	    {1, 101000, true},
	    {0, 101000, false}, /* it may know of seconds only */
	    {0, 2 * SECOND, false},
	    {0, 4 * SECOND, true},
	};
	struct scratch *s = *state;
	int dir = scratch_dir(s, "box");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stat st = look(dir);
		struct quiet q = {.until_ms = INT64_MAX};

		st.st_ctim.tv_nsec = cases[i].ns;
		quiet_note(&q, &st, changed_us(&st) + cases[i].age_us, 0);
		assert_int_equal(q.until_ms > 0, cases[i].holds);
	}
	(void)close(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(is_empty_for_a_second,
		scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(is_over_when_anything_differs,
		scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(is_not_believed_within_a_tick,
		scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
