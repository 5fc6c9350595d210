/* SPDX-License-Identifier: ISC */
/* The supervisor's decisions, as a table of small handlers. */
#include <string.h>

#include "watchdog/fsm.h"

const char *const fsm_state_word[] = {
    [FSM_STOPPED] = "stopped",
    [FSM_WAITING] = "starting",
    [FSM_STARTING] = "starting",
    [FSM_READY] = "ready",
    [FSM_STOPPING] = "stopping",
    [FSM_KILLING] = "stopping",
    [FSM_CLEANING] = "stopping",
    [FSM_BACKOFF] = "backoff",
    [FSM_DEGRADED] = "degraded",
    [FSM_NEEDS_OPERATOR] = "needs-operator",
};

const char *const fsm_state_name[] = {
    [FSM_STOPPED] = "stopped",
    [FSM_WAITING] = "waiting",
    [FSM_STARTING] = "starting",
    [FSM_READY] = "ready",
    [FSM_STOPPING] = "stopping",
    [FSM_KILLING] = "killing",
    [FSM_CLEANING] = "cleaning",
    [FSM_BACKOFF] = "backoff",
    [FSM_DEGRADED] = "degraded",
    [FSM_NEEDS_OPERATOR] = "needs-operator",
};

const char *const fsm_event_name[] = {
    [FSM_EV_BOOT] = "boot",
    [FSM_EV_GO] = "go",
    [FSM_EV_START] = "start",
    [FSM_EV_STOP] = "stop",
    [FSM_EV_RESTART] = "restart",
    [FSM_EV_FORK_FAILED] = "fork-failed",
    [FSM_EV_ASKED] = "asked",
    [FSM_EV_READY] = "ready",
    [FSM_EV_BEAT] = "beat",
    [FSM_EV_EXIT] = "exit",
    [FSM_EV_SWEPT] = "swept",
    [FSM_EV_TICK] = "tick",
    [FSM_EV_STUCK] = "stuck",
    [FSM_EV_CHANGED] = "changed",
    [FSM_EV_GAP] = "gap",
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])
_Static_assert(ARRAY_LEN(fsm_state_word) == FSM__STATES, "a word a state");
_Static_assert(ARRAY_LEN(fsm_state_name) == FSM__STATES, "a name a state");
_Static_assert(ARRAY_LEN(fsm_event_name) == FSM__EVENTS, "a name an event");

/* One handler's arguments, so that the table has one type. */
struct turn {
	struct fsm *f;
	const struct fsm_policy *p;
	const struct fsm_input *in;
};

void
fsm_open(struct fsm *f, uint32_t seed)
{
	memset(f, 0, sizeof *f);
	f->backoff_ms = -1;
	f->random = seed != 0 ? seed : 1;
}

bool
fsm_settled(const struct fsm *f)
{
	return !f->wanted || f->state == FSM_READY ||
	       (f->state != FSM_WAITING && f->starts > 1) ||
	       f->state == FSM_BACKOFF || f->state == FSM_DEGRADED ||
	       f->state == FSM_NEEDS_OPERATOR;
}

static void
rest(struct fsm *f, enum fsm_state state, int64_t deadline_ms)
{
	f->state = state;
	f->deadline_ms = deadline_ms;
}

static unsigned
spawn(struct turn *t)
{
	struct fsm *f = t->f;

	rest(f, FSM_STARTING, t->in->now_ms + t->p->start_timeout_ms);
	f->alive = true;
	f->was_ready = false;
	f->worked = false;
	f->cause = FSM_CAUSE_NONE;
	f->kills = 0;
	f->started_ms = t->in->now_ms;
	f->ready_ms = 0;
	f->starts++;
	return FSM_SPAWN;
}

static void
forgive(struct fsm *f)
{
	memset(f->strikes, 0, sizeof f->strikes);
	f->backoff_ms = -1;
	f->fork_ms = 0;
	f->degraded = false;
	f->told_operator = false;
}

static unsigned
resolve(struct fsm *f)
{
	unsigned acts = f->incident ? FSM_RESOLVE : 0;

	f->incident = false;
	f->degraded = false;
	f->told_operator = false;
	return acts;
}

static unsigned
stand_down(struct turn *t)
{
	rest(t->f, FSM_STOPPED, 0);
	return resolve(t->f);
}

static unsigned
ignore(struct turn *t)
{
	(void)t;
	return 0;
}

static unsigned
boot(struct turn *t)
{
	t->f->wanted = true;
	rest(t->f, FSM_WAITING, t->in->now_ms + t->p->start_timeout_ms);
	return 0;
}

static unsigned
want_now(struct turn *t)
{
	t->f->wanted = true;
	forgive(t->f);
	return spawn(t);
}

