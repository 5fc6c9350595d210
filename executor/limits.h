/* SPDX-License-Identifier: ISC */
/*
 * What a patch may use as a whole, what it has used, and what an outcome says
 * of both. Memory and processes are held by a control group where there is
 * one (cgroup.h); else, like processor time and staged bytes always, by the
 * jail's init, which looks several times a second (guard.h).
 */
#ifndef EXECUTOR_LIMITS_H
#define EXECUTOR_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "executor/fault.h"

enum limit_kind {
	LIMIT_NONE,
	LIMIT_MEMORY,
	LIMIT_PROCESSES,
	LIMIT_CPU,
	LIMIT_DISK,
	LIMIT__MAX
};

struct limits {
	int64_t memory; /* bytes */
	int64_t processes;
	int64_t cpu_ms;
	int64_t disk; /* bytes */
	bool grouped; /* a control group holds memory and processes */
};

/* Shared with the jail's init while it runs. Peaks are of the whole patch. */
struct limits_usage {
	int64_t memory; /* bytes */
	int64_t processes;
	int64_t cpu_ms;
	int64_t disk;
	int64_t oom_kills; /* by the control group */
	int64_t refused_forks;
	enum limit_kind over; /* for which the patch was ended */
	int64_t ended_ms;     /* monotonic, init went and took all along */
	int64_t death_ms;     /* from the end's decision to its proof */
};

/* A limit was hit: *f says so, in place of what it led to. A refused fork is
 * none where the patch went well all the same. Which one it was. */
enum limit_kind limits_judge(const struct limits *l,
    const struct limits_usage *u, bool succeeded, struct fault *f);
/* The queue's key for it: "memory" ... */
extern const char *const limit_name[LIMIT__MAX];
/* by: "cgroup2", "cgroup1" or "rlimits"; why, of the last one, or "". */
void limits_describe(const struct limits_usage *u, const char *by,
    const char *why, json_t *outcome);

#endif
