/* SPDX-License-Identifier: ISC */
/*
 * A whole suite in virtual time: five machines of the supervisor, processes
 * that start, beat, hang, crash and are killed, and a supervisor that is
 * stalled, frozen together with them, stepped in its clock and executed anew.
 * Behind every step the invariants of supervision are looked at. PATCHFLOW_SEED
 * chooses other schedules, PATCHFLOW_LONG millions of steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "watchdog/handover_part.h"
#include "watchdog/notify.h"
#include "watchdog/watchdog.h"

#define SERVICES 5
#define NEVER INT64_MAX
#define BEAT_MS 5000
#define PULSE_MS 5000
#define SOCKET_MESSAGES 10
#define YEAR_US (INT64_C(365) * 86400 * 1000000)

static const struct fsm_policy policy = {
    .hang_ms = 20000, .start_timeout_ms = 30000, .stop_grace_ms = 12000};

/* What the kernel knows of one daemon. */
struct process {
	bool exists; /* lives, or waits to be reaped */
	bool dead;
	bool hung;
	enum fsm_exit exit;
	int64_t ready_ms; /* when it will say so; NEVER: said */
	int64_t beat_ms;
	int64_t exit_ms;
};

struct daemon {
	struct fsm fsm;
	struct process p;
	bool said_ready;
	bool dying; /* its leftovers are still being removed */
	int64_t waiting[SOCKET_MESSAGES]; /* wall clock of unread beats */
	int count;
	int64_t empty_ms;
	int64_t last_beat_ms; /* the newest that reached the socket */
	bool broken;          /* crashes at every start */
};

struct world {
	struct daemon d[SERVICES];
	int64_t now;
	int64_t wall_us;
	int64_t pulse_ms;
	int64_t stalled_ms; /* the supervisor does nothing until then */
	int64_t gap_ms;     /* when it last forgave everybody */
	bool exact;         /* a hang must be found on time */
	bool no_gap;        /* a wrong one, that never sees itself late */
	uint64_t random;
	uint64_t hangs, wrongs, starts;
};

static uint32_t
draw(struct world *w, uint32_t below)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % below;
}

static void feed_at(struct world *w, struct daemon *d, struct fsm_input in);

static void
feed(struct world *w, struct daemon *d, enum fsm_event event)
{
	feed_at(w, d,
	    (struct fsm_input){.event = event,
		.now_ms = w->now,
		.exit = d->p.exit});
}

static void
start_process(struct world *w, struct daemon *d)
{
	uint32_t kind = draw(w, 100);

	/* I1: whoever is there is waited for first. */
	assert_false(d->p.exists);
	if (kind < 5) {
		feed(w, d, FSM_EV_FORK_FAILED);
		return;
	}
	d->p = (struct process){.exists = true,
	    .exit = (enum fsm_exit)draw(w, 4),
	    .ready_ms = w->now + draw(w, 2000),
	    .beat_ms = NEVER,
	    .exit_ms = NEVER};
	d->said_ready = false;
	d->count = 0;
	d->last_beat_ms = w->now;
	w->starts++;
	if (d->broken || kind < 15) /* an exec error, or a crash at once */
		d->p.exit_ms = w->now + draw(w, 50);
	else if (kind < 18) /* never gets ready */
		d->p.ready_ms = NEVER;
	else if (kind < 60)
		d->p.exit_ms = w->now + draw(w, 600000);
}

/* A kill for a hang is right only where there is one, and then on time. */
static void
judge_kill(struct world *w, const struct daemon *d)
{
	if (d->fsm.cause != FSM_CAUSE_HANG || d->fsm.kills > 1)
		return;
	w->hangs++;
	w->wrongs += !d->p.hung;
	if (!d->p.hung && !w->no_gap)
		fail_msg("a daemon that beat at %lld is killed at %lld",
		    (long long)d->last_beat_ms, (long long)w->now);
	if (w->exact && d->last_beat_ms > w->gap_ms)
		assert_in_range(w->now - d->last_beat_ms, policy.hang_ms,
		    policy.hang_ms + 250);
}

static void
act(struct world *w, struct daemon *d, unsigned actions)
{
	if ((actions & FSM_TERM) != 0 && !d->p.hung)
		d->p.exit_ms = w->now + draw(w, 14000);
	if ((actions & FSM_KILL) != 0) {
		judge_kill(w, d);
		d->p.exit_ms = w->now + (draw(w, 50) == 0 ? 5000 : 1);
		d->p.hung = false; /* the kernel needs nobody's help */
	}
	if ((actions & FSM_SWEEP) != 0)
		d->dying = true;
	if ((actions & FSM_SPAWN) != 0)
		start_process(w, d);
}