static unsigned
try_again(struct turn *t)
{
	return spawn(t);
}

/* With a process there already: only what is remembered changes. */
static unsigned
want(struct turn *t)
{
	t->f->wanted = true;
	forgive(t->f);
	return 0;
}

static unsigned
want_down(struct turn *t)
{
	t->f->wanted = false;
	return 0;
}

static unsigned
give_up_waiting(struct turn *t)
{
	t->f->wanted = false;
	return stand_down(t);
}

static unsigned
terminate(struct turn *t, enum fsm_cause cause)
{
	t->f->cause = cause;
	rest(t->f, FSM_STOPPING, t->in->now_ms + t->p->stop_grace_ms);
	return FSM_TERM;
}

static unsigned
stop(struct turn *t)
{
	t->f->wanted = false;
	return terminate(t, FSM_CAUSE_ASKED);
}

static unsigned
restart(struct turn *t)
{
	t->f->wanted = true;
	forgive(t->f);
	return terminate(t, FSM_CAUSE_ASKED);
}

static unsigned
unstick(struct turn *t)
{
	return terminate(t, FSM_CAUSE_STUCK);
}

static unsigned
kill_it(struct turn *t)
{
	rest(t->f, FSM_KILLING, t->in->now_ms + FSM_REKILL_MS);
	t->f->kills++;
	/* Once, after about ten seconds: nothing more can be done than tell
	 * somebody; a twin is never started beside it. */
	return FSM_KILL | (t->f->kills == 10 ? FSM_UNKILLABLE : 0);
}

/* KILL at once: a loop that does not turn cannot act on TERM, and every
 * daemon of ours must survive a kill -9 anyway. */
static unsigned
start_timed_out(struct turn *t)
{
	t->f->cause = FSM_CAUSE_START_TIMEOUT;
	return kill_it(t);
}

static unsigned
hung(struct turn *t)
{
	t->f->cause = FSM_CAUSE_HANG;
	return kill_it(t);
}

static void
note_work(struct turn *t)
{
	if (t->in->work > 0)
		t->f->worked = true;
}

/* One hang deadline a beat, from when it came: it may have lain unread while
 * another one moved the deadline on. A long recovery that beats is progress. */
static unsigned
live_on(struct turn *t)
{
	int64_t until = t->in->now_ms + t->p->hang_ms;

	note_work(t);
	if (t->f->deadline_ms < until)
		t->f->deadline_ms = until;
	return 0;
}

static unsigned
beat(struct turn *t)
{
	struct fsm *f = t->f;

	(void)live_on(t);
	if (t->in->now_ms - f->ready_ms < FSM_STABLE_MS)
		return 0;
	return resolve(f);
}

static unsigned
become_ready(struct turn *t)
{
	note_work(t);
	t->f->was_ready = true;
	t->f->ready_ms = t->in->now_ms;
	t->f->fork_ms = 0;
	rest(t->f, FSM_READY, t->in->now_ms + t->p->hang_ms);
	return 0;
}

static unsigned
late(struct turn *t)
{
	int64_t full =
	    t->f->state == FSM_STOPPING ? t->p->stop_grace_ms : t->p->hang_ms;

	if (t->f->deadline_ms < t->in->now_ms + full)
		t->f->deadline_ms = t->in->now_ms + full;
	return 0;
}

static unsigned
died(struct turn *t)
{
	struct fsm *f = t->f;
	bool planned =
	    f->cause == FSM_CAUSE_ASKED || f->cause == FSM_CAUSE_STUCK;

	f->alive = false;
	rest(f, FSM_CLEANING, t->in->now_ms + FSM_CLEAN_MS);
	if (!planned)
		return FSM_SWEEP | fsm_judge(f, t->in);
	f->resume = FSM_BACKOFF;
	f->resume_ms = t->in->now_ms;
	return FSM_SWEEP;
}

static unsigned
cleaned(struct turn *t)
{
	struct fsm *f = t->f;

	if (!f->wanted)
		return stand_down(t);
	if (f->resume == FSM_BACKOFF && f->resume_ms <= t->in->now_ms)
		return spawn(t);
	rest(f, f->resume, f->resume_ms);
	return 0;
}

/* Start while the last one's leftovers are still being removed: at once
 * behind that. */
static unsigned
want_after_cleaning(struct turn *t)
{
	t->f->resume = FSM_BACKOFF;
	t->f->resume_ms = t->in->now_ms;
	return want(t);
}

/* The machine's trouble and not the daemon's: no strike, no incident. */
static unsigned
fork_failed(struct turn *t)
{
	struct fsm *f = t->f;

	f->alive = false;
	f->starts--;
	rest(f, FSM_BACKOFF, t->in->now_ms + fsm_next_fork_ms(f));
	return 0;
}

