/* SPDX-License-Identifier: ISC */
/*
 * Every system call of a commit failed and killed at every n, and of the
 * recovery after it again: the workspace is the before-image or the
 * after-image, and the after-image once COMMIT is there. A commit that
 * changes the workspace before its record is written is the control.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "executor/instant.h"
#include "tests/unit/fault.h"
#include "tests/unit/picture.h"
#include "tests/unit/world.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CALLS_MAX 500

/* 0 done, 1 refused before the record, 2 stopped behind it. */
static int
run_commit(void *arg)
{
	struct world *w = arg;
	struct commit c = world_commit(w);
	struct fault f = {0};
	struct record r;
	const char *at;
	int answer;

	world_record(w, &r);
	answer = commit_sync(&c, &r, &f);
	json_decref(r.outcome);
	if (answer == -1 || commit_check(&c, &w->diff.ops, &f) == -1 ||
	    commit_write(&c) != SPOOL_DONE)
		return 1;
	if (commit_apply(&c, &w->diff.ops, &at) == -1 ||
	    commit_harden(&c, &w->diff.ops) == -1 || commit_done(&w->txn) == -1)
		return 2;
	return 0;
}

/* The control: the workspace first, the record behind it. */
static int
run_swapped(void *arg)
{
	struct world *w = arg;
	struct commit c = world_commit(w);
	struct fault f = {0};
	struct record r;
	const char *at;
	int answer;

	world_record(w, &r);
	answer = commit_sync(&c, &r, &f);
	json_decref(r.outcome);
	if (answer == -1)
		return 1;
	if (commit_apply(&c, &w->diff.ops, &at) == -1)
		return 2;
	return commit_write(&c) != SPOOL_DONE || commit_done(&w->txn) == -1;
}

/* What recovery does: forward where there is a record. */
static int
run_recovery(void *arg)
{
	struct world *w = arg;
	struct commit c = world_commit(w);
	struct record r;
	enum commit_state state;
	const char *at;
	int found = commit_read(&w->txn, &r, &state);
	int answer = 0;

	if (found != 1)
		return found == 0 ? 0 : 3;
	if (state == COMMIT_FORWARD)
		answer = commit_apply(&c, &r.ops, &at) == -1 ||
			 commit_harden(&c, &r.ops) == -1 ||
			 commit_done(&w->txn) == -1;
	record_free(&r);
	return answer;
}

static bool
has_record(struct world *w)
{
	return spool_exists(w->txn.dir, "COMMIT") ||
	       spool_exists(w->txn.dir, "DONE");
}

static void
check(struct world *w, const char *after, long n, long m)
{
	int want = has_record(w) ? 1 : 0;
	int got;

	fault_set(FAULT_NONE, 0, 0);
	assert_int_equal(fault_child(run_recovery, w), 0);
	got = world_image(w, after);
	if (got != want)
		fail_msg("call %ld, then %ld: image %d, not %d", n, m, got,
		    want);
}

static char *
after_image(void)
{
	struct world w;
	char *after;

	world_open(&w);
	fault_set(FAULT_NONE, 0, 0);
	assert_int_equal(run_commit(&w), 0);
	after = picture(w.ws.path);
	assert_string_not_equal(after, w.before);
	world_close(&w);
	return after;
}

static void
makes_the_operations_of_the_layer(void **state)
{
	static const char *const want[] = {"put a", "meta dir", "put dir/b",
	    "delete dir/sub/c", "put file", "delete link", "put ln", "put new",
	    "put swap", "delete tree"};
	static const char *const kind[] = {"put", "delete", "meta"};
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(w.diff.ops.count, LENGTH(want));
	for (size_t i = 0; i < LENGTH(want); i++) {
		const struct op *o = &w.diff.ops.items[i];
		char *got = xasprintf("%s %s", kind[o->kind], o->path);

		assert_string_equal(got, want[i]);
		free(got);
	}
	world_close(&w);
}

static void
sweep(enum fault_mode mode)
{
	char *after = after_image();
	long n;

	for (n = 1; n < CALLS_MAX; n++) {
		struct world w;
		int status;

		world_open(&w);
		fault_set(mode, n, EIO);
		status = fault_child(run_commit, &w);
		if (status == 0) {
			assert_int_equal(world_image(&w, after), 1);
			world_close(&w);
			break;
		}
		check(&w, after, n, 0);
		world_close(&w);
	}
	assert_in_range(n, 10, CALLS_MAX - 1);
	free(after);
}