static void
feed_at(struct world *w, struct daemon *d, struct fsm_input in)
{
	bool buried =
	    d->fsm.state == FSM_CLEANING &&
	    (in.event == FSM_EV_SWEPT ||
		(in.event == FSM_EV_TICK && in.now_ms >= d->fsm.deadline_ms));

	if (buried) {
		d->p.exists = false;
		d->dying = false;
	}
	act(w, d, fsm_step(&d->fsm, &policy, &in));
}

static void
listen_to(struct world *w, struct daemon *d)
{
	int i, count = d->count;

	d->count = 0;
	if (d->said_ready && d->fsm.state == FSM_STARTING)
		feed(w, d, FSM_EV_READY);
	for (i = 0; i < count; i++)
		feed_at(w, d,
		    (struct fsm_input){.event = FSM_EV_BEAT,
			.now_ms = notify_arrival(w->now,
			    w->wall_us - d->waiting[i], d->empty_ms),
			.work = draw(w, 2)});
	d->empty_ms = w->now;
}

static void
look_for_gap(struct world *w)
{
	int i;

	if (w->no_gap || w->now - w->pulse_ms <= policy.hang_ms / 8)
		return;
	w->gap_ms = w->now;
	w->pulse_ms = w->now + PULSE_MS;
	for (i = 0; i < SERVICES; i++) {
		listen_to(w, &w->d[i]);
		feed(w, &w->d[i], FSM_EV_GAP);
	}
}

static void
supervise_one(struct world *w, struct daemon *d)
{
	if (d->p.exists && d->p.dead && d->fsm.alive) {
		listen_to(w, d);
		feed(w, d, FSM_EV_EXIT);
	}
	if (d->dying && d->fsm.state == FSM_CLEANING && draw(w, 3) != 0)
		feed(w, d, FSM_EV_SWEPT);
	if (d->fsm.state == FSM_STARTING)
		listen_to(w, d);
	if (d->fsm.state == FSM_WAITING)
		feed(w, d, FSM_EV_GO);
	if (d->fsm.deadline_ms != 0 && d->fsm.deadline_ms <= w->now) {
		look_for_gap(w);
		listen_to(w, d);
		feed(w, d, FSM_EV_TICK);
	}
}

/* One turn of the supervisor's loop. */
static void
supervise(struct world *w)
{
	int i, first = (int)draw(w, SERVICES);

	if (w->stalled_ms > w->now)
		return;
	for (i = 0; i < SERVICES; i++)
		supervise_one(w, &w->d[(first + i) % SERVICES]);
	if (w->pulse_ms > w->now)
		return;
	look_for_gap(w);
	for (i = 0; i < SERVICES; i++)
		listen_to(w, &w->d[i]);
	w->pulse_ms = w->now + PULSE_MS;
}

