/* SPDX-License-Identifier: ISC */
/*
 * A commit that cannot be completed is taken back: every call of the way back
 * failed and killed at every n, and of the recovery after it. The workspace
 * shows the before-image in the end, and what others did meanwhile stays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/buf.h"
#include "executor/displaced.h"
#include "tests/unit/fault.h"
#include "tests/unit/world.h"

#define CALLS_MAX 500

/* The record is there, and the first n operations are carried out. */
static void
begin(struct world *w, size_t n)
{
	struct commit c = world_commit(w);
	struct ops part = w->diff.ops;
	struct fault f = {0};
	struct record r;
	const char *at;

	world_record(w, &r);
	assert_int_equal(commit_sync(&c, &r, &f), 0);
	assert_int_equal(commit_write(&c), SPOOL_DONE);
	json_decref(r.outcome);
	part.count = n;
	assert_int_equal(commit_apply(&c, &part, &at), 0);
}

/* What carry.c does with a record that is blocked, or found as REVERT. */
static int
take_back(void *arg)
{
	struct world *w = arg;
	struct commit c = world_commit(w);
	struct record r;
	enum commit_state state;
	const char *at;
	int answer;

	if (commit_read(&w->txn, &r, &state) != 1)
		return 3;
	if (state == COMMIT_FORWARD && commit_turn(&w->txn) == -1)
		return 1;
	answer = commit_revert(&c, &r.ops, &at) == -1;
	json_decref(c.displaced);
	record_free(&r);
	return answer;
}

static void
ends_before(struct world *w, long n, size_t done)
{
	fault_clear();
	assert_int_equal(fault_child(take_back, w), 0);
	if (world_image(w, "nothing") != 0)
		fail_msg("%zu operations, call %ld: not the before-image", done,
		    n);
}

static long
sweep(enum fault_mode mode, size_t done)
{
	long n;

	for (n = 1; n < CALLS_MAX; n++) {
		struct world w;
		int status;

		world_open(&w);
		begin(&w, done);
		fault_set(mode, n, EIO);
		status = fault_child(take_back, &w);
		ends_before(&w, n, done);
		world_close(&w);
		if (status == 0)
			break;
	}
	assert_in_range(n, 2, CALLS_MAX - 1);
	return n;
}

static void
is_before_however_far_it_came(void **state)
{
	(void)state;
	for (size_t done = 0;; done++) {
		struct world w;
		size_t all;

		world_open(&w);
		begin(&w, done);
		all = w.diff.ops.count;
		ends_before(&w, 0, done);
		/* Again, as a recovery would: nothing more happens. */
		ends_before(&w, 0, done);
		world_close(&w);
		if (done == all)
			break;
	}
}

static void
is_before_when_killed_or_failed_at_any_call(void **state)
{
	static const enum fault_mode modes[] = {FAULT_KILL_BEFORE,
	    FAULT_KILL_AFTER, FAULT_FAIL, FAULT_FAIL_ON};
	long points = 0;

	(void)state;
	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++)
		points += sweep(modes[m], 6) + sweep(modes[m], 10);
	assert_true(points > 80);
	print_message("# %ld points\n", points);
}

/* A recovery that went forward from REVERT would show. */
static void
follows_the_name_it_finds(void **state)
{
	struct world w;
	struct record r;
	enum commit_state found;

	(void)state;
	world_open(&w);
	begin(&w, 3);
	assert_int_equal(commit_turn(&w.txn), 0);
	assert_int_equal(commit_read(&w.txn, &r, &found), 1);
	assert_int_equal(found, COMMIT_BACK);
	record_free(&r);
	ends_before(&w, 0, 3);
	world_close(&w);
}

/* Replaced, removed or made while we were at it: theirs. */
static void
leaves_what_others_did_meanwhile(void **state)
{
	struct world w;
	struct commit c;
	const char *at;

	(void)state;
	world_open(&w);
	begin(&w, w.diff.ops.count);
	assert_int_equal(unlinkat(w.ws.fd, "a", 0), 0);
	assert_int_equal(scratch_file(w.ws.fd, "a", "a stranger's"), 0);
	assert_int_equal(unlinkat(w.ws.fd, "dir/b", 0), 0);
	assert_int_equal(scratch_file(w.ws.fd, "tree", "a stranger's"), 0);
	c = world_commit(&w);
	assert_int_equal(commit_turn(&w.txn), 0);
	assert_int_equal(commit_revert(&c, &w.diff.ops, &at), 0);
	assert_int_equal(json_array_size(c.displaced), 3);
	json_decref(c.displaced);
	/* The rest is as before, and theirs is there. */
	assert_int_equal(faccessat(w.ws.fd, "dir/sub/c", F_OK, 0), 0);
	assert_int_equal(faccessat(w.ws.fd, "dir/b", F_OK, 0), -1);
	assert_int_equal(faccessat(w.ws.fd, "swap/e", F_OK, 0), 0);
	assert_int_equal(faccessat(w.ws.fd, "tree", F_OK, 0), 0);
	world_close(&w);
}

