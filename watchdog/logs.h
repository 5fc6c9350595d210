/* SPDX-License-Identifier: ISC */
/*
 * Where the daemons' lines go: syslog or journald, where the settings say so
 * and they take them; else our own stderr, or rotated files (log_file.h),
 * which another process writes. Nothing here ever blocks or fails: what nobody
 * takes is dropped and counted, and the count goes before the next line that
 * is taken.
 */
#ifndef WATCHDOG_LOGS_H
#define WATCHDOG_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/deaths.h"
#include "watchdog/collector.h"

#define LOGS_LINE 4096 /* at most PIPE_BUF: such a write is never split */
#define LOGS_LOST 128

struct logs {
	int dir; /* -1: to stderr */
	int64_t max_bytes;
	int64_t keep;
	/* Takes a line for a file, or says that it has no room. */
	bool (*file)(void *arg, const char *name, const char *line, size_t len);
	void *file_arg;
	struct collector collector; /* its owner opens and closes it */
};

struct log_sink {
	char name[64];
	uint64_t dropped;
	size_t used;
	size_t tail_used;
	char tail[DEATHS_TAIL]; /* the last that came, for the black box */
	char line[LOGS_LINE];
};

/* directory "" is stderr. 0, or -1 with errno (it goes to stderr then). */
int logs_open(struct logs *l, const char *directory, int64_t max_bytes,
    int64_t keep);
void logs_close(struct logs *l);
void log_sink_open(struct log_sink *s, const char *name);
/* Takes bytes as they come, hands whole lines on. */
void log_sink_take(struct logs *l, struct log_sink *s, const char *bytes,
    size_t len);
/* The line that tells how many of name's were lost; its length. */
size_t logs_lost(const char *name, uint64_t count, char line[LOGS_LOST]);

#endif
