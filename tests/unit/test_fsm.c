/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's machine: every state x event cell against a table that is
 * written from the manual and not from the code, and the rules one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void
beat_work(struct fsm *f, int64_t now)
{
	struct fsm_input in = {.event = FSM_EV_BEAT, .now_ms = now, .work = 1};

	(void)fsm_step(f, &policy, &in);
}

/* Brings a machine into the state by the shortest way. */
static void
reach(struct fsm *f, enum fsm_state state)
{
	fsm_open(f, 7);
	if (state == FSM_STOPPED)
		return;
	(void)step(f, FSM_EV_BOOT, 1000);
	if (state == FSM_WAITING)
		return;
	(void)step(f, FSM_EV_GO, 1000);
	if (state == FSM_BACKOFF)
		(void)step(f, FSM_EV_FORK_FAILED, 1000);
	if (state == FSM_STARTING || state == FSM_BACKOFF)
		return;
	if (state == FSM_NEEDS_OPERATOR) {
		(void)step_exit(f, FSM_EV_EXIT, 1000, FSM_EXIT_CONFIG);
		(void)step(f, FSM_EV_SWEPT, 1000);
		return;
	}
	if (state == FSM_DEGRADED) {
		while (f->state != FSM_DEGRADED) {
			(void)step(f, FSM_EV_EXIT, 1000);
			(void)step(f, FSM_EV_SWEPT, 1000);
			(void)step(f, FSM_EV_TICK,
			    f->state == FSM_BACKOFF ? f->deadline_ms : 0);
		}
		return;
	}
	(void)step(f, FSM_EV_READY, 1000);
	if (state == FSM_STOPPING)
		(void)step(f, FSM_EV_RESTART, 1000);
	if (state == FSM_KILLING)
		(void)step(f, FSM_EV_TICK, 21000);
	if (state == FSM_CLEANING)
		(void)step(f, FSM_EV_EXIT, 1000);
}

#define SAME FSM__STATES      /* nothing happens */
#define OWN (FSM__STATES + 1) /* something does, the state stays */

/* Columns: boot go start stop restart fork-failed asked ready beat exit swept
 * tick stuck changed gap. */
static const int want[FSM__STATES][FSM__EVENTS] = {
    [FSM_STOPPED] = {FSM_WAITING, SAME, FSM_STARTING, SAME, FSM_STARTING, SAME,
	SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME, SAME},
    [FSM_WAITING] = {SAME, FSM_STARTING, FSM_STARTING, FSM_STOPPED,
	FSM_STARTING, SAME, SAME, SAME, SAME, SAME, SAME, FSM_STARTING, SAME,
	SAME, SAME},
    [FSM_STARTING] = {SAME, SAME, OWN, FSM_STOPPING, FSM_STOPPING, FSM_BACKOFF,
	FSM_WAITING, FSM_READY, OWN, FSM_CLEANING, SAME, FSM_KILLING, SAME,
	SAME, OWN},
    [FSM_READY] = {SAME, SAME, OWN, FSM_STOPPING, FSM_STOPPING, SAME, SAME, OWN,
	OWN, FSM_CLEANING, SAME, FSM_KILLING, FSM_STOPPING, SAME, OWN},
    [FSM_STOPPING] = {OWN, SAME, OWN, OWN, OWN, SAME, SAME, SAME, SAME,
	FSM_CLEANING, SAME, FSM_KILLING, SAME, SAME, OWN},
    [FSM_KILLING] = {OWN, SAME, OWN, OWN, OWN, SAME, SAME, SAME, SAME,
	FSM_CLEANING, SAME, FSM_KILLING, SAME, SAME, SAME},
    [FSM_CLEANING] = {OWN, SAME, OWN, OWN, OWN, SAME, SAME, SAME, SAME, SAME,
	FSM_STARTING, FSM_STARTING, SAME, SAME, SAME},
    [FSM_BACKOFF] = {SAME, SAME, FSM_STARTING, FSM_STOPPED, FSM_STARTING, SAME,
	SAME, SAME, SAME, SAME, SAME, FSM_STARTING, SAME, FSM_STARTING, SAME},
    [FSM_DEGRADED] = {SAME, SAME, FSM_STARTING, FSM_STOPPED, FSM_STARTING, SAME,
	SAME, SAME, SAME, SAME, SAME, FSM_STARTING, SAME, FSM_STARTING, SAME},
    [FSM_NEEDS_OPERATOR] = {SAME, SAME, FSM_STARTING, FSM_STOPPED, FSM_STARTING,
	SAME, SAME, SAME, SAME, SAME, SAME, FSM_STARTING, SAME, FSM_STARTING,
	SAME},
};