/* Nothing was made yet, and nothing failed: it waits, as at boot, for its turn,
 * which comes with the answer. */
static unsigned
wait_for_answer(struct turn *t)
{
	struct fsm *f = t->f;

	f->alive = false;
	f->starts--;
	rest(f, FSM_WAITING, t->in->now_ms + t->p->start_timeout_ms);
	return 0;
}

typedef unsigned handler(struct turn *);

/* Cells that are not named ignore their event. */
static handler *const table[FSM__STATES][FSM__EVENTS] = {
    [FSM_STOPPED] =
	{
	    [FSM_EV_BOOT] = boot,
	    [FSM_EV_START] = want_now,
	    [FSM_EV_RESTART] = want_now,
	},
    [FSM_WAITING] =
	{
	    [FSM_EV_GO] = try_again,
	    [FSM_EV_TICK] = try_again,
	    [FSM_EV_START] = want_now,
	    [FSM_EV_RESTART] = want_now,
	    [FSM_EV_STOP] = give_up_waiting,
	},
    [FSM_STARTING] =
	{
	    [FSM_EV_START] = want,
	    [FSM_EV_STOP] = stop,
	    [FSM_EV_RESTART] = restart,
	    [FSM_EV_FORK_FAILED] = fork_failed,
	    [FSM_EV_ASKED] = wait_for_answer,
	    [FSM_EV_READY] = become_ready,
	    [FSM_EV_BEAT] = live_on,
	    [FSM_EV_EXIT] = died,
	    [FSM_EV_TICK] = start_timed_out,
	    [FSM_EV_GAP] = late,
	},
    [FSM_READY] =
	{
	    [FSM_EV_START] = want,
	    [FSM_EV_STOP] = stop,
	    [FSM_EV_RESTART] = restart,
	    [FSM_EV_READY] = beat,
	    [FSM_EV_BEAT] = beat,
	    [FSM_EV_EXIT] = died,
	    [FSM_EV_TICK] = hung,
	    [FSM_EV_STUCK] = unstick,
	    [FSM_EV_GAP] = late,
	},
    [FSM_STOPPING] =
	{
	    [FSM_EV_BOOT] = want,
	    [FSM_EV_START] = want,
	    [FSM_EV_STOP] = want_down,
	    [FSM_EV_RESTART] = want,
	    [FSM_EV_EXIT] = died,
	    [FSM_EV_TICK] = kill_it,
	    [FSM_EV_GAP] = late,
	},
    [FSM_KILLING] =
	{
	    [FSM_EV_BOOT] = want,
	    [FSM_EV_START] = want,
	    [FSM_EV_STOP] = want_down,
	    [FSM_EV_RESTART] = want,
	    [FSM_EV_EXIT] = died,
	    [FSM_EV_TICK] = kill_it,
	},
    [FSM_CLEANING] =
	{
	    [FSM_EV_BOOT] = want_after_cleaning,
	    [FSM_EV_START] = want_after_cleaning,
	    [FSM_EV_STOP] = want_down,
	    [FSM_EV_RESTART] = want_after_cleaning,
	    [FSM_EV_SWEPT] = cleaned,
	    [FSM_EV_TICK] = cleaned,
	},
    [FSM_BACKOFF] =
	{
	    [FSM_EV_START] = want_now,
	    [FSM_EV_STOP] = give_up_waiting,
	    [FSM_EV_RESTART] = want_now,
	    [FSM_EV_TICK] = try_again,
	    [FSM_EV_CHANGED] = try_again,
	},
    [FSM_DEGRADED] =
	{
	    [FSM_EV_START] = want_now,
	    [FSM_EV_STOP] = give_up_waiting,
	    [FSM_EV_RESTART] = want_now,
	    [FSM_EV_TICK] = try_again,
	    [FSM_EV_CHANGED] = try_again,
	},
    [FSM_NEEDS_OPERATOR] =
	{
	    [FSM_EV_START] = want_now,
	    [FSM_EV_STOP] = give_up_waiting,
	    [FSM_EV_RESTART] = want_now,
	    [FSM_EV_TICK] = try_again,
	    [FSM_EV_CHANGED] = try_again,
	},
};

unsigned
fsm_step(struct fsm *f, const struct fsm_policy *p, const struct fsm_input *in)
{
	struct turn t = {.f = f, .p = p, .in = in};
	handler *h = table[f->state][in->event];

	/* A tick is a claim about time: one that is early (the deadline has
	 * moved on since it was armed) decides nothing. */
	if (in->event == FSM_EV_TICK &&
	    (f->deadline_ms == 0 || in->now_ms < f->deadline_ms))
		h = NULL;
	return h != NULL ? h(&t) : ignore(&t);
}
