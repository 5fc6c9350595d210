/* SPDX-License-Identifier: ISC */
/*
 * Every system call of put, claim, settle and replace, failed and killed at
 * every n until a run is clean. After each: every document is in exactly one
 * state, what was acknowledged is there, and the same call again ends well.
 */
#include <sys/mman.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/spool.h"
#include "tests/unit/fault.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define NAME "5-1764000000000000-x-01234567,1.json"
#define CALLS_MAX 100 /* no operation here makes as many */

enum { TMP, NEW, RUN, DONE, OUT, STATE, DIRS };

struct world {
	struct scratch scratch;
	int dir[DIRS];
	json_t *doc, *old;
	enum spool_answer *answer; /* shared with the child; -1: none yet */
};

struct operation {
	const char *name;
	int (*prepare)(struct world *w);
	enum spool_answer (*run)(struct world *w);
	/* True when the spool is as promised after this answer. */
	bool (*holds)(struct world *w, int answer);
};

static const int no_answer = -1;

static bool
whole(struct world *w, int dir, const json_t *want)
{
	json_t *doc;
	int found = spool_read_json(w->dir[dir], NAME, &doc);
	bool same = found == 1 && json_equal(doc, want);

	json_decref(doc);
	return same;
}

static bool
in(struct world *w, int dir)
{
	return spool_exists(w->dir[dir], NAME);
}

static int
prepare_nothing(struct world *w)
{
	(void)w;
	return 0;
}

static int
prepare_queued(struct world *w)
{
	return spool_put_json(w->dir[TMP], w->dir[NEW], NAME, w->doc) ==
		       SPOOL_DONE
		   ? 0
		   : -1;
}

static int
prepare_running(struct world *w)
{
	return spool_put_json(w->dir[TMP], w->dir[RUN], NAME, w->doc) ==
		       SPOOL_DONE
		   ? 0
		   : -1;
}

static int
prepare_state(struct world *w)
{
	return spool_replace_json(w->dir[TMP], w->dir[STATE], NAME, w->old) ==
		       SPOOL_DONE
		   ? 0
		   : -1;
}

static enum spool_answer
run_put(struct world *w)
{
	return spool_put_json(w->dir[TMP], w->dir[NEW], NAME, w->doc);
}

static bool
put_holds(struct world *w, int answer)
{
	/* Whatever is visible is whole. */
	if (in(w, NEW) && !whole(w, NEW, w->doc))
		return false;
	switch (answer) {
	case SPOOL_DONE:
	case SPOOL_EXISTS:
	case SPOOL_UNKNOWN:
		return in(w, NEW);
	case SPOOL_REFUSED:
		return !in(w, NEW);
	default:
		return true;
	}
}

static enum spool_answer
run_publish(struct world *w)
{
	enum spool_answer answer = spool_stage_json(w->dir[TMP], NAME, w->doc);

	if (answer != SPOOL_DONE)
		return answer;
	answer = spool_publish(w->dir[TMP], w->dir[NEW], NAME);
	return answer;
}

static enum spool_answer
run_claim(struct world *w)
{
	enum spool_answer answer =
	    spool_move(w->dir[NEW], NAME, w->dir[RUN], NULL);

	/* Again after a kill: somebody, we ourselves, was faster. */
	return answer == SPOOL_REFUSED && errno == ENOENT ? SPOOL_EXISTS
							  : answer;
}

static bool
claim_holds(struct world *w, int answer)
{
	if (in(w, NEW) == in(w, RUN) ||
	    !whole(w, in(w, NEW) ? NEW : RUN, w->doc))
		return false;
	return answer == SPOOL_REFUSED ? in(w, NEW)
				       : answer == no_answer || in(w, RUN);
}

/* The durable product first, then the input goes. */
static enum spool_answer
run_settle(struct world *w)
{
	enum spool_answer answer =
	    spool_put_json(w->dir[TMP], w->dir[OUT], NAME, w->old);

	if (answer != SPOOL_DONE && answer != SPOOL_EXISTS)
		return answer;
	answer = spool_move(w->dir[RUN], NAME, w->dir[DONE], NULL);
	return answer == SPOOL_REFUSED && errno == ENOENT ? SPOOL_EXISTS
							  : answer;
}