/* A past that whatever the event is for would change. */
static void
leave_traces(struct fsm *f, int event)
{
	f->strikes[0] = 1;
	if (f->state != FSM_STOPPED)
		f->wanted = event != FSM_EV_START && event != FSM_EV_BOOT &&
			    event != FSM_EV_RESTART;
}

static void
every_cell_goes_where_the_manual_says(void **state)
{
	struct fsm f, before;
	bool same;
	int s, e;

	(void)state;
	for (s = 0; s < FSM__STATES; s++)
		for (e = 0; e < FSM__EVENTS; e++) {
			int expect = want[s][e];
			int64_t now;
			unsigned actions;

			reach(&f, (enum fsm_state)s);
			assert_int_equal(f.state, s);
			now = e == FSM_EV_TICK ? f.deadline_ms : 15000;
			leave_traces(&f, e);
			before = f;
			actions = step(&f, (enum fsm_event)e, now);
			if (expect == (int)SAME)
				assert_int_equal(actions, 0);
			/* NOLINTNEXTLINE(*-memory-comparison,cert-*) */
			same = memcmp(&f, &before, sizeof f) == 0;
			if ((expect == (int)SAME) != same)
				fail_msg("%s x %s: %s", fsm_state_name[s],
				    fsm_event_name[e],
				    expect == (int)SAME ? "changes"
							: "changes nothing");
			if (expect >= (int)FSM__STATES)
				expect = s;
			if ((int)f.state != expect)
				fail_msg("%s x %s is %s, not %s",
				    fsm_state_name[s], fsm_event_name[e],
				    fsm_state_name[f.state],
				    fsm_state_name[expect]);
		}
}

static void
a_tick_that_is_early_decides_nothing(void **state)
{
	struct fsm f, before;
	int s;

	(void)state;
	for (s = 0; s < FSM__STATES; s++) {
		reach(&f, (enum fsm_state)s);
		before = f;
		assert_int_equal(step(&f, FSM_EV_TICK, f.deadline_ms - 1), 0);
		assert_memory_equal(&f, &before, sizeof f);
	}
}

/* Dies with a failure now; returns the delay until it is started again. */
static int64_t
die(struct fsm *f, int64_t now, enum fsm_exit exit)
{
	unsigned actions;

	(void)step_exit(f, FSM_EV_EXIT, now, exit);
	actions = step(f, FSM_EV_SWEPT, now);
	if ((actions & FSM_SPAWN) != 0)
		return 0;
	return f->deadline_ms - now;
}

static void
restarts_at_once_then_doubles_up_to_the_cap(void **state)
{
	struct fsm f;
	int64_t now = 100000, delay, expect = FSM_BACKOFF_MS;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	/* 111: the ladder without strikes. */
	assert_int_equal(die(&f, now, FSM_EXIT_TEMPORARY), 0);
	for (i = 0; i < 12; i++) {
		delay = die(&f, now, FSM_EXIT_TEMPORARY);
		assert_int_equal(f.state, FSM_BACKOFF);
		assert_in_range(delay, expect * 8 / 10, expect * 12 / 10);
		assert_true(delay <= FSM_BACKOFF_MAX_MS);
		expect = expect * 2 < FSM_BACKOFF_MAX_MS ? expect * 2
							 : FSM_BACKOFF_MAX_MS;
		now = f.deadline_ms;
		assert_int_equal(step(&f, FSM_EV_TICK, now), FSM_SPAWN);
	}
}

static void
steady_running_restarts_at_once_and_long_running_forgets(void **state)
{
	struct fsm f;
	int64_t now = 100000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 6; i++) {
		(void)die(&f, now, FSM_EXIT_TEMPORARY);
		if (f.state == FSM_BACKOFF)
			(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
	}
	assert_true(f.backoff_ms > FSM_BACKOFF_MS);
	(void)step(&f, FSM_EV_READY, now);
	now += FSM_STEADY_MS;
	assert_int_equal(die(&f, now, FSM_EXIT_FAILED), 0);
	assert_true(f.backoff_ms > FSM_BACKOFF_MS);
	(void)step(&f, FSM_EV_READY, now);
	now += FSM_RESET_MS;
	assert_int_equal(die(&f, now, FSM_EXIT_FAILED), 0);
	assert_int_equal(f.backoff_ms, 0);
}

