/* SPDX-License-Identifier: ISC */
/*
 * What to do with one daemon: state x event -> actions. Pure: no clock, no
 * process, no file; the caller says what happened and when (monotonic ms),
 * carries the actions out, and comes back with FSM_EV_TICK at deadline_ms.
 *
 *   stopped --start--> starting --ready--> ready
 *   waiting --go-----> starting           (at boot: those before it first)
 *   starting --asked-> waiting            (its account is looked up)
 *   starting, ready --stop--> stopping --grace over--> killing
 *   starting, ready --deadline--> killing
 *   any with a process --exit--> cleaning --swept--> stopped | starting |
 *       backoff | degraded | needs-operator, each of the last three dated
 *
 * Invariants (the simulator in tests/unit/test_fsm.c holds them): FSM_SPAWN is
 * asked for only with no process alive; a daemon that is wanted has a process
 * or a deadline at most FSM_CAP_MS ahead.
 */
#ifndef WATCHDOG_FSM_H
#define WATCHDOG_FSM_H

#include <stdbool.h>
#include <stdint.h>

#define FSM_STRIKES 5              /* so many ... */
#define FSM_STRIKE_WINDOW_MS 30000 /* ... in so long: degraded */
#define FSM_STABLE_MS 30000        /* ready for so long: incident over */
#define FSM_STEADY_MS 10000        /* ready for so long: restart at once */
#define FSM_RESET_MS 60000         /* ready for so long: ladder forgotten */
#define FSM_BACKOFF_MS 250
#define FSM_BACKOFF_MAX_MS 30000
#define FSM_OUTSIDE_MS 250     /* between starts when somebody kills it */
#define FSM_FORK_MS 250        /* after a refused process, then doubling ... */
#define FSM_FORK_MAX_MS 1000   /* ... to here */
#define FSM_PROBE_MS 60000     /* degraded: tried so often */
#define FSM_OPERATOR_MS 300000 /* needs-operator: so often unasked */
#define FSM_REKILL_MS 1000
#define FSM_CLEAN_MS 10000 /* leftovers that will not die are left behind */
#define FSM_CAP_MS FSM_OPERATOR_MS

enum fsm_state {
	FSM_STOPPED,
	FSM_WAITING,
	FSM_STARTING,
	FSM_READY,
	FSM_STOPPING,
	FSM_KILLING,
	FSM_CLEANING,
	FSM_BACKOFF,
	FSM_DEGRADED,
	FSM_NEEDS_OPERATOR,
	FSM__STATES
};

enum fsm_event {
	FSM_EV_BOOT,        /* wanted, after those before it */
	FSM_EV_GO,          /* those before it have settled */
	FSM_EV_START,       /* a person wants it up: always at once */
	FSM_EV_STOP,        /* a person or the shutdown wants it down */
	FSM_EV_RESTART,     /* a person or a reload */
	FSM_EV_FORK_FAILED, /* the answer to FSM_SPAWN: nothing was made */
	FSM_EV_ASKED,       /* ... or: whom it is to run as is being asked */
	FSM_EV_READY,
	FSM_EV_BEAT,
	FSM_EV_EXIT,
	FSM_EV_SWEPT,   /* no descendant of it is left */
	FSM_EV_TICK,    /* deadline_ms has come */
	FSM_EV_STUCK,   /* beats, but leaves work lying */
	FSM_EV_CHANGED, /* its binary or configuration is another one */
	FSM_EV_GAP,     /* the supervisor itself was late: judge nobody */
	FSM__EVENTS
};

/* What an exit means for the decision. */
enum fsm_exit {
	FSM_EXIT_FAILED,    /* own doing: code, crash, OOM, exec error */
	FSM_EXIT_TEMPORARY, /* 111: the environment's; never a strike */
	FSM_EXIT_REFUSED,   /* it never was: the machine had no room for it */
	FSM_EXIT_CONFIG,    /* 78 */
	FSM_EXIT_OUTSIDE    /* somebody else's TERM or KILL */
};

enum fsm_cause {
	FSM_CAUSE_NONE,
	FSM_CAUSE_ASKED, /* stop, restart, reload, shutdown */
	FSM_CAUSE_START_TIMEOUT,
	FSM_CAUSE_HANG,
	FSM_CAUSE_STUCK
};

/* Actions, a set of bits. */
enum {
	FSM_SPAWN = 1 << 0,
	FSM_TERM = 1 << 1, /* and CONT: a stopped process must see it */
	FSM_KILL = 1 << 2,
	FSM_SWEEP = 1 << 3,      /* kill descendants, then FSM_EV_SWEPT */
	FSM_DIED = 1 << 4,       /* an incident begins */
	FSM_DEGRADE = 1 << 5,    /* five strikes */
	FSM_OPERATOR = 1 << 6,   /* its configuration is bad */
	FSM_RESOLVE = 1 << 7,    /* the incident is over */
	FSM_UNKILLABLE = 1 << 8, /* KILL has no effect */
};

struct fsm_policy {
	int64_t hang_ms;
	int64_t start_timeout_ms;
	int64_t stop_grace_ms;
};

struct fsm_input {
	enum fsm_event event;
	int64_t now_ms;
	enum fsm_exit exit; /* of FSM_EV_EXIT */
	uint64_t work;      /* of FSM_EV_BEAT and FSM_EV_READY */
};

struct fsm {
	enum fsm_state state;
	bool wanted;
	bool alive;     /* a process exists that nobody has waited for */
	bool was_ready; /* this process said READY */
	bool worked;    /* this process did a unit of work */
	bool incident;
	bool degraded;
	bool told_operator;
	enum fsm_cause cause;  /* why we are ending it */
	enum fsm_state resume; /* behind cleaning */
	int64_t resume_ms;
	int64_t deadline_ms; /* 0: none */
	int64_t started_ms;
	int64_t ready_ms;
	int64_t backoff_ms; /* -1: the next restart is at once */
	int64_t fork_ms;    /* delay after the last refused process, or 0 */
	int64_t strikes[FSM_STRIKES];
	unsigned strike_next;
	unsigned kills;
	uint64_t starts;
	uint32_t random;
};

/* Words for status: starting ready stopping stopped backoff degraded
 * needs-operator. */
extern const char *const fsm_state_word[FSM__STATES];
extern const char *const fsm_state_name[FSM__STATES]; /* one each */
extern const char *const fsm_event_name[FSM__EVENTS];

void fsm_open(struct fsm *f, uint32_t seed);
/* The actions to carry out, in the order of their bits. */
unsigned fsm_step(struct fsm *f, const struct fsm_policy *p,
    const struct fsm_input *in);
/* verdict.c's half of an exit that nobody asked for: sets resume, resume_ms
 * and the incident. */
unsigned fsm_judge(struct fsm *f, const struct fsm_input *in);
/* Until the machine that refused a process is asked again. */
int64_t fsm_next_fork_ms(struct fsm *f);
/* True once it is ready, has failed a first time, or is not wanted: those
 * after it need not wait any longer. */
bool fsm_settled(const struct fsm *f);

#endif
