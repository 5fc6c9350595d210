/* SPDX-License-Identifier: ISC */
/*
 * What each daemon's process uses, sampled from /proc with the checks, so that
 * nothing wakes up for it: in status, every while in the journal, and an alert
 * when it stays above what the configuration calls much.
 */
#ifndef WATCHDOG_USAGE_H
#define WATCHDOG_USAGE_H

#include <sys/types.h>
#include <jansson.h>
#include <stdint.h>

struct watchdog;
struct service;

struct usage {
	pid_t pid;       /* whose; 0: never looked at */
	int64_t at_ms;   /* monotonic */
	int64_t memory;  /* resident bytes */
	int64_t cpu_ms;  /* since its start */
	int64_t percent; /* of a processor since the look before; -1: unknown */
	int64_t files;
	int64_t files_max;
	int64_t threads;
	int hot; /* looks in a row with much of a processor */
};

/* One look at everybody. */
void usage_run(struct watchdog *w);
/* null before the first look at this process. */
json_t *usage_json(const struct service *s);

#endif
