/* SPDX-License-Identifier: ISC */
/* Carries out what the state machines decide. */
#include <signal.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "watchdog/channel.h"
#include "watchdog/launch.h"
#include "watchdog/orphans.h"
#include "watchdog/watchdog.h"

#define SWEEP_AGAIN_MS 2
#define SERVICES_SEEN 256

static struct fsm_policy
policy(const struct watchdog *w)
{
	const struct watchdog_settings *s = &w->settings->watchdog;
	/* An executor hands its patch back within stop_grace; the margin is
	 * for saying so on a slow disk. */
	return (struct fsm_policy){.hang_ms = s->hang,
	    .start_timeout_ms = s->start_timeout,
	    .stop_grace_ms = s->stop_grace + 2000};
}

size_t
supervise_errands(const struct watchdog *w, pid_t *pids, size_t max)
{
	const struct errand *h;
	size_t n = 0;

	if (w->writer.pid != 0)
		pids[n++] = w->writer.pid;
	TAILQ_FOREACH (h, &w->errands, link)
		if (n < max)
			pids[n++] = h->pid;
	return n;
}

static void
collect(struct watchdog *w, pid_t *pids, struct orphans *o)
{
	struct service *s;

	o->known = o->living = pids;
	o->known_count = supervise_errands(w, pids, SERVICES_SEEN);
	TAILQ_FOREACH (s, &w->services, link)
		if (s->fsm.alive && o->known_count < SERVICES_SEEN)
			pids[o->known_count++] = s->pid;
	o->living_count = o->known_count;
	TAILQ_FOREACH (s, &w->services, link)
		if (!s->fsm.alive && s->pid != 0 &&
		    o->known_count < SERVICES_SEEN)
			pids[o->known_count++] = s->pid;
}

bool
supervise_sweep(struct watchdog *w)
{
	pid_t pids[SERVICES_SEEN];
	struct orphans o = {0};
	bool clean;

	collect(w, pids, &o);
	/* The kernel's list may miss one while others come and go: twice. */
	clean = orphans_round(&o) == 0;
	return clean && orphans_round(&o) == 0;
}

static void
on_sweep(struct loop *l, struct timer *t)
{
	struct service *s = t->owner;
	struct watchdog *w = s->owner;

	if (!supervise_sweep(w)) {
		loop_after(l, t, SWEEP_AGAIN_MS);
		return;
	}
	supervise_feed(s, FSM_EV_SWEPT);
	supervise_settle(w);
}

/* Who waits for the disk that we wait for too is not hung by itself. */
static bool
waits_for_disk(const struct service *s)
{
	const struct watchdog *w = s->owner;

	return (s->fsm.state == FSM_STARTING || s->fsm.state == FSM_READY) &&
	       s->fsm.deadline_ms <= clock_mono_ms() &&
	       (writer_hangs(w) ||
		   check_holds(&w->check, "disk-hangs", w->tree->path));
}

static void arm(struct service *s);

static void
on_deadline(struct loop *l, struct timer *t)
{
	struct service *s = t->owner;
	struct watchdog *w = s->owner;
	/* Before anybody is judged: were we late, and is proof of life still
	 * unread? */
	int64_t awake_ms = supervise_gap(w);

	(void)l;
	service_listen(s);
	/* We may have been stopped since then. */
	if (s->fsm.deadline_ms > awake_ms)
		arm(s);
	else
		supervise_feed(s, waits_for_disk(s) ? FSM_EV_GAP : FSM_EV_TICK);
	supervise_settle(w);
}

static void
arm(struct service *s)
{
	struct loop *l = &s->owner->loop;
	int64_t now = clock_mono_ms();

	s->deadline.on = on_deadline;
	s->deadline.owner = s;
	if (s->fsm.deadline_ms == 0)
		loop_cancel(l, &s->deadline);
	else if (!s->deadline.armed || s->deadline.at_ms != s->fsm.deadline_ms)
		loop_after(l, &s->deadline, s->fsm.deadline_ms - now);
	channel_attend(s);
}

static int
begin(struct service *s)
{
	switch (service_start(s)) {
	case 0:
		return -1;
	case LAUNCH_LATER:
		return FSM_EV_ASKED;
	default:
		return FSM_EV_FORK_FAILED;
	}
}

/* Starts or ends; the event that it brings about at once, or -1. */
static int
act_on_process(struct service *s, unsigned actions)
{
	if ((actions & FSM_TERM) != 0) {
		service_signal(s, SIGTERM);
		service_signal(s, SIGCONT);
	}
	if ((actions & FSM_KILL) != 0)
		service_signal(s, SIGKILL);
	if ((actions & FSM_SWEEP) != 0) {
		s->sweep.on = on_sweep;
		s->sweep.owner = s;
		if (supervise_sweep(s->owner))
			return FSM_EV_SWEPT;
		loop_after(&s->owner->loop, &s->sweep, SWEEP_AGAIN_MS);
	}
	return (actions & FSM_SPAWN) != 0 ? begin(s) : -1;
}

