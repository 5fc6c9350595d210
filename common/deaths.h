/* SPDX-License-Identifier: ISC */
/*
 * The black box: how daemons ended, the last DEATHS_KEPT of them, in one file
 * of a fixed size that is allocated when it is made. It outlives supervisor
 * and machine; a writer that is killed in the middle of a record costs that
 * record, and no full disk stops it. Each slot holds a checked document
 * (spool.h) and blanks behind it.
 *
 * {"seq", "at", "daemon", "pid", "reason", "code", "signal", "uptime_ms",
 * "cpu_ms", "memory_kb", "why", "tail"}: tail is what it wrote last to its
 * standard error, DEATHS_TAIL bytes at most.
 */
#ifndef COMMON_DEATHS_H
#define COMMON_DEATHS_H

#include <jansson.h>
#include <stdint.h>

#define DEATHS_FILE "deaths" /* in state/watchdog */
#define DEATHS_KEPT 256
#define DEATHS_SLOT 8192
#define DEATHS_TAIL 2048

struct deaths {
	int fd; /* -1: not open */
	int64_t next;
};

/* For the one writer: makes it where it is missing. 0, or -1 with errno. */
int deaths_open(struct deaths *d, int dir);
void deaths_close(struct deaths *d);
/* Takes doc and gives it its "seq". 0, or -1 with errno. */
int deaths_add(struct deaths *d, json_t *doc);
/* All that can be read, oldest first, beside a writer too; NULL with errno
 * where there is no such file. */
json_t *deaths_read(int dir);

#endif
