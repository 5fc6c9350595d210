/* SPDX-License-Identifier: ISC */
/*
 * Acceptance under faults: every system call of the model's bridge is failed
 * and killed, at every n; then recovery is killed at every n; then comes a
 * clean run. In the end each document was queued exactly once, each has its
 * entry, nothing is pending, and no cursor ever ran ahead.
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

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define CALLS_MAX 400
#define NESTED_STEP 3 /* of the outer n; PATCHFLOW_LONG takes each */

struct world {
	struct scratch scratch;
	struct model model;
};

static int
open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL || scratch_open_fast(&w->scratch) == -1)
		return -1;
	fault_fsync_lies(true);
	*state = w;
	return model_open(&w->model, w->scratch.path);
}

static int
close_world(void **state)
{
	struct world *w = *state;

	fault_clear();
	fault_fsync_lies(false);
	model_close(&w->model);
	scratch_close(&w->scratch);
	free(w);
	return 0;
}

static void
start_over(struct world *w)
{
	fault_clear();
	model_start_over(&w->model);
}

/* A run with the fault as set, then a clean one: 1 for a violation. */
static int
check_recovery(struct world *w)
{
	int bad;

	fault_clear();
	model_run_executor(&w->model);
	bad = !model_holds(&w->model);
	if (model_bridge(&w->model) != 0 || !model_complete(&w->model))
		bad = 1;
	return bad;
}

static int
sweep_fail(struct world *w, enum fault_mode mode, int err)
{
	int bad = 0;
	bool hit = true;

	for (long n = 1; hit; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(mode, n, err);
		(void)model_bridge(&w->model);
		hit = fault_hit();
		bad += check_recovery(w);
	}
	return bad;
}

/* A life with the fault as set: 0 when it ended well, or FAULT_KILLED. */
static int
live(struct world *w)
{
	int status = fault_child(model_bridge, &w->model);

	if (status != 0 && status != FAULT_KILLED)
		fail_msg("call %ld: status %d", fault_count(), status);
	return status;
}

static int
sweep_kill(struct world *w, enum fault_mode mode)
{
	int bad = 0, status = FAULT_KILLED;

	for (long n = 1; status == FAULT_KILLED; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(mode, n, 0);
		status = live(w);
		bad += check_recovery(w);
	}
	return bad;
}

/* Killed at outer, then the next life killed at each of its calls. */
static int
sweep_nested(struct world *w, long outer, bool *clean)
{
	int bad = 0, status = FAULT_KILLED;

	for (long n = 1; status == FAULT_KILLED; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w);
		fault_set(FAULT_KILL_AFTER, outer, 0);
		status = live(w);
		if (status == 0) {
			*clean = true;
			return bad;
		}
		model_run_executor(&w->model);
		fault_set(FAULT_KILL_AFTER, n, 0);
		status = live(w);
		bad += check_recovery(w);
	}
	return bad;
}

static int
sweep_all(struct world *w)
{
	static const int errs[] = {ENOSPC, EIO, EMFILE, EINTR};
	int bad = 0;

	for (size_t i = 0; i < LENGTH(errs); i++)
		bad += sweep_fail(w, FAULT_FAIL, errs[i]);
	bad += sweep_fail(w, FAULT_FAIL_ON, ENOSPC);
	bad += sweep_kill(w, FAULT_KILL_BEFORE);
	bad += sweep_kill(w, FAULT_KILL_AFTER);
	return bad;
}

static void
queues_each_document_exactly_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(sweep_all(w), 0);
}

static void
queues_once_what_an_executor_took(void **state)
{
	struct world *w = *state;

	w->model.executor = true;
	assert_int_equal(sweep_all(w), 0);
}

static void
survives_a_kill_during_recovery(void **state)
{
	struct world *w = *state;
	long step = getenv("PATCHFLOW_LONG") != NULL ? 1
		    : getenv("PATCHFLOW_SANITIZED") != NULL
			? 4 * NESTED_STEP + 1
			: NESTED_STEP;
	bool clean = false;

	for (long outer = 1; !clean; outer += step) {
		w->model.executor = outer % 2 == 0;
		assert_int_equal(sweep_nested(w, outer, &clean), 0);
	}
}

static void
turns_red_when_the_cursor_moves_first(void **state)
{
	struct world *w = *state;

	w->model.how = MODEL_CURSOR_FIRST;
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
	assert_int_not_equal(sweep_fail(w, FAULT_FAIL, ENOSPC), 0);
}

static void
turns_red_without_pending(void **state)
{
	struct world *w = *state;

	w->model.how = MODEL_ENTRY_FIRST; /* a document is lost */
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
	w->model.how = MODEL_ENTRY_LAST; /* a document is doubled */
	assert_int_not_equal(sweep_kill(w, FAULT_KILL_AFTER), 0);
}

int
main(void)
{
#define WITH_WORLD(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
	    WITH_WORLD(queues_each_document_exactly_once),
	    WITH_WORLD(queues_once_what_an_executor_took),
	    WITH_WORLD(survives_a_kill_during_recovery),
	    WITH_WORLD(turns_red_when_the_cursor_moves_first),
	    WITH_WORLD(turns_red_without_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