/* The same inodes, in which there is what nobody else has. */
static void
leaves_what_others_wrote_in_place(void **state)
{
	const struct timespec tick = {0, 20000000};
	struct world w;
	struct commit c;
	const char *at;

	(void)state;
	world_open(&w);
	begin(&w, w.diff.ops.count);
	(void)nanosleep(&tick, NULL);
	assert_int_equal(scratch_file(w.ws.fd, "swap", "longer than it was"),
	    0);
	assert_int_equal(scratch_file(w.ws.fd, "new/deep/f", "new F"), 0);
	c = world_commit(&w);
	assert_int_equal(commit_turn(&w.txn), 0);
	assert_int_equal(commit_revert(&c, &w.diff.ops, &at), 0);
	assert_int_equal(json_array_size(c.displaced), 2);
	json_decref(c.displaced);
	assert_int_equal(faccessat(w.ws.fd, "swap/e", F_OK, 0), -1);
	assert_int_equal(faccessat(w.ws.fd, "new/deep/f", F_OK, 0), 0);
	assert_int_equal(faccessat(w.ws.fd, "file/in", F_OK, 0), -1);
	world_close(&w);
}

/* The directory of some operations became a file behind the record: forward
 * cannot go on there, back can. */
static void
comes_back_from_a_blocked_path(void **state)
{
	struct world w;
	struct commit c;
	const char *at = "";
	char *now;

	(void)state;
	world_open(&w);
	begin(&w, 0);
	assert_int_equal(renameat(w.ws.fd, "dir", w.scratch.dir, "away"), 0);
	assert_int_equal(scratch_file(w.ws.fd, "dir", "a file"), 0);
	c = world_commit(&w);
	assert_int_equal(commit_apply(&c, &w.diff.ops, &at), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_string_equal(at, "dir");
	assert_int_equal(fault_child(take_back, &w), 0);
	assert_int_equal(unlinkat(w.ws.fd, "dir", 0), 0);
	assert_int_equal(renameat(w.scratch.dir, "away", w.ws.fd, "dir"), 0);
	now = w.before;
	assert_int_equal(world_image(&w, now), 1);
	world_close(&w);
}

struct stranger {
	const char *path;
	void (*act)(struct world *w);
};

static void
makes_new(struct world *w)
{
	assert_int_equal(scratch_file(w->ws.fd, "new", "a stranger's"), 0);
}

static void
replaces_a(struct world *w)
{
	assert_int_equal(scratch_file(w->ws.fd, "a~", "a stranger's"), 0);
	assert_int_equal(renameat(w->ws.fd, "a~", w->ws.fd, "a"), 0);
}

static void
replaces_tree(struct world *w)
{
	assert_int_equal(renameat(w->ws.fd, "tree", w->scratch.dir, "t"), 0);
	assert_int_equal(scratch_file(w->ws.fd, "tree", "a stranger's"), 0);
}

static void
appends_to_b(struct world *w)
{
	assert_int_equal(scratch_file(w->ws.fd, "dir/b", "longer than it was"),
	    0);
}

/* Same length, same times: only the content tells. */
static void
writes_b_and_dates_it_back(struct world *w)
{
	struct timespec ts[2];
	struct stat st;

	assert_int_equal(fstatat(w->ws.fd, "dir/b", &st, 0), 0);
	ts[0] = st.st_atim;
	ts[1] = st.st_mtim;
	assert_int_equal(scratch_file(w->ws.fd, "dir/b", "OLD B"), 0);
	assert_int_equal(utimensat(w->ws.fd, "dir/b", ts, 0), 0);
}

static void
does_nothing(struct world *w)
{
	(void)w;
}

/* Behind the check, before the exchange: kept in T, and named. */
static void
names_what_it_displaced(void **state)
{
	static const struct stranger strangers[] = {{"new", makes_new},
	    {"a", replaces_a}, {"tree", replaces_tree}, {"dir/b", appends_to_b},
	    {"dir/b", writes_b_and_dates_it_back}, {NULL, does_nothing}};

	(void)state;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		struct world w;
		struct commit c;
		struct record r;
		const char *at, *got;

		world_open(&w);
		begin(&w, 0);
		strangers[i].act(&w);
		c = world_commit(&w);
		assert_int_equal(commit_apply(&c, &w.diff.ops, &at), 0);
		assert_int_equal(commit_done(&w.txn), 0);
		world_record(&w, &r);
		changes_describe(&w.diff.changes, r.outcome);
		displaced_find(&c, &r);
		got = json_string_value(json_array_get(c.displaced, 0));
		if (strangers[i].path == NULL)
			assert_null(c.displaced);
		else
			assert_string_equal(got, strangers[i].path);
		json_decref(c.displaced);
		json_decref(r.outcome);
		world_close(&w);
	}
}

/* An editor that had the file open writes when all is over. */
static void
notices_a_write_behind_the_end(void **state)
{
	const struct timespec tick = {0, 20000000};
	struct world w;
	struct record r;
	struct commit c;
	const char *at;
	int fd;

	(void)state;
	world_open(&w);
	begin(&w, 0);
	fd = openat(w.ws.fd, "a", O_WRONLY);
	c = world_commit(&w);
	assert_int_equal(commit_apply(&c, &w.diff.ops, &at), 0);
	assert_int_equal(commit_done(&w.txn), 0);
	world_record(&w, &r);
	assert_null(displaced_late(&w.txn, &r));
	(void)nanosleep(&tick, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_string_equal(displaced_late(&w.txn, &r), "a");
	(void)close(fd);
	json_decref(r.outcome);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_before_however_far_it_came),
	    cmocka_unit_test(is_before_when_killed_or_failed_at_any_call),
	    cmocka_unit_test(follows_the_name_it_finds),
	    cmocka_unit_test(leaves_what_others_did_meanwhile),
	    cmocka_unit_test(leaves_what_others_wrote_in_place),
	    cmocka_unit_test(comes_back_from_a_blocked_path),
	    cmocka_unit_test(names_what_it_displaced),
	    cmocka_unit_test(notices_a_write_behind_the_end),
	};

	fault_fsync_lies(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
