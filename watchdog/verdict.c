/* SPDX-License-Identifier: ISC */
/* After an unexpected death: how soon again, and who must hear of it. */
#include "watchdog/fsm.h"

/* +-20 %, so that daemons which fell together do not rise together. */
static int64_t
jitter(struct fsm *f, int64_t ms)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 17;
	f->random ^= f->random << 5;
	ms += ms * ((int64_t)(f->random % 401) - 200) / 1000;
	return ms < FSM_BACKOFF_MAX_MS ? ms : FSM_BACKOFF_MAX_MS;
}

/* At once the first time and whenever it had run steadily; else 0.25 s
 * doubling. */
static int64_t
ladder(struct fsm *f, int64_t now_ms)
{
	int64_t up_ms = f->was_ready ? now_ms - f->ready_ms : 0;
	bool fresh;

	if (up_ms >= FSM_RESET_MS && up_ms >= 2 * f->backoff_ms)
		f->backoff_ms = -1;
	fresh = f->backoff_ms == -1;
	if (fresh)
		f->backoff_ms = 0;
	if (fresh || up_ms >= FSM_STEADY_MS)
		return 0;
	f->backoff_ms = f->backoff_ms == 0 ? FSM_BACKOFF_MS : f->backoff_ms * 2;
	if (f->backoff_ms > FSM_BACKOFF_MAX_MS)
		f->backoff_ms = FSM_BACKOFF_MAX_MS;
	return jitter(f, f->backoff_ms);
}

/* A sliding window: the ring's oldest entry is the fifth strike back. */
static bool
strike_out(struct fsm *f, int64_t now_ms)
{
	int64_t fifth;

	f->strikes[f->strike_next] = now_ms;
	f->strike_next = (f->strike_next + 1) % FSM_STRIKES;
	fifth = f->strikes[f->strike_next];
	return fifth != 0 && now_ms - fifth <= FSM_STRIKE_WINDOW_MS;
}

static unsigned
died_by_itself(struct fsm *f, const struct fsm_input *in)
{
	int64_t now = in->now_ms;
	bool strike =
	    in->exit == FSM_EXIT_FAILED && (!f->was_ready || !f->worked);
	bool out = strike && strike_out(f, now);
	unsigned acts;

	if (out || (strike && f->degraded)) {
		acts = f->degraded ? 0 : FSM_DEGRADE;
		f->degraded = true;
		f->resume = FSM_DEGRADED;
		f->resume_ms = now + FSM_PROBE_MS;
		return acts;
	}
	f->resume = FSM_BACKOFF;
	f->resume_ms = now + ladder(f, now);
	return 0;
}

/* Somebody else's kill says nothing about the daemon: back at once, and not
 * more than four times a second for ever. */
static unsigned
died_from_outside(struct fsm *f, int64_t now)
{
	int64_t early_ms = FSM_OUTSIDE_MS - (now - f->started_ms);

	f->resume = FSM_BACKOFF;
	f->resume_ms = now + (early_ms > 0 ? early_ms : 0);
	return 0;
}

int64_t
fsm_next_fork_ms(struct fsm *f)
{
	f->fork_ms = f->fork_ms == 0 ? FSM_FORK_MS : f->fork_ms * 2;
	if (f->fork_ms > FSM_FORK_MAX_MS)
		f->fork_ms = FSM_FORK_MAX_MS;
	return f->fork_ms;
}

/* As a failed fork, only later: no incident, and soon again. */
static unsigned
refused(struct fsm *f, int64_t now)
{
	f->resume = FSM_BACKOFF;
	f->resume_ms = now + fsm_next_fork_ms(f);
	return 0;
}

static unsigned
needs_operator(struct fsm *f, int64_t now)
{
	unsigned acts = f->told_operator ? 0 : FSM_OPERATOR;

	f->told_operator = true;
	f->resume = FSM_NEEDS_OPERATOR;
	f->resume_ms = now + FSM_OPERATOR_MS;
	return acts;
}

unsigned
fsm_judge(struct fsm *f, const struct fsm_input *in)
{
	unsigned acts = f->incident ? 0 : FSM_DIED;

	if (in->exit == FSM_EXIT_REFUSED)
		return refused(f, in->now_ms);
	f->incident = true;
	switch (in->exit) {
	case FSM_EXIT_CONFIG:
		/* One message for one trouble: the operator's says it all. */
		return needs_operator(f, in->now_ms);
	case FSM_EXIT_OUTSIDE:
		return acts | died_from_outside(f, in->now_ms);
	case FSM_EXIT_FAILED:
	case FSM_EXIT_TEMPORARY:
	case FSM_EXIT_REFUSED:
		break;
	}
	return acts | died_by_itself(f, in);
}
