/* SPDX-License-Identifier: ISC */
/*
 * One sd_notify(3) datagram to what it says. Pure. Unknown assignments are
 * skipped, as the protocol wants; a datagram that is empty, longer than
 * NOTIFY_MAX, holds a NUL or says nothing that we know is not an error but
 * nothing at all (false).
 */
#ifndef WATCHDOG_NOTIFY_H
#define WATCHDOG_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTIFY_MAX 4096
#define NOTIFY_STATUS 256

struct notify {
	bool ready;
	bool beat;
	bool stopping;
	bool has_work;
	bool has_status;
	uint64_t work;
	int64_t busy_ms;
	char status[NOTIFY_STATUS + 1];
};

/*
 * When a message that is read at now_ms came (monotonic): age_us by the wall
 * clock, which may have been set since; but it cannot have come before the
 * socket was last empty, nor later than now.
 */
int64_t notify_arrival(int64_t now_ms, int64_t age_us, int64_t empty_ms);

bool notify_parse(const char *bytes, size_t len, struct notify *out);

#endif