static bool
settle_holds(struct world *w, int answer)
{
	if (in(w, RUN) == in(w, DONE))
		return false;
	if (in(w, DONE) && !whole(w, OUT, w->old))
		return false;
	return (answer != SPOOL_DONE && answer != SPOOL_EXISTS) || in(w, DONE);
}

static enum spool_answer
run_replace(struct world *w)
{
	return spool_replace_json(w->dir[TMP], w->dir[STATE], NAME, w->doc);
}

static bool
replace_holds(struct world *w, int answer)
{
	if (answer == SPOOL_DONE)
		return whole(w, STATE, w->doc);
	if (answer == SPOOL_REFUSED)
		return whole(w, STATE, w->old);
	return whole(w, STATE, w->doc) || whole(w, STATE, w->old);
}

/* The product after the input: what the sweep must notice. */
static enum spool_answer
run_settle_backwards(struct world *w)
{
	enum spool_answer answer =
	    spool_move(w->dir[RUN], NAME, w->dir[DONE], NULL);

	if (answer != SPOOL_DONE)
		return answer;
	return spool_put_json(w->dir[TMP], w->dir[OUT], NAME, w->old);
}

/* A file written where readers look, as somebody without tmp would. */
static enum spool_answer
run_put_in_place(struct world *w)
{
	return spool_stage_json(w->dir[NEW], NAME, w->doc);
}

static const struct operation operations[] = {
    {"put", prepare_nothing, run_put, put_holds},
    {"stage and publish", prepare_nothing, run_publish, put_holds},
    {"claim", prepare_queued, run_claim, claim_holds},
    {"settle", prepare_running, run_settle, settle_holds},
    {"replace", prepare_state, run_replace, replace_holds},
};

static const struct operation controls[] = {
    {"settle backwards", prepare_running, run_settle_backwards, settle_holds},
    {"put in place", prepare_nothing, run_put_in_place, put_holds},
};

static int
open_world(void **state)
{
	static const char *const names[DIRS] = {"tmp", "new", "run", "done",
	    "out", "state"};
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL || scratch_open_fast(&w->scratch) == -1)
		return -1;
	for (int d = 0; d < DIRS; d++)
		w->dir[d] = scratch_dir(&w->scratch, names[d]);
	w->doc = json_pack("{s:s}", "new", "document");
	w->old = json_pack("{s:s}", "old", "one");
	w->answer = mmap(NULL, sizeof(*w->answer), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = w;
	return w->answer == MAP_FAILED ? -1 : 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	for (int d = 0; d < DIRS; d++)
		(void)close(w->dir[d]);
	json_decref(w->doc);
	json_decref(w->old);
	(void)munmap(w->answer, sizeof(*w->answer));
	scratch_close(&w->scratch);
	free(w);
	fault_clear();
	fault_fsync_lies(false);
	return 0;
}

static size_t
empty_dir(int dir)
{
	struct spool_names n;
	size_t count;

	assert_int_equal(spool_list(dir, 0, &n), 0);
	count = n.count;
	for (size_t i = 0; i < n.count; i++)
		assert_int_equal(unlinkat(dir, n.names[i], 0), 0);
	spool_names_free(&n);
	return count;
}

static void
start_over(struct world *w, const struct operation *op)
{
	fault_clear();
	for (int d = 0; d < DIRS; d++)
		(void)empty_dir(w->dir[d]);
	assert_int_equal(op->prepare(w), 0);
	*(int *)w->answer = no_answer;
}

struct errand {
	struct world *w;
	const struct operation *op;
};

static int
work(void *arg)
{
	struct errand *e = arg;
	enum spool_answer answer = e->op->run(e->w);

	*e->w->answer = answer;
	return 0;
}

