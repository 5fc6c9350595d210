/* SPDX-License-Identifier: ISC */
/* When to try again what failed: after 1 s, doubling to 30 s. */
#ifndef BRIDGE_RETRY_H
#define BRIDGE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: nothing has failed. */
struct retry {
	int64_t at_ms;    /* monotonic; not before this */
	int64_t delay_ms; /* 0: nothing has failed */
	bool told;        /* an alert about it is durable */
};

bool retry_due(const struct retry *r);
void retry_failed(struct retry *r);
/* Milliseconds until r is due; -1 where nothing has failed. */
int64_t retry_wait(const struct retry *r);

#endif
