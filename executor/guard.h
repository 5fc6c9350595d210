/* SPDX-License-Identifier: ISC */
/*
 * The jail's init looks at what it is the ancestor of: processor time and
 * staged bytes always, memory and processes too where no control group holds
 * them. What it finds is at most one look old, so that a limit may be passed
 * by what can be used within that time.
 */
#ifndef EXECUTOR_GUARD_H
#define EXECUTOR_GUARD_H

#include <sys/types.h>
#include <stddef.h>

#include "executor/limits.h"

#define GUARD_MS 50
#define GUARD_SLOW_MS 250 /* where a control group does the rest */

struct guard {
	const struct limits *limits;
	struct limits_usage *usage; /* shared; peaks are kept there */
	int upper;                  /* -1: no look at the disk */
	bool alone;                 /* /proc shows our descendants only */
	int64_t disk_base;          /* a clone's size before the commands */
	int64_t disk_at;            /* monotonic ms of the next look at it */
};

/* What is over its limit, or LIMIT_NONE. */
enum limit_kind guard_look(struct guard *g);
/* Kills and reaps all descendants of the caller, and those that they make
 * meanwhile, until there is none: for who has no pid namespace. The caller is
 * the reaper of orphans. */
void guard_kill(void);
/* Signals root's descendants and the caller's, but not these two, once; sig 0
 * only counts. 0: there is certainly none. */
size_t guard_signal(pid_t root, int sig);
/* Bytes on disk below dir; files with several names count once in all. */
int64_t guard_disk(int dir);

#endif
