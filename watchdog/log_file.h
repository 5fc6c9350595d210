/* SPDX-License-Identifier: ISC */
/*
 * A log file, NAME.log, rotated to NAME.log.1 ... at its size. What cannot be
 * written is dropped and counted, and the count is written when there is room
 * again.
 */
#ifndef WATCHDOG_LOG_FILE_H
#define WATCHDOG_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

struct logs;

struct log_file {
	char name[64];
	int fd; /* -1: not open */
	int64_t bytes;
	uint64_t dropped;
};

void log_file_open(struct log_file *f, const char *name);
void log_file_close(struct log_file *f);
/* A whole line, with its newline. */
void log_file_take(const struct logs *l, struct log_file *f, const char *line,
    size_t len);

#endif
