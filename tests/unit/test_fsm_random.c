/* SPDX-License-Identifier: ISC */
/*
 * The simulator: random schedules of everything that can happen to a daemon
 * drive the machine, and its invariants are looked at behind every step.
 * PATCHFLOW_SEED chooses others, PATCHFLOW_LONG more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "watchdog/fsm.h"

static const struct fsm_policy policy = {
    .hang_ms = 20000, .start_timeout_ms = 30000, .stop_grace_ms = 12000};

static unsigned
step_exit(struct fsm *f, enum fsm_event event, int64_t now, enum fsm_exit exit)
{
	struct fsm_input in = {.event = event, .now_ms = now, .exit = exit};

	return fsm_step(f, &policy, &in);
}

static unsigned
step(struct fsm *f, enum fsm_event event, int64_t now)
{
	return step_exit(f, event, now, FSM_EXIT_FAILED);
}

/* A world with one process at most, and events in an order in which a kernel
 * could bring them. */
struct world {
	struct fsm f;
	int64_t now;
	bool process; /* what the kernel would say */
	bool leftovers;
	uint64_t random;
};

static uint32_t
draw(struct world *w, uint32_t below)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % below;
}

static void
carry_out(struct world *w, unsigned actions)
{
	if ((actions & FSM_SWEEP) != 0)
		w->leftovers = true;
	if ((actions & FSM_SPAWN) == 0)
		return;
	assert_false(w->process); /* I1: never a twin */
	switch (draw(w, 10)) {
	case 0:
		carry_out(w, step(&w->f, FSM_EV_FORK_FAILED, w->now));
		break;
	case 1:
		carry_out(w, step(&w->f, FSM_EV_ASKED, w->now));
		break;
	default:
		w->process = true;
		break;
	}
}

static void
happen(struct world *w)
{
	static const enum fsm_event any[] = {FSM_EV_BOOT, FSM_EV_GO,
	    FSM_EV_START, FSM_EV_STOP, FSM_EV_RESTART, FSM_EV_STUCK,
	    FSM_EV_CHANGED, FSM_EV_GAP};
	uint32_t what = draw(w, 100);

	w->now += draw(w, 20) == 0 ? draw(w, 400000) : draw(w, 3000);
	if (what < 20 && w->process) {
		w->process = false;
		carry_out(w, step_exit(&w->f, FSM_EV_EXIT, w->now,
				 (enum fsm_exit)draw(w, 4)));
	} else if (what < 35 && w->leftovers && w->f.state == FSM_CLEANING) {
		w->leftovers = false;
		carry_out(w, step(&w->f, FSM_EV_SWEPT, w->now));
	} else if (what < 55 && w->process) {
		carry_out(w,
		    step(&w->f, draw(w, 2) ? FSM_EV_READY : FSM_EV_BEAT,
			w->now));
	} else if (what < 62) {
		carry_out(w, step(&w->f, any[draw(w, sizeof any / sizeof *any)],
				 w->now));
	} else {
		if (w->f.deadline_ms > w->now && draw(w, 2) == 0)
			w->now = w->f.deadline_ms;
		carry_out(w, step(&w->f, FSM_EV_TICK, w->now));
	}
}

static void
hold_invariants(const struct world *w)
{
	const struct fsm *f = &w->f;

	/* I1: what the machine believes is what the kernel would say. */
	assert_int_equal(f->alive, w->process);
	/* I2: wanted means running, or dated and soon. */
	if (f->wanted && !f->alive) {
		assert_int_not_equal(f->state, FSM_STOPPED);
		assert_true(f->deadline_ms > 0);
		assert_true(f->deadline_ms <= w->now + FSM_CAP_MS);
	}
	/* Whoever has a process has a date by which it is judged. */
	if (f->alive)
		assert_true(f->deadline_ms > 0);
	if (f->state == FSM_STOPPED)
		assert_false(f->wanted || f->alive);
}

/* Left alone it comes up again: nothing is given up. */
static void
come_up(struct world *w)
{
	int i;

	carry_out(w, step(&w->f, FSM_EV_START, w->now));
	for (i = 0; i < 50 && w->f.state != FSM_STARTING; i++) {
		if (w->process && w->f.state >= FSM_READY &&
		    w->f.state <= FSM_KILLING) {
			w->process = false;
			carry_out(w, step(&w->f, FSM_EV_EXIT, w->now));
		}
		w->now = w->f.deadline_ms;
		carry_out(w, step(&w->f, FSM_EV_TICK, w->now));
	}
	assert_int_equal(w->f.state, FSM_STARTING);
}

static void
random_schedules_hold_the_invariants(void **state)
{
	const char *asked = getenv("PATCHFLOW_SEED");
	const bool longer = getenv("PATCHFLOW_LONG") != NULL;
	uint64_t seed = asked != NULL ? strtoull(asked, NULL, 10) : 1;
	int schedules = longer ? 1000000 : 400;
	uint64_t starts = 0;
	int i, n;

	(void)state;
	for (n = 0; n < schedules; n++) {
		struct world w = {.now = 1000, .random = seed + (uint64_t)n};

		fsm_open(&w.f, (uint32_t)n + 1);
		for (i = 0; i < 1000; i++) {
			happen(&w);
			hold_invariants(&w);
		}
		come_up(&w);
		starts += w.f.starts;
	}
	assert_true(starts > (uint64_t)schedules * 10);
}

static void
a_day_of_crashing_at_once_is_bounded(void **state)
{
	struct fsm f;
	int64_t now = 1000;

	(void)state;
	fsm_open(&f, 7);
	(void)step(&f, FSM_EV_START, now);
	while (now < 86400000) {
		(void)step(&f, FSM_EV_EXIT, now);
		(void)step(&f, FSM_EV_SWEPT, now);
		if (f.state != FSM_STARTING)
			(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
	}
	assert_true(f.starts <= 1500);
	assert_true(f.starts >= 1400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_schedules_hold_the_invariants),
	    cmocka_unit_test(a_day_of_crashing_at_once_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
