/* SPDX-License-Identifier: ISC */
/*
 * Follows a command and all that it starts, stops each of them at the calls
 * of calls.h and asks what is to happen there. A process is named by its way
 * from the first one: "0.2.1" is the first child of its second child, in every
 * run, so that a point recorded in one run is found again in the next.
 *
 * A run goes on after its first process has ended: what is left of it is
 * served while a later run is followed, as a new daemon would meet it.
 */
#ifndef INJECT_TRACER_H
#define INJECT_TRACER_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/inject/calls.h"

#define TRACEE_PATH 48
#define TRACEES_MAX 512

struct tracee {
	pid_t pid; /* 0: free */
	int run;
	bool known; /* its parent has told of it */
	char path[TRACEE_PATH];
	char role[16];
	char comm[16];
	unsigned children;
	unsigned late; /* the fault of a call that is made all the same */
	bool looks;    /* it is stopped at an open that changes nothing */
	unsigned calls[CALLS_MAX];
};

enum act { ACT_GO, ACT_KILL, ACT_FAULT, ACT_HOLD };

struct tracer {
	bool off; /* the power is gone: who is born now is dead, too */
	struct tracee tracees[TRACEES_MAX];
	/* What to do before the nth such call; ACT_FAULT: with *fault;
	 * ACT_HOLD: it stays there until it is killed. */
	enum act (*at)(void *owner, const struct tracee *t,
	    const struct call *c, unsigned *fault);
	void *owner;
	bool stops[CALLS_MAX]; /* at which calls of the table */
	bool every;            /* also at opens that change nothing */
	pid_t first[2];
	int status[2];
	bool ended[2];
};

/* Can this machine and user trace at all? */
bool tracer_works(void);
/* Starts argv as run 0 or 1, its output to the file log. */
int tracer_start(struct tracer *t, int run, char *const argv[],
    const char *log);
/* Until the first process of the run has ended: 1, or 0 when ms are over. */
int tracer_follow(struct tracer *t, int run, int64_t ms);
/* Until all of both runs have ended; the number of those that did not. */
int tracer_drain(struct tracer *t, int64_t ms);
/* Kills and drains; what still lives then cannot be killed. */
int tracer_end(struct tracer *t);
/* Of a stopped tracee: a path to the file of its first argument, a
 * descriptor. */
bool tracer_arg_file(const struct tracee *t, char *path, size_t size);

#endif