static void
is_before_or_after_when_killed_before_any_call(void **state)
{
	(void)state;
	sweep(FAULT_KILL_BEFORE);
}

static void
is_before_or_after_when_killed_behind_any_call(void **state)
{
	(void)state;
	sweep(FAULT_KILL_AFTER);
}

static void
is_before_or_after_when_the_disk_fails_for_good(void **state)
{
	(void)state;
	sweep(FAULT_FAIL_ON);
}

/* A single failure may be survived: the tree still is one of the two. */
static void
is_before_or_after_when_any_call_fails(void **state)
{
	char *after = after_image();

	(void)state;
	for (long n = 1; n < CALLS_MAX; n++) {
		struct world w;
		bool over;

		world_open(&w);
		fault_set(FAULT_FAIL, n, EIO);
		(void)fault_child(run_commit, &w);
		check(&w, after, n, 0);
		fault_set(FAULT_NONE, 0, 0);
		over = n > 100;
		world_close(&w);
		if (over)
			break;
	}
	free(after);
}

/* Kill the commit at n, its recovery at m, then let recovery end. */
static long
sweep_recovery(const char *after, long n)
{
	long m;

	for (m = 1; m < CALLS_MAX; m++) {
		struct world w;
		int status;

		world_open(&w);
		fault_set(FAULT_KILL_AFTER, n, 0);
		status = fault_child(run_commit, &w);
		if (status == 0) {
			world_close(&w);
			return 0;
		}
		fault_set(FAULT_KILL_AFTER, m, 0);
		status = fault_child(run_recovery, &w);
		check(&w, after, n, m);
		world_close(&w);
		if (status == 0)
			break;
	}
	return m;
}

static void
survives_a_second_kill_during_recovery(void **state)
{
	char *after = after_image();
	long points = 0, n = 1, m;

	(void)state;
	while ((m = sweep_recovery(after, n)) > 0) {
		points += m;
		n++;
	}
	assert_true(points > 100);
	print_message("# %ld pairs of kills\n", points);
	free(after);
}

static void
notices_a_change_before_the_record(void **state)
{
	char *after = after_image();
	long bad = 0;

	(void)state;
	for (long n = 1; n < CALLS_MAX; n++) {
		struct world w;
		int status;

		world_open(&w);
		fault_set(FAULT_KILL_AFTER, n, 0);
		status = fault_child(run_swapped, &w);
		fault_set(FAULT_NONE, 0, 0);
		if (status != 0) {
			assert_int_equal(fault_child(run_recovery, &w), 0);
			bad += world_image(&w, after) == -1;
		}
		world_close(&w);
		if (status == 0)
			break;
	}
	assert_true(bad > 3);
	free(after);
}

/* As if the clock had been set back by an hour, or forward, since T0. */
static void
is_tried_again_when_the_clock_was_set_back(void **state)
{
	const int64_t hour_us = INT64_C(3600) * 1000000;
	struct world w;
	struct commit c;
	struct fault f = {0};

	(void)state;
	world_open(&w);
	c = world_commit(&w);
	c.ahead_us = instant_ahead_us() + hour_us;
	assert_int_equal(commit_check(&c, &w.diff.ops, &f), -1);
	assert_true(f.temporary);
	assert_non_null(strstr(f.text, "clock was set back"));
	fault_free(&f);
	c.ahead_us = instant_ahead_us() - hour_us;
	assert_int_equal(commit_check(&c, &w.diff.ops, &f), 0);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_the_operations_of_the_layer),
	    cmocka_unit_test(is_before_or_after_when_killed_before_any_call),
	    cmocka_unit_test(is_before_or_after_when_killed_behind_any_call),
	    cmocka_unit_test(is_before_or_after_when_the_disk_fails_for_good),
	    cmocka_unit_test(is_before_or_after_when_any_call_fails),
	    cmocka_unit_test(survives_a_second_kill_during_recovery),
	    cmocka_unit_test(notices_a_change_before_the_record),
	    cmocka_unit_test(is_tried_again_when_the_clock_was_set_back),
	};

	fault_fsync_lies(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
