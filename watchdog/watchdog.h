/* SPDX-License-Identifier: ISC */
/*
 * The supervisor: all of its state, and what its files offer each other.
 * Decisions are fsm.h's; here they meet processes, sockets and files.
 */
#ifndef WATCHDOG_WATCHDOG_H
#define WATCHDOG_WATCHDOG_H

#include <sys/queue.h>
#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/daemon.h"
#include "common/loop.h"
#include "common/settings.h"
#include "common/state.h"
#include "common/tree.h"
#include "watchdog/cgroup.h"
#include "watchdog/check.h"
#include "watchdog/control.h"
#include "watchdog/errand.h"
#include "watchdog/fallback.h"
#include "watchdog/logs.h"
#include "watchdog/lookup.h"
#include "watchdog/own_log.h"
#include "watchdog/report.h"
#include "watchdog/service.h"
#include "watchdog/upgrade.h"
#include "watchdog/writer.h"

/* Far above what a person configures, and below what supervise.c counts on
 * its stack and LOOP_WATCHES holds at three watches each. */
#define SERVICES_MAX 200

TAILQ_HEAD(service_list, service);

struct watchdog {
	struct daemon_opts *opts;
	struct settings *settings;
	struct tree *tree;
	struct loop loop;
	struct service_list services; /* in start order */
	struct errand_list errands;   /* that have a process */
	struct logs logs;
	struct state state;
	json_t *past; /* while opening, of an earlier image of ours */
	struct timer pulse;
	int64_t due_ms; /* of the pulse: awake later than that, we were late */
	int64_t since_us; /* wall clock, for people */
	int64_t since_ms;
	uint64_t oom_kills;  /* the kernel's count when last looked at ... */
	uint64_t oom_before; /* ... and at the look before */
	uint64_t died;       /* predecessors that did not end by themselves */
	uint64_t late;       /* how often we were late ourselves */
	int sure_looks;      /* for predecessors: nobody was left */
	bool closing;
	bool going_down;
	bool settling;
	bool rests; /* before it sleeps, once there is nothing to do */
	struct control control;
	struct writer writer;
	struct own_log own_log;
	/* Large, and most of it never touched: what is lies at the seams. */
	struct upgrade upgrade;
	struct lookups lookups;
	struct cgroup cgroup; /* of daemons with limits */
	struct report report;
	struct fallback fallback;
	struct check check;
};

/* watchdog.c: the ladder's ends. w is zeroed by the caller (most of it is
 * never touched). fatal() until ready. */
void watchdog_open(struct watchdog *w, struct daemon_opts *o,
    struct settings *s, struct tree *t);
void watchdog_close(struct watchdog *w);
/* rest.c: until loop_stop(). */
void watchdog_run(struct watchdog *w);
/* Files or stderr, by the settings. */
void watchdog_open_logs(struct watchdog *w);
/* Control groups, where a daemon has limits that need them. */
void watchdog_divide(struct watchdog *w);
/* The next pulse, reckoned from a moment at which we were awake: a sleep
 * between then and now is seen by it. */
void watchdog_pulse(struct watchdog *w, int64_t awake_ms);
/* Everything down in reverse order, then the loop ends. */
void watchdog_down(struct watchdog *w);

/* supervise.c: feeds an event to a service's machine and acts on it. */
void supervise_feed(struct service *s, enum fsm_event event);
/* Starts what waited for its turn, stops the next tier on the way down, frees
 * what was removed. After it a service may be gone. */
void supervise_settle(struct watchdog *w);
/* Goes on with an adopted one: timers, and no judgement of the gap. */
void supervise_resume(struct service *s);
/* Were we ourselves late? Then nobody is judged by it. The moment of which that
 * is said: what fell due behind it cannot be judged yet. */
int64_t supervise_gap(struct watchdog *w);
/* Their pids into pids; how many. */
size_t supervise_errands(const struct watchdog *w, pid_t *pids, size_t max);
/* Ends who was left behind by nobody that lives; true when none is left. */
bool supervise_sweep(struct watchdog *w);
/* Reads the beats that wait: before anything is said about them. */
void supervise_listen(struct watchdog *w);

/* roster.c: which services the configuration asks for. */
void roster_find_binary(const char *program, char out[PATH_MAX]);
/* Adds those that are missing; they want to boot unless held. 0, or -1. */
int roster_build(struct watchdog *w);
struct service *roster_find(struct watchdog *w, const char *name);
/*
 * Those that name means ("all", "executor", "bridge" for ghost-bridge, an
 * instance): calls visit for each; how many.
 */
size_t roster_each(struct watchdog *w, const char *name,
    void (*visit)(struct service *, void *), void *arg);
/* Marks services that are not in fresh as going, restarts those whose part of
 * it is another one. */
void roster_leave(struct watchdog *w, const struct settings *fresh);

/* What taking fresh would do: {NAME: "start" | "stop" | "restart"}, and does
 * nothing. NULL when memory runs out. */
json_t *roster_plan(struct watchdog *w, const struct settings *fresh);

/* reload.c: SIGHUP and the command. 0, or -1 with the errors in errs. */
int reload_run(struct watchdog *w, struct buf *errs);
/* What it would do, or NULL with the errors in errs. */
json_t *reload_plan(struct watchdog *w, struct buf *errs);

/* memory.c: what survives the supervisor: the operator's intent, open
 * incidents and troubles, restart counts. Saved once the writer has come so
 * far, by memory_write in its child. 0, or -1 (logged). */
int memory_load(struct watchdog *w);
int memory_save(struct watchdog *w);
int memory_write(struct watchdog *w, const char *text, size_t len);

/* status.c */
json_t *status_json(struct watchdog *w);

#endif
