/* SPDX-License-Identifier: ISC */
/* Journals that are followed while they grow, are rotated and cut. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ctl/events.h"
#include "ctl/out.h"
#include "tests/unit/scratch.h"

static void
append(int dir, const char *name, int n)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_int_not_equal(fd, -1);
	assert_true(dprintf(fd, "{\"event\":\"e%d\"}\n", n) > 0);
	assert_int_equal(close(fd), 0);
}

/* One look: the events it finds, as text. */
static void
expect(struct events_follow *f, int dir, const char *want)
{
	struct events e = {0};
	char got[256] = "";

	assert_int_equal(events_more(&e, dir, f), 0);
	for (size_t i = 0; i < e.count; i++) {
		(void)strlcat(got, out_string(e.items[i].doc, "event"),
		    sizeof(got));
		(void)strlcat(got, " ", sizeof(got));
	}
	assert_string_equal(got, want);
	events_clear(&e);
}

static void
finds_what_comes_over_a_rotation(void **state)
{
	struct events_follow f = {0};
	struct scratch s;

	(void)state;
	assert_int_equal(scratch_open(&s), 0);
	append(s.dir, "a.log", 1);
	expect(&f, s.dir, "");
	append(s.dir, "a.log", 2);
	expect(&f, s.dir, "e2 ");
	append(s.dir, "a.log", 3);
	assert_int_equal(renameat(s.dir, "a.log", s.dir, "a.log.1"), 0);
	append(s.dir, "a.log", 4);
	expect(&f, s.dir, "e3 e4 ");
	append(s.dir, "a.log", 5);
	append(s.dir, "b.log", 6);
	expect(&f, s.dir, "e5 e6 ");
	events_follow_free(&f);
	scratch_close(&s);
}

static void
begins_a_file_that_was_cut_anew(void **state)
{
	struct events_follow f = {0};
	struct scratch s;
	int fd;

	(void)state;
	assert_int_equal(scratch_open(&s), 0);
	append(s.dir, "a.log", 1);
	append(s.dir, "a.log", 2);
	expect(&f, s.dir, "");
	fd = openat(s.dir, "a.log", O_WRONLY | O_TRUNC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "{\"event\":\"e3\"}\n{\"ev", 19), 19);
	expect(&f, s.dir, "e3 ");
	assert_int_equal(write(fd, "ent\":\"e4\"}\n", 11), 11);
	assert_int_equal(close(fd), 0);
	expect(&f, s.dir, "e4 ");
	events_follow_free(&f);
	scratch_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_comes_over_a_rotation),
	    cmocka_unit_test(begins_a_file_that_was_cut_anew),
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
