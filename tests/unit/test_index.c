/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/clock.h"
#include "executor/index.h"
#include "tests/unit/scratch.h"

#define MINUTE_US (60 * 1000000LL)

static void
put(const struct scratch *s, int digit, int64_t time_us, const char *id)
{
	struct queue_name n = {.digit = digit, .attempt = 1};
	char file[NAME_SIZE];

	key_make(time_us, id, n.key);
	key_queue_file(&n, file);
	assert_int_equal(scratch_file(s->dir, file, ""), 0);
}

static void
count_stray(void *owner, const char *name)
{
	(void)name;
	++*(int *)owner;
}

static const char *
slug(const struct queue_name *n)
{
	return n->key + 17;
}

static void
takes_the_lowest_digit_then_the_oldest(void **state)
{
	struct index x = {0};
	struct queue_name n;
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0;

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	put(&s, 5, now - 2, "old");
	put(&s, 5, now - 1, "young");
	put(&s, 1, now, "urgent");
	assert_int_equal(scratch_file(s.dir, "notes.txt", ""), 0);
	assert_int_equal(scratch_file(s.dir, ".hidden", ""), 0);
	assert_int_equal(index_scan(&x, s.dir, count_stray, &strays), 0);
	assert_int_equal(strays, 1);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "urgent", 6);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "old", 3);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "young", 5);
	assert_false(index_take(&x, &n));
	index_free(&x);
	scratch_close(&s);
}

static void
waiting_long_makes_anything_first(void **state)
{
	struct index x = {0};
	struct queue_name n;
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0;

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	put(&s, 0, now, "critical");
	put(&s, 9, now - 151 * MINUTE_US, "patient");
	put(&s, 9, now - 100 * MINUTE_US, "waiting");
	assert_int_equal(index_scan(&x, s.dir, count_stray, &strays), 0);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "patient", 7);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "critical", 8);
	index_free(&x);
	scratch_close(&s);
}

static void
keeps_the_best_of_very_many(void **state)
{
	const int all = INDEX_KEEP * 2 + 500;
	struct index x = {0};
	struct queue_name n;
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0, taken = 0;

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	for (int i = 0; i < all; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "n%06d", i);
		put(&s, 5, now - all + i, id);
	}
	assert_int_equal(index_scan(&x, s.dir, count_stray, &strays), 0);
	assert_true(x.more);
	assert_int_equal(x.count, INDEX_KEEP);
	while (index_take(&x, &n)) {
		char want[32];

		(void)snprintf(want, sizeof(want), "n%06d", taken++);
		assert_memory_equal(slug(&n), want, 7);
	}
	assert_int_equal(taken, INDEX_KEEP);
	index_free(&x);
	scratch_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_the_lowest_digit_then_the_oldest),
	    cmocka_unit_test(waiting_long_makes_anything_first),
	    cmocka_unit_test(keeps_the_best_of_very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
