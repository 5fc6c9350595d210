/* SPDX-License-Identifier: ISC */
/*
 * The machine's own collector of log lines, syslog or journald, behind a
 * datagram socket. Nothing here ever blocks: a line that is not taken is the
 * caller's to keep, and the socket is tried again a second later.
 */
#ifndef WATCHDOG_COLLECTOR_H
#define WATCHDOG_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct collector {
	enum { COLLECTOR_NONE, COLLECTOR_SYSLOG, COLLECTOR_JOURNALD } kind;
	char path[108];
	int fd;    /* -1: not connected */
	int error; /* of the last line that was not taken, or 0 */
	int64_t retry_ms;
};

/* kind is logs.to's word; an empty path is the usual one. */
void collector_open(struct collector *c, const char *kind, const char *path);
void collector_close(struct collector *c);
/* One line of NAME's with its newline; false when it was not taken. */
bool collector_take(struct collector *c, const char *name, const char *line,
    size_t len);
/*
 * Pure: the datagram for such a line into out; its length. A line of log.h's
 * shape gives its level and text, any other one is text as it is.
 */
struct collector_line {
	const char *name;
	const char *bytes;
	size_t len;
};
size_t collector_format(const struct collector *c,
    const struct collector_line *l, char *out, size_t size);

#endif
