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
#define SPAN_US (15 * MINUTE_US)

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

/* Strays are counted in *strays. */
static int
scan(struct index *x, const struct scratch *s, int64_t now_us, int *strays)
{
	const struct index_source from = {.dir = s->dir,
	    .now_us = now_us,
	    .ageing_us = SPAN_US,
	    .stray = count_stray,
	    .owner = strays};

	return index_scan(x, &from);
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
	assert_int_equal(scan(&x, &s, now, &strays), 0);
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
	assert_int_equal(scan(&x, &s, now, &strays), 0);
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
	assert_int_equal(scan(&x, &s, now, &strays), 0);
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

static void
ageing_bounds_the_digit(void **state)
{
	static const struct {
		int digit, spans, want;
	} cases[] = {{5, 0, 5}, {9, 0, 9}, {9, 1, 8}, {5, 4, 5}, {5, 5, 4},
	    {7, 8, 1}, {7, 9, 0}, {0, 3, 0}, {9, 1000, 0}, {3, -5, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(index_digit(cases[i].digit,
				     cases[i].spans * SPAN_US + 1, SPAN_US),
		    cases[i].want);
	/* Twice is as once: a name that was changed is not changed again. */
	for (int digit = 0; digit < 10; digit++)
		for (int64_t age = 0; age < 11 * SPAN_US; age += SPAN_US / 3) {
			int once = index_digit(digit, age, SPAN_US);

			assert_int_equal(index_digit(once, age, SPAN_US), once);
		}
}

static void
renames_what_has_aged(void **state)
{
	struct index x = {0};
	struct queue_name n;
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0;
	char file[NAME_SIZE];

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	put(&s, 9, now - 3 * SPAN_US - 1, "aged");
	put(&s, 5, now - 3 * SPAN_US - 1, "steady");
	assert_int_equal(scan(&x, &s, now, &strays), 0);
	assert_int_equal(index_rename(&x, s.dir), 1);
	assert_int_equal(index_rename(&x, s.dir), 0);
	assert_true(index_take(&x, &n));
	assert_memory_equal(slug(&n), "steady", 6);
	assert_true(index_take(&x, &n));
	assert_int_equal(n.digit, 6);
	key_queue_file(&n, file);
	assert_int_equal(faccessat(s.dir, file, F_OK, 0), 0);
	index_free(&x);
	scratch_close(&s);
}

static void
what_comes_back_stands_where_it_belongs(void **state)
{
	struct index x = {0};
	struct queue_name n = {.digit = 5, .attempt = 1}, first;
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0;

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	put(&s, 5, now - 9, "a");
	put(&s, 5, now - 7, "c");
	assert_int_equal(scan(&x, &s, now, &strays), 0);
	assert_true(index_take(&x, &first));
	key_make(now - 8, "b", n.key);
	index_put(&x, &n);
	key_make(now, "d", n.key);
	index_put(&x, &n);
	for (const char *want = "bcd"; *want != '\0'; want++) {
		assert_true(index_take(&x, &n));
		assert_int_equal(slug(&n)[0], *want);
	}
	assert_false(x.more);
	assert_int_equal(x.scans, 1);
	index_free(&x);
	scratch_close(&s);
}

/*
 * The lowest of all waits behind a stream of the highest that never ends: one
 * comes in for each that is taken. It is first after nine spans.
 */
static void
nothing_starves(void **state)
{
	struct index x = {0};
	struct queue_name n;
	struct scratch s;
	int64_t start = clock_wall_us(), now = start;
	int strays = 0, turns;
	bool low = false;
	char file[NAME_SIZE];

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	put(&s, 9, start, "low");
	for (turns = 0; turns < 100 && !low; turns++) {
		char id[16];

		now += SPAN_US / 5;
		(void)snprintf(id, sizeof(id), "high%d", turns);
		put(&s, 0, now, id);
		assert_int_equal(scan(&x, &s, now, &strays), 0);
		(void)index_rename(&x, s.dir);
		assert_true(index_take(&x, &n));
		low = strncmp(slug(&n), "low", 3) == 0;
		key_queue_file(&n, file);
		assert_int_equal(unlinkat(s.dir, file, 0), 0);
	}
	assert_true(low);
	assert_true(turns > 9 * 5 - 1 && turns <= 9 * 5 + 1);
	index_free(&x);
	scratch_close(&s);
}

/* Taking all of very many costs one scan for each INDEX_KEEP of them. */
static void
no_patch_costs_a_scan(void **state)
{
	const int all =
	    getenv("PATCHFLOW_LONG") != NULL ? 1000000 : INDEX_KEEP * 5;
	struct index x = {0};
	struct queue_name n, last = {0};
	struct scratch s;
	int64_t now = clock_wall_us();
	int strays = 0, taken = 0;
	char file[NAME_SIZE];

	(void)state;
	assert_int_equal(scratch_open_fast(&s), 0);
	for (int i = 0; i < all; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "n%06d", i);
		/* in no order, so that the directory gives none either */
		put(&s, 5, now - (i * 7919LL) % all, id);
	}
	while (scan(&x, &s, now, &strays) == 0 && x.count > 0)
		while (index_take(&x, &n)) {
			assert_true(strcmp(last.key, n.key) < 0);
			last = n;
			key_queue_file(&n, file);
			assert_int_equal(unlinkat(s.dir, file, 0), 0);
			taken++;
		}
	assert_int_equal(taken, all);
	assert_int_equal(x.scans,
	    all / INDEX_KEEP + (all % INDEX_KEEP > 0) + 1);
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
	    cmocka_unit_test(ageing_bounds_the_digit),
	    cmocka_unit_test(renames_what_has_aged),
	    cmocka_unit_test(what_comes_back_stands_where_it_belongs),
	    cmocka_unit_test(nothing_starves),
	    cmocka_unit_test(no_patch_costs_a_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
