/* SPDX-License-Identifier: ISC */
/*
 * When a box is listed, and when it is left alone. The clock, the box's times
 * and the moment behind a listing are the test's own.
 */
#include <sys/stat.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/clock.h"
#include "executor/executor.h"
#include "tests/unit/scratch.h"

#define SECOND 1000000LL
#define TICK                                                                   \
	100000LL /* of the filesystem's clock: as coarse as is believed        \
		  */
#define START (1764000000 * SECOND)
#define REQUEST "1764000000000000-r"

static struct {
	int64_t now_us, changed_us;
	int box;
	ino_t ino;
	int listings;
	bool comes; /* a request, behind the next listing */
} world;

int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __real_spool_list(int dir, size_t limit, struct spool_names *out);
int __wrap_spool_list(int dir, size_t limit, struct spool_names *out);
int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_mono_ms(void);

int64_t
__wrap_clock_wall_us(void)
{
	return world.now_us;
}

int64_t
__wrap_clock_mono_ms(void)
{
	return (world.now_us - START) / 1000;
}

int
__wrap_fstat(int fd, struct stat *st)
{
	int rc = fstatat(fd, "", st, AT_EMPTY_PATH);

	if (rc == 0 && st->st_ino == world.ino) {
		st->st_ctim.tv_sec = world.changed_us / SECOND;
		/* Not 0, which were a clock of seconds. */
		st->st_ctim.tv_nsec = world.changed_us % SECOND * 1000 + 1;
		st->st_mtim = st->st_ctim;
	}
	return rc;
}

/* Its name where files may be large. */
int
__wrap_fstat64(int fd, struct stat *st)
{
	return __wrap_fstat(fd, st);
}

/* What comes does so at its beginning, too late for it; then it takes a
 * second. */
int
__wrap_spool_list(int dir, size_t limit, struct spool_names *out)
{
	int rc = __real_spool_list(dir, limit, out);

	if (dir != world.box)
		return rc;
	world.listings++;
	if (world.comes) {
		assert_int_equal(scratch_file(dir, REQUEST, "no request"), 0);
		world.changed_us = world.now_us - world.now_us % TICK;
		world.now_us += SECOND;
		world.comes = false;
	}
	return rc;
}

struct fixture {
	struct scratch s;
	struct tree t;
	struct executor ex;
};

static int
open_fixture(void **state)
{
	static const char *const queue[] = {"MAIN"};
	struct fixture *f = calloc(1, sizeof(*f));
	char why[PATH_MAX];
	struct stat st;

	*state = f;
	if (f == NULL || scratch_open_fast(&f->s) == -1 ||
	    tree_open(&f->t, f->s.path, queue, 1, why) == -1)
		return -1;
	f->ex.tree = &f->t;
	f->ex.q = tree_queue(&f->t, "MAIN");
	world.box = f->ex.q->requests.dir[BOX_NEW];
	world.now_us = world.changed_us = START;
	world.listings = 0;
	if (fstat(world.box, &st) == -1)
		return -1;
	world.ino = st.st_ino;
	return 0;
}

static int
close_fixture(void **state)
{
	struct fixture *f = *state;

	world.ino = 0;
	tree_close(&f->t);
	scratch_close(&f->s);
	free(f);
	return 0;
}

static void
an_empty_box_is_left_alone_for_a_second(void **state)
{
	struct fixture *f = *state;

	world.now_us += 10 * SECOND;
	requests_take(&f->ex);
	requests_take(&f->ex);
	assert_int_equal(world.listings, 1);
	world.now_us += SECOND;
	requests_take(&f->ex);
	assert_int_equal(world.listings, 2);
	world.changed_us = world.now_us;
	requests_take(&f->ex);
	assert_int_equal(world.listings, 3);
}

/* However long ago the box had changed: in the same tick the request leaves no
 * trace in its times. */
static void
what_comes_behind_a_listing_is_seen_by_the_next_look(void **state)
{
	static const int64_t age_us[] = {0, 1, TICK - 1, TICK, TICK + 1,
	    10 * SECOND};
	const struct fixture *f = *state;
	struct executor ex = f->ex;

	for (size_t i = 0; i < sizeof(age_us) / sizeof(age_us[0]); i++) {
		world.changed_us = START;
		world.now_us = START + age_us[i];
		memset(ex.quiet, 0, sizeof(ex.quiet));
		world.comes = true;
		requests_take(&ex);
		assert_true(spool_exists(world.box, REQUEST));
		requests_take(&ex);
		if (spool_exists(world.box, REQUEST))
			fail_msg("not seen: changed %lld us before",
			    (long long)age_us[i]);
		assert_string_equal(ex.hold, "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		an_empty_box_is_left_alone_for_a_second, open_fixture,
		close_fixture),
	    cmocka_unit_test_setup_teardown(
		what_comes_behind_a_listing_is_seen_by_the_next_look,
		open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