static void
before(struct service *s, struct fsm_input *in)
{
	if (in->event == FSM_EV_EXIT) {
		in->exit = service_autopsy(s);
		/* Before its successor is started: should we end meanwhile,
		 * its writer has it. */
		report_death(s);
	}
	/* Behind cleaning a new process may follow in the same step. */
	if (s->fsm.state == FSM_CLEANING &&
	    (in->event == FSM_EV_SWEPT ||
		(in->event == FSM_EV_TICK &&
		    in->now_ms >= s->fsm.deadline_ms))) {
		loop_cancel(&s->owner->loop, &s->sweep);
		service_bury(s);
	}
}

static void
after(struct service *s, enum fsm_state was, bool ended, unsigned actions)
{
	if (ended)
		report_exit(s);
	if ((actions & FSM_SPAWN) != 0 && s->fsm.state == FSM_STARTING)
		report_start(s);
	if (s->fsm.state == FSM_READY && was != FSM_READY)
		log_info("%s: ready", s->name);
	if (s->fsm.state == FSM_STOPPED && was != FSM_STOPPED)
		log_info("%s: stopped", s->name);
	report_service(s, actions);
	if ((actions & (FSM_DIED | FSM_RESOLVE)) != 0)
		(void)memory_save(s->owner);
}

void
supervise_feed(struct service *s, enum fsm_event event)
{
	struct fsm_policy p = policy(s->owner);
	enum fsm_state was = s->fsm.state;
	unsigned actions, all = 0;
	int next = (int)event;

	while (next != -1) {
		struct fsm_input in = {.event = (enum fsm_event)next,
		    .now_ms =
			next == FSM_EV_BEAT ? s->beat_ms : clock_mono_ms(),
		    .work = s->work};

		before(s, &in);
		actions = fsm_step(&s->fsm, &p, &in);
		next = act_on_process(s, actions);
		all |= actions;
	}
	arm(s);
	/* The process first, records and people second: an alert is a handful
	 * of fsyncs, and a restart is not to wait for them. */
	after(s, was, event == FSM_EV_EXIT, all);
}

void
supervise_resume(struct service *s)
{
	if (s->fsm.state == FSM_CLEANING) {
		s->sweep.on = on_sweep;
		s->sweep.owner = s;
		loop_after(&s->owner->loop, &s->sweep, 0);
	}
	/* The time between two images is nobody's fault. */
	supervise_feed(s, FSM_EV_GAP);
}

int64_t
supervise_gap(struct watchdog *w)
{
	const struct watchdog_settings *set = &w->settings->watchdog;
	int64_t slack_ms = set->hang / 8;
	int64_t now = clock_mono_ms();
	struct service *s;

	if (now - w->due_ms <= slack_ms)
		return now;
	w->late++;
	w->fallback.well_ms = now;
	log_warnx("watchdog: late by %lld ms, deadlines begin anew",
	    (long long)(now - w->due_ms));
	TAILQ_FOREACH (s, &w->services, link) {
		service_listen(s);
		supervise_feed(s, FSM_EV_GAP);
	}
	watchdog_pulse(w, now);
	return now;
}

void
supervise_listen(struct watchdog *w)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		service_listen(s);
}

static bool
turn_has_come(struct watchdog *w, const struct service *waiting)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->kind->tier < waiting->kind->tier &&
		    !fsm_settled(&s->fsm))
			return false;
	return true;
}

static void
start_waiting(struct watchdog *w)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->fsm.state == FSM_WAITING && turn_has_come(w, s))
			supervise_feed(s, FSM_EV_GO);
}

static int
highest_tier(struct watchdog *w)
{
	struct service *s;
	int tier = -1;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->fsm.state != FSM_STOPPED && s->kind->tier > tier)
			tier = s->kind->tier;
	return tier;
}

/* The highest tier with somebody left goes next; the loop ends behind the
 * last. */
static void
stop_next(struct watchdog *w)
{
	struct service *s;
	int tier, done = -1;

	/* Those without a process stop at once: go on with the next tier. */
	while ((tier = highest_tier(w)) != -1 && tier != done) {
		done = tier;
		TAILQ_FOREACH (s, &w->services, link)
			if (s->kind->tier == tier && s->fsm.wanted)
				supervise_feed(s, FSM_EV_STOP);
	}
	if (tier == -1)
		loop_stop(&w->loop);
}

static void
drop(struct watchdog *w, struct service *s)
{
	TAILQ_REMOVE(&w->services, s, link);
	log_info("%s: removed", s->name);
	service_free(s);
}

static void
drop_removed(struct watchdog *w)
{
	struct service *s, *next;

	TAILQ_FOREACH_SAFE (s, &w->services, link, next)
		if (s->going && s->fsm.state == FSM_STOPPED)
			drop(w, s);
}

void
supervise_settle(struct watchdog *w)
{
	/* Feeding may bring us back here; the outer call sees it all. */
	if (w->settling)
		return;
	w->settling = true;
	if (w->going_down)
		stop_next(w);
	else
		start_waiting(w);
	drop_removed(w);
	w->settling = false;
}