static void
five_strikes_in_the_window_open_the_circuit(void **state)
{
	struct fsm f;
	int64_t now = 100000;
	unsigned all = 0;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < FSM_STRIKES; i++) {
		assert_int_not_equal(f.state, FSM_DEGRADED);
		all |= step(&f, FSM_EV_EXIT, now);
		all |= step(&f, FSM_EV_SWEPT, now);
		if (f.state == FSM_BACKOFF)
			(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
	}
	assert_int_equal(f.state, FSM_DEGRADED);
	assert_true((all & FSM_DEGRADE) != 0);
	/* Probed for ever, every 60 s, and told only once. */
	for (i = 0; i < 100; i++) {
		assert_int_equal(f.deadline_ms, now + FSM_PROBE_MS);
		(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
		all = step(&f, FSM_EV_EXIT, now) | step(&f, FSM_EV_SWEPT, now);
		assert_int_equal(f.state, FSM_DEGRADED);
		assert_int_equal(all, FSM_SWEEP);
	}
	/* A person's start is at once and wipes the slate. */
	assert_int_equal(step(&f, FSM_EV_START, now), FSM_SPAWN);
	assert_int_equal(die(&f, now, FSM_EXIT_FAILED), 0);
	assert_int_equal(f.state, FSM_STARTING);
}

static void
slow_deaths_and_deaths_after_work_are_no_strikes(void **state)
{
	struct fsm f;
	int64_t now = 100000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 50; i++) {
		/* One strike in 8 s: never five in 30. */
		(void)die(&f, now, FSM_EXIT_FAILED);
		if (f.state == FSM_BACKOFF)
			(void)step(&f, FSM_EV_TICK, f.deadline_ms);
		assert_int_equal(f.state, FSM_STARTING);
		now += 8000 + (f.backoff_ms > 0 ? f.backoff_ms : 0);
	}
	reach(&f, FSM_READY);
	for (i = 0; i < 50; i++) {
		beat_work(&f, now);
		(void)die(&f, now, FSM_EXIT_FAILED);
		if (f.state == FSM_BACKOFF)
			(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
		assert_int_equal(f.state, FSM_STARTING);
		(void)step(&f, FSM_EV_READY, now);
	}
}

static void
kills_from_outside_are_back_within_a_second_for_ever(void **state)
{
	struct fsm f;
	int64_t now = 100000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 1000; i++) {
		now += i % 3;
		assert_in_range(die(&f, now, FSM_EXIT_OUTSIDE), 0, 1000);
		if (f.state == FSM_BACKOFF)
			(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
		assert_int_equal(f.state, FSM_STARTING);
	}
	/* Not faster than four a second either. */
	assert_true(now - 100000 > 1000 * (FSM_OUTSIDE_MS - 10));
}

static void
failed_forks_are_nobodys_strike(void **state)
{
	struct fsm f;
	int64_t now = 1000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 200; i++) {
		assert_int_equal(step(&f, FSM_EV_FORK_FAILED, now), 0);
		assert_int_equal(f.state, FSM_BACKOFF);
		assert_in_range(f.deadline_ms - now, FSM_FORK_MS,
		    FSM_FORK_MAX_MS);
		now = f.deadline_ms;
		assert_int_equal(step(&f, FSM_EV_TICK, now), FSM_SPAWN);
	}
	assert_false(f.incident);
}

static void
who_is_asked_for_waits_and_is_nobodys_strike(void **state)
{
	struct fsm f;
	int64_t now = 1000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 200; i++) {
		assert_int_equal(step(&f, FSM_EV_ASKED, now), 0);
		assert_int_equal(f.state, FSM_WAITING);
		assert_false(f.alive);
		assert_false(fsm_settled(&f));
		/* With the answer, or without one by its date. */
		if (i % 2 == 0)
			now = f.deadline_ms;
		assert_int_equal(
		    step(&f, i % 2 == 0 ? FSM_EV_TICK : FSM_EV_GO, now),
		    FSM_SPAWN);
	}
	assert_int_equal(f.starts, 1);
	assert_int_equal(f.fork_ms, 0);
	assert_false(f.incident);
	/* One that is no longer wanted is not started by it. */
	(void)step(&f, FSM_EV_ASKED, now);
	(void)step(&f, FSM_EV_STOP, now);
	assert_int_equal(step(&f, FSM_EV_GO, now), 0);
	assert_int_equal(f.state, FSM_STOPPED);
}

