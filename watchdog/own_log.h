/* SPDX-License-Identifier: ISC */
/*
 * What becomes of the supervisor's own lines: of each cause one warning a
 * minute, or a handful of others, and then how many more there were; to where
 * the daemons' lines go.
 */
#ifndef WATCHDOG_OWN_LOG_H
#define WATCHDOG_OWN_LOG_H

#include <stdint.h>

#include "watchdog/logs.h"

struct watchdog;

#define OWN_LOG_CAUSES 24
#define OWN_LOG_MINUTE_MS 60000
#define OWN_LOG_WARNINGS 1 /* of one cause in a minute */
#define OWN_LOG_OTHERS 20

/* Lines that differ in nothing but numbers. */
struct cause {
	uint64_t hash; /* 0: free */
	int64_t since_ms;
	unsigned lines;
	unsigned more; /* that were not written */
	char text[96];
};

struct own_log {
	struct cause causes[OWN_LOG_CAUSES];
	int collector_error; /* as it was last told of */
};

/* From now on lines of log.h go through here. */
void own_log_open(struct watchdog *w);
/* With each pulse: what was kept back, and how the collector does. */
void own_log_pulse(struct watchdog *w);

#endif
