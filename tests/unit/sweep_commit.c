/* SPDX-License-Identifier: ISC */
/*
 * Every system call of a commit failed and killed at every n, and of the
 * recovery after it again: the workspace is the before-image or the
 * after-image, and the after-image once COMMIT is there. A commit that
 * changes the workspace before its record is written is the control.
 */
#include <sys/sysmacros.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/spool.h"
#include "executor/commit.h"
#include "executor/diff.h"
#include "executor/subtree.h"
#include "tests/unit/fault.h"
#include "tests/unit/picture.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define NAME "1764000000000000-x-01234567,1"
#define CALLS_MAX 500

struct world {
	struct scratch scratch;
	struct workspace ws;
	struct place place;
	struct txn txn;
	struct diff diff;
	struct plan plan;
	struct queue_settings queue;
	char *before, *after;
};

static void
fill_workspace(int w)
{
	assert_int_equal(mkdirat(w, "dir", 0755), 0);
	assert_int_equal(mkdirat(w, "dir/sub", 0755), 0);
	assert_int_equal(mkdirat(w, "tree", 0755), 0);
	assert_int_equal(mkdirat(w, "swap", 0755), 0);
	assert_int_equal(scratch_file(w, "a", "old a"), 0);
	assert_int_equal(scratch_file(w, "dir/b", "old b"), 0);
	assert_int_equal(scratch_file(w, "dir/sub/c", "old c"), 0);
	assert_int_equal(scratch_file(w, "tree/d", "old d"), 0);
	assert_int_equal(scratch_file(w, "swap/e", "old e"), 0);
	assert_int_equal(scratch_file(w, "same", "same"), 0);
	assert_int_equal(symlinkat("a", w, "link"), 0);
	assert_int_equal(scratch_file(w, "file", "old file"), 0);
}

/* An upper layer as the kernel leaves it: whiteouts, new trees, copies. */
static void
fill_upper(int u)
{
	assert_int_equal(scratch_file(u, "a", "new a"), 0);
	assert_int_equal(mkdirat(u, "dir", 0755), 0);
	assert_int_equal(fchmodat(u, "dir", 0750, 0), 0);
	assert_int_equal(scratch_file(u, "dir/b", "new b"), 0);
	assert_int_equal(mkdirat(u, "dir/sub", 0755), 0);
	assert_int_equal(mknodat(u, "dir/sub/c", S_IFCHR | 0600, makedev(0, 0)),
	    0);
	assert_int_equal(mknodat(u, "tree", S_IFCHR | 0600, makedev(0, 0)), 0);
	assert_int_equal(scratch_file(u, "swap", "a file now"), 0);
	assert_int_equal(mkdirat(u, "file", 0755), 0);
	assert_int_equal(scratch_file(u, "file/in", "a directory now"), 0);
	assert_int_equal(mkdirat(u, "new", 0755), 0);
	assert_int_equal(mkdirat(u, "new/deep", 0755), 0);
	assert_int_equal(scratch_file(u, "new/deep/f", "new f"), 0);
	assert_int_equal(symlinkat("same", u, "ln"), 0);
	assert_int_equal(mknodat(u, "link", S_IFCHR | 0600, makedev(0, 0)), 0);
}

static char *
sub(const struct world *w, const char *name)
{
	return xasprintf("%s/%s", w->scratch.path, name);
}

static void
stage(struct world *w)
{
	struct fault f = {0};

	w->diff = (struct diff){.workspace = &w->ws,
	    .txn = &w->txn,
	    .queue = &w->queue,
	    .trusted = geteuid() == 0,
	    .warnings = json_array()};
	changes_open(&w->diff.changes, 4096);
	if (diff_overlay(&w->diff, &f) == -1)
		fail_msg("%s", f.text);
	fault_clear();
}

static void
world_open(struct world *w)
{
	char *ws, *place;

	memset(w, 0, sizeof(*w));
	assert_int_equal(scratch_open_fast(&w->scratch), 0);
	assert_int_equal(mkdirat(w->scratch.dir, "ws", 0755), 0);
	ws = sub(w, "ws");
	place = sub(w, "txn");
	assert_int_equal(workspace_open(&w->ws, ws), 0);
	fill_workspace(w->ws.fd);
	assert_int_equal(place_open(&w->place, place, &w->ws, false), 0);
	assert_int_equal(txn_create(&w->txn, &w->place, NAME, &w->ws), 0);
	fill_upper(w->txn.upper);
	w->before = picture(ws);
	stage(w);
	free(ws);
	free(place);
}

static void
world_close(struct world *w)
{
	free(w->before);
	free(w->after);
	ops_free(&w->diff.ops);
	changes_close(&w->diff.changes);
	json_decref(w->diff.warnings);
	txn_close(&w->txn);
	place_close(&w->place);
	workspace_close(&w->ws);
	scratch_close(&w->scratch);
}

