/* SPDX-License-Identifier: ISC */
/*
 * Who tells people that nobody tells them: with alertd not ready for
 * watchdog.fallback_after, each alert of the supervisor's goes to syslog and
 * to the configured command as well, once. In the spool it lies all the same,
 * for alertd to send when it is back.
 */
#ifndef WATCHDOG_FALLBACK_H
#define WATCHDOG_FALLBACK_H

#include <stddef.h>
#include <stdint.h>

#include "common/loop.h"
#include "watchdog/errand.h"
#include "watchdog/report.h"

#define FALLBACK_WAITING 16
#define FALLBACK_LIMIT_MS 10000 /* of one run of the command */
#define FALLBACK_AGAIN_MS 60000 /* after one that failed ... */
#define FALLBACK_TRIES 3        /* ... at most so often */

struct fallback {
	struct report_entry waiting[FALLBACK_WAITING]; /* the first one runs */
	struct errand errand;
	struct timer again;
	size_t count;
	unsigned tries;  /* of the first */
	int64_t well_ms; /* alertd was ready, or nobody wanted it */
	int sweeps;      /* looks for what a command left behind */
	uint64_t told;
};

/* With each pulse: is alertd there? Runs what waits. */
void fallback_look(struct watchdog *w);
/* An alert that was just raised. */
void fallback_take(struct watchdog *w, const struct report_entry *e);

#endif