static void
live(struct world *w, struct daemon *d)
{
	struct process *p = &d->p;

	if (!p->exists || p->dead)
		return;
	if (p->exit_ms <= w->now) {
		p->dead = true;
		return;
	}
	if (p->hung)
		return;
	if (p->ready_ms <= w->now) {
		d->said_ready = true;
		p->ready_ms = NEVER;
		p->beat_ms = w->now;
	}
	if (p->beat_ms <= w->now) {
		/* A full socket loses the beat and blocks nobody. */
		if (d->count < SOCKET_MESSAGES)
			d->waiting[d->count++] = w->wall_us;
		d->last_beat_ms = w->now;
		p->beat_ms = w->now + BEAT_MS;
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
next_of(const struct world *w, const struct daemon *d)
{
	const struct process *p = &d->p;
	int64_t next = NEVER, mine = NEVER;

	if (d->fsm.deadline_ms != 0)
		mine = d->fsm.deadline_ms;
	if (d->dying || (p->exists && p->dead) || d->count > 0)
		mine = earlier(mine, w->now + 2);
	if (mine != NEVER && mine < w->stalled_ms)
		mine = w->stalled_ms;
	if (p->exists && !p->dead)
		next = p->hung ? p->exit_ms
			       : earlier(p->exit_ms,
				     earlier(p->ready_ms, p->beat_ms));
	return earlier(next, mine);
}

/* Everybody stands still, the monotonic clock does not; who moves first
 * afterwards is anybody's guess. */
static void
freeze(struct world *w, int64_t ms)
{
	int i;

	w->now += ms;
	w->wall_us += ms * 1000;
	w->stalled_ms = w->now + draw(w, 2000);
	for (i = 0; i < SERVICES; i++) {
		struct process *p = &w->d[i].p;
		int64_t thaw = w->now + draw(w, 2000);

		if (p->ready_ms < thaw)
			p->ready_ms = thaw;
		if (p->beat_ms < thaw)
			p->beat_ms = thaw;
		if (p->exit_ms < thaw)
			p->exit_ms = thaw;
	}
}

/* The state of each machine through a handover's table and back. */
static void
execute_anew(struct world *w)
{
	static struct service s, t;
	int i;

	for (i = 0; i < SERVICES; i++) {
		json_t *doc;

		s.fsm = w->d[i].fsm;
		memset(&t.fsm, 0xa5, sizeof t.fsm);
		doc = row_write(handover_service_rows, &s);
		assert_non_null(doc);
		assert_true(row_read(handover_service_rows, doc, &t));
		json_decref(doc);
		assert_memory_equal(&t.fsm.strikes, &s.fsm.strikes,
		    sizeof s.fsm.strikes);
		w->d[i].fsm = t.fsm;
		feed(w, &w->d[i], FSM_EV_GAP);
		w->gap_ms = w->now;
	}
}

static void
disturb(struct world *w)
{
	static const enum fsm_event commands[] = {FSM_EV_START, FSM_EV_START,
	    FSM_EV_STOP, FSM_EV_RESTART, FSM_EV_STUCK, FSM_EV_CHANGED};
	struct daemon *d = &w->d[draw(w, SERVICES)];

	switch (draw(w, 9)) {
	case 0:
	case 1:
	case 2:
		feed(w, d, commands[draw(w, 6)]);
		break;
	case 3:
		d->p.hung = d->p.exists && !d->p.dead;
		break;
	case 4: /* somebody else's kill */
		d->p.exit = FSM_EXIT_OUTSIDE;
		d->p.exit_ms = earlier(d->p.exit_ms, w->now);
		break;
	case 5:
		freeze(w, draw(w, 120000));
		break;
	case 6:
		w->stalled_ms = w->now + draw(w, 60000);
		break;
	case 7:
		w->wall_us += draw(w, 2) == 0 ? YEAR_US : -YEAR_US;
		w->exact = false;
		break;
	default:
		if (w->stalled_ms <= w->now)
			execute_anew(w);
		break;
	}
}

static void
hold_invariants(const struct world *w)
{
	int i;

	for (i = 0; i < SERVICES; i++) {
		const struct daemon *d = &w->d[i];
		const struct fsm *f = &d->fsm;

		/* I3, I4: a process is one that the machine knows of, or is
		 * about to be reaped. */
		if (d->p.exists && !d->p.dead)
			assert_true(f->alive);
		if (f->alive)
			assert_true(d->p.exists);
		if (d->p.exists && !f->alive)
			assert_int_equal(f->state, FSM_CLEANING);
		/* I2: wanted means running, or dated and soon; whoever runs
		 * has a date by which it is judged. */
		if (f->wanted || f->alive) {
			assert_int_not_equal(f->state, FSM_STOPPED);
			assert_true(f->deadline_ms > 0);
		}
		if (f->wanted && !f->alive)
			assert_true(f->deadline_ms <= w->now + FSM_CAP_MS);
		/* I5: what is due has been looked at. */
		if (w->stalled_ms <= w->now && f->deadline_ms != 0)
			assert_true(f->deadline_ms > w->now);
	}
}

static void
step(struct world *w)
{
	int64_t next =
	    w->pulse_ms > w->stalled_ms ? w->pulse_ms : w->stalled_ms;
	int i;

	for (i = 0; i < SERVICES; i++)
		next = earlier(next, next_of(w, &w->d[i]));
	if (next <= w->now)
		next = w->now + 1;
	w->wall_us += (next - w->now) * 1000;
	w->now = next;
	for (i = 0; i < SERVICES; i++)
		live(w, &w->d[i]);
	supervise(w);
	hold_invariants(w);
}

static void
open_world(struct world *w, uint64_t seed)
{
	int i;

	*w = (struct world){.now = 1000,
	    .wall_us = INT64_C(1700000000000000),
	    .pulse_ms = 1000 + PULSE_MS,
	    .exact = true,
	    .random = seed};
	for (i = 0; i < SERVICES; i++) {
		fsm_open(&w->d[i].fsm, (uint32_t)seed + 1);
		feed(w, &w->d[i], FSM_EV_BOOT);
	}
}

/* Left alone, with daemons that work, everybody comes up again. */
static void
come_up(struct world *w)
{
	int64_t until;
	int i, up = 0;

	for (i = 0; i < SERVICES; i++)
		feed(w, &w->d[i], FSM_EV_START);
	until = w->now + 10 * FSM_CAP_MS;
	while (w->now < until && up < SERVICES) {
		step(w);
		for (i = up = 0; i < SERVICES; i++)
			up += w->d[i].fsm.state == FSM_READY;
	}
	assert_int_equal(up, SERVICES);
}

static void
whatever_happens_the_invariants_hold(void **state)
{
	const char *asked = getenv("PATCHFLOW_SEED");
	uint64_t seed = asked != NULL ? strtoull(asked, NULL, 10) : 1;
	int worlds = getenv("PATCHFLOW_LONG") != NULL ? 5000 : 100;
	uint64_t hangs = 0, starts = 0;
	struct world w;
	int n, i;

	(void)state;
	for (n = 0; n < worlds; n++) {
		open_world(&w, seed + (uint64_t)n);
		for (i = 0; i < 1000; i++) {
			if (draw(&w, 10) == 0)
				disturb(&w);
			step(&w);
		}
		come_up(&w);
		hangs += w.hangs;
		starts += w.starts;
	}
	assert_true(starts > (uint64_t)worlds * 20);
	assert_true(hangs > (uint64_t)worlds / 4);
	print_message("# starts %lu, hangs %lu\n", (unsigned long)starts,
	    (unsigned long)hangs);
}

/* Freezes (a suspend is one), stalls and clock steps of a year, but daemons
 * that never fail. */
static void
trouble_the_time(struct world *w)
{
	int k;

	for (k = 0; k < SERVICES; k++)
		if (w->d[k].fsm.cause == FSM_CAUSE_NONE)
			w->d[k].p.exit_ms = NEVER;
	if (draw(w, 10) == 0)
		freeze(w, draw(w, 120000));
	if (draw(w, 10) == 0)
		w->stalled_ms = w->now + draw(w, 60000);
	if (draw(w, 10) == 0)
		w->wall_us += draw(w, 2) == 0 ? YEAR_US : -YEAR_US;
	step(w);
}

static void
who_beats_is_never_killed(void **state)
{
	const bool longer = getenv("PATCHFLOW_LONG") != NULL;
	struct world w;
	int n, i;

	(void)state;
	for (n = 0; n < (longer ? 2000 : 40); n++) {
		open_world(&w, 77 + (uint64_t)n);
		for (i = 0; i < 1000; i++)
			trouble_the_time(&w);
		assert_int_equal(w.hangs, 0);
	}
}

/* The same time for one that does not see itself late: the test above can
 * fail. */
static void
a_wrong_supervisor_kills_them(void **state)
{
	uint64_t wrongs = 0;
	struct world w;
	int n, i;

	(void)state;
	for (n = 0; n < 20; n++) {
		open_world(&w, 77 + (uint64_t)n);
		w.exact = false;
		w.no_gap = true;
		for (i = 0; i < 1000; i++)
			trouble_the_time(&w);
		wrongs += w.wrongs;
	}
	print_message("# killed for nothing %lu\n", (unsigned long)wrongs);
	assert_true(wrongs > 20);
}

/* A daemon that cannot run until what it needs is back: never asked for. */
static void
what_it_needs_comes_back(void **state)
{
	static const int64_t gone_ms[] = {1000, 600000, 36000000};
	struct world w;
	int64_t back;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < 3; i++) {
		open_world(&w, 5 + i);
		for (k = 1; k < SERVICES; k++)
			feed(&w, &w.d[k], FSM_EV_STOP);
		w.d[0].broken = true;
		w.d[0].p.exit_ms = w.now;
		back = w.now + gone_ms[i];
		while (w.now < back) {
			w.d[0].p.exit = FSM_EXIT_FAILED;
			step(&w);
		}
		w.d[0].broken = false;
		while (w.d[0].fsm.state != FSM_STARTING &&
		       w.d[0].fsm.state != FSM_READY)
			step(&w);
		assert_true(w.now <= back + FSM_PROBE_MS);
		assert_true(w.starts < (uint64_t)gone_ms[i] / 50000 + 20);
	}
}

static void
the_wall_clock_cannot_age_a_beat(void **state)
{
	(void)state;
	/* Read at 100 s, the socket was empty at 95 s. */
	assert_int_equal(notify_arrival(100000, 3000000, 95000), 97000);
	assert_int_equal(notify_arrival(100000, 0, 95000), 100000);
	assert_int_equal(notify_arrival(100000, YEAR_US, 95000), 95000);
	assert_int_equal(notify_arrival(100000, -YEAR_US, 95000), 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whatever_happens_the_invariants_hold),
	    cmocka_unit_test(who_beats_is_never_killed),
	    cmocka_unit_test(a_wrong_supervisor_kills_them),
	    cmocka_unit_test(what_it_needs_comes_back),
	    cmocka_unit_test(the_wall_clock_cannot_age_a_beat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