static struct commit
commit_of(struct world *w)
{
	struct commit c = {.workspace = &w->ws,
	    .txn = &w->txn,
	    .plan = &w->plan,
	    .since = {.tv_sec = INT32_MAX}};

	return c;
}

static void
fill_record(struct world *w, struct record *r)
{
	memset(r, 0, sizeof(*r));
	strlcpy(r->file, "5-" NAME ".json", sizeof(r->file));
	strlcpy(r->workspace, w->ws.path, sizeof(r->workspace));
	r->workspace_ino = w->ws.st.st_ino;
	r->ops = w->diff.ops;
	r->outcome = json_object();
}

/* 0 done, 1 refused before the record, 2 stopped behind it. */
static int
run_commit(void *arg)
{
	struct world *w = arg;
	struct commit c = commit_of(w);
	struct fault f = {0};
	struct record r;
	const char *at;
	int answer;

	if (commit_sync(&c, &w->diff.ops, &f) == -1 ||
	    commit_check(&c, &w->diff.ops, &f) == -1)
		return 1;
	fill_record(w, &r);
	answer = commit_write(&w->txn, &r) != SPOOL_DONE;
	json_decref(r.outcome);
	if (answer != 0)
		return 1;
	if (commit_apply(&c, &w->diff.ops, &at) == -1 ||
	    commit_done(&w->txn) == -1)
		return 2;
	return 0;
}

/* The control: the workspace first, the record behind it. */
static int
run_swapped(void *arg)
{
	struct world *w = arg;
	struct commit c = commit_of(w);
	struct record r;
	const char *at;
	int answer;

	if (commit_apply(&c, &w->diff.ops, &at) == -1)
		return 2;
	fill_record(w, &r);
	answer = commit_write(&w->txn, &r) != SPOOL_DONE;
	json_decref(r.outcome);
	return answer != 0 || commit_done(&w->txn) == -1;
}

/* What recovery does: forward where there is a record. */
static int
run_recovery(void *arg)
{
	struct world *w = arg;
	struct commit c = commit_of(w);
	struct record r;
	const char *which, *at;
	int found = commit_read(&w->txn, &r, &which);
	int answer = 0;

	if (found != 1)
		return found == 0 ? 0 : 3;
	if (strcmp(which, "COMMIT") == 0)
		answer = commit_apply(&c, &r.ops, &at) == -1 ||
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

/* -1 neither, 0 before, 1 after. */
static int
image(struct world *w, const char *after)
{
	char *now = picture(w->ws.path);
	int answer = strcmp(now, after) == 0       ? 1
		     : strcmp(now, w->before) == 0 ? 0
						   : -1;

	free(now);
	return answer;
}

static void
check(struct world *w, const char *after, long n, long m)
{
	int want = has_record(w) ? 1 : 0;
	int got;

	fault_set(FAULT_NONE, 0, 0);
	assert_int_equal(fault_child(run_recovery, w), 0);
	got = image(w, after);
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
			assert_int_equal(image(&w, after), 1);
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
			bad += image(&w, after) == -1;
		}
		world_close(&w);
		if (status == 0)
			break;
	}
	assert_true(bad > 3);
	free(after);
}

static void
takes_back_what_was_applied(void **state)
{
	struct world w;
	struct commit c;
	const char *at;

	(void)state;
	world_open(&w);
	fault_set(FAULT_NONE, 0, 0);
	c = commit_of(&w);
	assert_int_equal(commit_apply(&c, &w.diff.ops, &at), 0);
	assert_string_not_equal(w.before, "");
	assert_int_equal(commit_revert(&c, &w.diff.ops, &at), 0);
	assert_int_equal(image(&w, "nothing"), 0);
	assert_int_equal(commit_revert(&c, &w.diff.ops, &at), 0);
	assert_int_equal(image(&w, "nothing"), 0);
	world_close(&w);
}

/* Made by somebody else behind the check: kept in T, and named. */
static void
displaces_what_appears_behind_the_check(void **state)
{
	struct world w;
	struct commit c;
	const char *at;

	(void)state;
	world_open(&w);
	fault_set(FAULT_NONE, 0, 0);
	c = commit_of(&w);
	assert_int_equal(scratch_file(w.ws.fd, "new", "a stranger's"), 0);
	assert_int_equal(commit_apply(&c, &w.diff.ops, &at), 0);
	assert_int_equal(json_array_size(c.displaced), 1);
	json_decref(c.displaced);
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
	    cmocka_unit_test(takes_back_what_was_applied),
	    cmocka_unit_test(displaces_what_appears_behind_the_check),
	};

	fault_fsync_lies(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
