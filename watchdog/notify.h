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

bool notify_parse(const char *bytes, size_t len, struct notify *out);

#endif
