/* SPDX-License-Identifier: ISC */
/*
 * journal/NAME.log: what a daemon did, one JSON object a line, for `log`,
 * status and metrics; never the truth. Appended in one write, not synced,
 * rotated to NAME.log.1 ... at size. Fields: at, event, then id, queue,
 * attempt, state and free ones.
 */
#ifndef COMMON_JOURNAL_H
#define COMMON_JOURNAL_H

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

struct journal {
	int dir;
	int fd;
	char name[64];
	int64_t max_bytes;
	int keep;
};

int journal_open(struct journal *j, int dir, const char *name,
    int64_t max_bytes, int keep);
/* Takes fields (may be NULL), adds at and event. Errors are swallowed: the
 * journal is a view, and must never stop work. */
void journal_write(struct journal *j, const char *event, json_t *fields);
/* Of a moment (wall clock) that others already build on. */
void journal_write_at(struct journal *j, int64_t at_us, const char *event,
    json_t *fields);
/* The two halves of it: a line of len bytes and no NUL, owned, or NULL; and
 * where it goes. */
char *journal_line(const char *event, json_t *fields, size_t *len);
void journal_append(struct journal *j, const char *line, size_t len);
void journal_close(struct journal *j);

#endif