/* After the fault: the same call again, as the producer does. */
static bool
recovers(struct world *w, const struct operation *op)
{
	enum spool_answer answer;

	fault_clear();
	answer = op->run(w);
	return (answer == SPOOL_DONE || answer == SPOOL_EXISTS) &&
	       op->holds(w, (int)answer);
}

/* One failure leaves nothing behind in tmp; of a lasting one even the clean-up
 * fails, and a staged file is there to be found. */
static bool
litters(struct world *w, const struct operation *op, enum fault_mode mode)
{
	return mode == FAULT_FAIL && op->run != run_publish &&
	       empty_dir(w->dir[TMP]) != 0;
}

/* Failures of op at every call with one errno: violations, and *calls. */
static int
sweep_fail(struct world *w, const struct operation *op, enum fault_mode mode,
    int err)
{
	struct errand e = {w, op};
	int bad = 0;
	bool hit = true;

	for (long n = 1; hit; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w, op);
		fault_set(mode, n, err);
		(void)work(&e);
		hit = fault_hit();
		fault_clear();
		if (!op->holds(w, (int)*w->answer) || litters(w, op, mode) ||
		    !recovers(w, op))
			bad++;
	}
	return bad;
}

static int
sweep_kill(struct world *w, const struct operation *op, enum fault_mode mode)
{
	struct errand e = {w, op};
	int bad = 0, status = FAULT_KILLED;

	for (long n = 1; status == FAULT_KILLED; n++) {
		assert_true(n < CALLS_MAX);
		start_over(w, op);
		fault_set(mode, n, 0);
		status = fault_child(work, &e);
		fault_clear();
		assert_true(status == 0 || status == FAULT_KILLED);
		if (!op->holds(w, (int)*w->answer) || !recovers(w, op))
			bad++;
	}
	return bad;
}

static int
sweep_all(struct world *w, const struct operation *op)
{
	static const int errs[] = {ENOSPC, EIO, EMFILE, EINTR};
	int bad = 0;

	for (size_t i = 0; i < LENGTH(errs); i++) {
		bad += sweep_fail(w, op, FAULT_FAIL, errs[i]);
		if (errs[i] != EINTR) /* for ever it would be no interrupt */
			bad += sweep_fail(w, op, FAULT_FAIL_ON, errs[i]);
	}
	bad += sweep_fail(w, op, FAULT_SHORT, 0);
	bad += sweep_kill(w, op, FAULT_KILL_BEFORE);
	bad += sweep_kill(w, op, FAULT_KILL_AFTER);
	return bad;
}

static void
keeps_every_document_in_one_state(void **state)
{
	struct world *w = *state;

	fault_fsync_lies(true);
	for (size_t i = 0; i < LENGTH(operations); i++) {
		int bad = sweep_all(w, &operations[i]);

		if (bad != 0)
			fail_msg("%s: %d violations", operations[i].name, bad);
	}
}

static void
turns_red_where_the_order_is_wrong(void **state)
{
	struct world *w = *state;

	fault_fsync_lies(true);
	for (size_t i = 0; i < LENGTH(controls); i++)
		if (sweep_all(w, &controls[i]) == 0)
			fail_msg("%s went unnoticed", controls[i].name);
}

/* Two directories by descriptor, one file: a lasting EMFILE is survived. */
static void
opens_nothing_it_does_not_close(void **state)
{
	struct world *w = *state;
	int before = dup(0), after;

	(void)close(before);
	fault_fsync_lies(true);
	for (size_t i = 0; i < LENGTH(operations); i++)
		(void)sweep_all(w, &operations[i]);
	after = dup(0);
	(void)close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
#define WITH_WORLD(f)                                                          \
	cmocka_unit_test_setup_teardown(f, open_world, close_world)
	const struct CMUnitTest tests[] = {
	    WITH_WORLD(keeps_every_document_in_one_state),
	    WITH_WORLD(turns_red_where_the_order_is_wrong),
	    WITH_WORLD(opens_nothing_it_does_not_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
