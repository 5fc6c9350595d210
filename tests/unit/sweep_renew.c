/* SPDX-License-Identifier: ISC */
/*
 * Renewing a directory, failed and killed at every system call, while a put
 * by an older descriptor comes in between. Whoever opens the spool next finds
 * every directory and every file, once.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/fault.h"
#include "tests/unit/model.h"
#include "tests/unit/scratch.h"

#define CALLS_MAX 400
#define HELD "5-1764000000000000-held-01234567,1.json"
#define LATE "5-1764000000000000-late-01234567,1.json"

struct world {
	struct scratch scratch;
	struct model model;
	int old; /* patches, as a process has it that was not told */
};

static int
open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL || scratch_open_fast(&w->scratch) == -1)
		return -1;
	fault_fsync_lies(true);
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	fault_clear();
	fault_fsync_lies(false);
	scratch_close(&w->scratch);
	free(w);
	return 0;
}

static void
start_over(struct world *w)
{
	fault_clear();
	assert_int_equal(model_open(&w->model, w->scratch.path), 0);
	model_start_over(&w->model);
	w->old = dup(w->model.queue->dir[Q_PATCHES]);
	assert_int_equal(scratch_file(w->model.queue->dir[Q_HELD], HELD, ""),
	    0);
}

static int
renew(void *arg)
{
	struct world *w = arg;

	return tree_renew(&w->model.tree, w->model.queue->dir[Q_PATCHES], 0) ==
		       1
		   ? 0
		   : 1;
}

/* The put that comes late; true when it was taken. */
static bool
put_late(struct world *w)
{
	enum spool_answer answer =
	    spool_put(w->model.queue->dir[Q_TMP], w->old, LATE, "", 0);

	assert_true(answer == SPOOL_DONE || errno == ENOENT);
	return answer == SPOOL_DONE;
}

static bool
nothing_spare(struct world *w)
{
	return faccessat(w->scratch.dir, MODEL_QUEUE "/.patches.renew", F_OK,
		   0) == -1;
}

/* What the next life finds: 0 or 1 violation. */
static int
check(struct world *w)
{
	bool late = put_late(w);
	struct model next;
	int bad;

	assert_int_equal(model_open(&next, w->scratch.path), 0);
	bad = !spool_exists(next.queue->dir[Q_HELD], HELD) ||
	      spool_exists(next.queue->dir[Q_PATCHES], LATE) != late ||
	      !nothing_spare(w);
	bad |= tree_refresh(&w->model.tree) == -1 ||
	       spool_exists(w->model.queue->dir[Q_PATCHES], LATE) != late;
	(void)unlinkat(next.queue->dir[Q_PATCHES], LATE, 0);
	bad |= tree_renew(&next.tree, next.queue->dir[Q_PATCHES], 0) != 1;
	model_close(&next);
	(void)close(w->old);
	model_close(&w->model);
	return bad;
}

static void
ends_every_renewal_that_was_killed(void **state)
{
	static const enum fault_mode modes[] = {FAULT_KILL_BEFORE,
	    FAULT_KILL_AFTER};
	struct world *w = *state;

	for (int m = 0; m < 2; m++) {
		int status = FAULT_KILLED;

		for (long n = 1; status == FAULT_KILLED; n++) {
			assert_true(n < CALLS_MAX);
			start_over(w);
			fault_set(modes[m], n, 0);
			status = fault_child(renew, w);
			fault_clear();
			assert_true(status == 0 || status == FAULT_KILLED);
			assert_int_equal(check(w), 0);
		}
	}
}

static void
ends_every_renewal_that_failed(void **state)
{
	static const int errs[] = {ENOSPC, EIO, EMFILE};
	struct world *w = *state;

	for (int e = 0; e < 3; e++) {
		bool hit = true;

		for (long n = 1; hit; n++) {
			assert_true(n < CALLS_MAX);
			start_over(w);
			fault_set(FAULT_FAIL, n, errs[e]);
			(void)renew(w);
			hit = fault_hit();
			fault_clear();
			assert_int_equal(check(w), 0);
		}
	}
}

int
main(void)
{
#define WITH_WORLD(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
	    WITH_WORLD(ends_every_renewal_that_was_killed),
	    WITH_WORLD(ends_every_renewal_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
