/* SPDX-License-Identifier: ISC */
/* The black box: the last records in order, of a bounded file, with a writer
 * that stops at any byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/deaths.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;

static json_t *
record(int64_t n)
{
	char tail[64];

	(void)snprintf(tail, sizeof tail, "last words of %lld\n", (long long)n);
	return json_pack("{s:I, s:s}", "n", (json_int_t)n, "tail", tail);
}

static int64_t
number(const json_t *all, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(all, i), key));
}

static off_t
size_of(void)
{
	struct stat st;

	assert_int_equal(fstatat(scratch.dir, DEATHS_FILE, &st, 0), 0);
	return st.st_size;
}

static void
the_last_are_kept_in_order(void **state)
{
	struct deaths d;
	json_t *all;
	int64_t n;
	size_t i;

	(void)state;
	assert_int_equal(deaths_open(&d, scratch.dir), 0);
	for (n = 1; n <= 3 * DEATHS_KEPT + 7; n++) {
		/* Every so often by another supervisor. */
		if (n % 100 == 0) {
			deaths_close(&d);
			assert_int_equal(deaths_open(&d, scratch.dir), 0);
		}
		assert_int_equal(deaths_add(&d, record(n)), 0);
		assert_int_equal(size_of(), DEATHS_KEPT * DEATHS_SLOT);
	}
	deaths_close(&d);
	all = deaths_read(scratch.dir);
	assert_int_equal(json_array_size(all), DEATHS_KEPT);
	for (i = 0; i < DEATHS_KEPT; i++) {
		assert_int_equal(number(all, i, "n"), 2 * DEATHS_KEPT + 8 + i);
		assert_int_equal(number(all, i, "seq"), number(all, i, "n"));
	}
	json_decref(all);
}

static void
a_write_cut_at_any_byte_costs_one_record(void **state)
{
	char was[DEATHS_SLOT], is[DEATHS_SLOT];
	const int64_t slot = (3 * DEATHS_KEPT + 8) % DEATHS_KEPT;
	struct deaths d;
	json_t *all;
	size_t k;
	int fd;

	(void)state;
	fd = openat(scratch.dir, DEATHS_FILE, O_RDWR);
	assert_int_equal(pread(fd, was, sizeof was, slot * DEATHS_SLOT),
	    DEATHS_SLOT);
	assert_int_equal(deaths_open(&d, scratch.dir), 0);
	assert_int_equal(deaths_add(&d, record(5000)), 0);
	assert_int_equal(pread(fd, is, sizeof is, slot * DEATHS_SLOT),
	    DEATHS_SLOT);
	for (k = 0; k <= 400; k += 8) {
		memcpy(was, is, k < 400 ? k : sizeof is);
		assert_int_equal(
		    pwrite(fd, was, sizeof was, slot * DEATHS_SLOT),
		    DEATHS_SLOT);
		all = deaths_read(scratch.dir);
		assert_true(json_array_size(all) >= DEATHS_KEPT - 1);
		json_decref(all);
	}
	all = deaths_read(scratch.dir);
	assert_int_equal(json_array_size(all), DEATHS_KEPT);
	assert_int_equal(number(all, DEATHS_KEPT - 1, "n"), 5000);
	json_decref(all);
	deaths_close(&d);
	(void)close(fd);
}

static void
a_long_tail_gives_way(void **state)
{
	char tail[DEATHS_SLOT];
	struct deaths d;
	json_t *all, *last;

	(void)state;
	memset(tail, '\n', sizeof tail - 1);
	tail[sizeof tail - 1] = '\0';
	assert_int_equal(deaths_open(&d, scratch.dir), 0);
	assert_int_equal(
	    deaths_add(&d, json_pack("{s:i, s:s}", "n", 6000, "tail", tail)),
	    0);
	deaths_close(&d);
	all = deaths_read(scratch.dir);
	last = json_array_get(all, json_array_size(all) - 1);
	assert_int_equal(json_integer_value(json_object_get(last, "n")), 6000);
	assert_string_equal(json_string_value(json_object_get(last, "tail")),
	    "");
	json_decref(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_are_kept_in_order),
	    cmocka_unit_test(a_write_cut_at_any_byte_costs_one_record),
	    cmocka_unit_test(a_long_tail_gives_way),
	};
	int failed;

	if (scratch_open(&scratch) == -1)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_close(&scratch);
	return failed;
}