static void
a_machine_without_room_is_asked_again_soon(void **state)
{
	struct fsm f;
	int64_t now = 1000;
	int i;

	(void)state;
	reach(&f, FSM_STARTING);
	for (i = 0; i < 200; i++) {
		assert_in_range(die(&f, now, FSM_EXIT_REFUSED), FSM_FORK_MS,
		    FSM_FORK_MAX_MS);
		assert_int_equal(f.state, FSM_BACKOFF);
		now = f.deadline_ms;
		assert_int_equal(step(&f, FSM_EV_TICK, now), FSM_SPAWN);
	}
	assert_false(f.incident);
	assert_false(f.degraded);
	(void)step(&f, FSM_EV_READY, now);
	assert_int_equal(f.fork_ms, 0);
}

static void
an_incident_is_told_once_and_ends_when_stable(void **state)
{
	struct fsm f;
	int64_t now = 100000;

	(void)state;
	reach(&f, FSM_READY);
	beat_work(&f, 1000);
	assert_true((step(&f, FSM_EV_EXIT, now) & FSM_DIED) != 0);
	(void)step(&f, FSM_EV_SWEPT, now);
	(void)step(&f, FSM_EV_READY, now);
	beat_work(&f, now);
	assert_true((step(&f, FSM_EV_EXIT, now) & FSM_DIED) == 0);
	(void)step(&f, FSM_EV_SWEPT, now);
	(void)step(&f, FSM_EV_TICK, now = f.deadline_ms);
	(void)step(&f, FSM_EV_READY, now);
	assert_int_equal(step(&f, FSM_EV_BEAT, now + FSM_STABLE_MS - 1), 0);
	assert_int_equal(step(&f, FSM_EV_BEAT, now + FSM_STABLE_MS),
	    FSM_RESOLVE);
	assert_int_equal(step(&f, FSM_EV_BEAT, now + 2 * FSM_STABLE_MS), 0);
}

static void
a_beat_moves_the_deadline_and_a_gap_renews_it(void **state)
{
	struct fsm f;

	(void)state;
	reach(&f, FSM_READY);
	(void)step(&f, FSM_EV_BEAT, 15000);
	assert_int_equal(step(&f, FSM_EV_TICK, 21000), 0);
	assert_int_equal(f.state, FSM_READY);
	(void)step(&f, FSM_EV_GAP, 90000);
	assert_int_equal(step(&f, FSM_EV_TICK, 90001), 0);
	assert_int_equal(f.deadline_ms, 90000 + policy.hang_ms);
	assert_int_equal(step(&f, FSM_EV_TICK, 110000), FSM_KILL);
	assert_int_equal(f.cause, FSM_CAUSE_HANG);
}

static void
what_cannot_die_is_told_once_and_has_no_twin(void **state)
{
	struct fsm f;
	unsigned actions;
	int i, told = 0;

	(void)state;
	reach(&f, FSM_KILLING);
	for (i = 0; i < 100; i++) {
		actions = step(&f, FSM_EV_TICK, f.deadline_ms);
		assert_true((actions & FSM_KILL) != 0);
		assert_true((actions & FSM_SPAWN) == 0);
		told += (actions & FSM_UNKILLABLE) != 0;
		assert_int_equal(step(&f, FSM_EV_START, f.deadline_ms), 0);
	}
	assert_int_equal(told, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_cell_goes_where_the_manual_says),
	    cmocka_unit_test(a_tick_that_is_early_decides_nothing),
	    cmocka_unit_test(restarts_at_once_then_doubles_up_to_the_cap),
	    cmocka_unit_test(
		steady_running_restarts_at_once_and_long_running_forgets),
	    cmocka_unit_test(five_strikes_in_the_window_open_the_circuit),
	    cmocka_unit_test(slow_deaths_and_deaths_after_work_are_no_strikes),
	    cmocka_unit_test(
		kills_from_outside_are_back_within_a_second_for_ever),
	    cmocka_unit_test(failed_forks_are_nobodys_strike),
	    cmocka_unit_test(who_is_asked_for_waits_and_is_nobodys_strike),
	    cmocka_unit_test(a_machine_without_room_is_asked_again_soon),
	    cmocka_unit_test(an_incident_is_told_once_and_ends_when_stable),
	    cmocka_unit_test(a_beat_moves_the_deadline_and_a_gap_renews_it),
	    cmocka_unit_test(what_cannot_die_is_told_once_and_has_no_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
