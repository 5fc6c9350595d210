/* SPDX-License-Identifier: ISC */
/*
 * A unified diff of one file, and its application to a text. Pure: bytes in,
 * bytes or an error record out. What a hunk removes and keeps must be in the
 * file as the ladder of match.h says; the numbers in its header only choose
 * between places that fit, and are never needed. Counts are taken from the
 * lines themselves. Every byte that no hunk removes stays.
 */
#ifndef EXECUTOR_HUNK_H
#define EXECUTOR_HUNK_H

#include <jansson.h>

#include "common/buf.h"
#include "executor/match.h"

struct hunk {
	char *signs;        /* ' ', '-' or '+' of each line */
	struct lines lines; /* all of them, without the sign */
	struct lines old;   /* those that must be in the file */
	size_t hint;        /* its first line from 1; 0: not said */
	bool old_open;      /* "\ No newline at end of file" */
	bool new_open;
};

struct hunks {
	struct hunk *items;
	size_t count;
	bool creates; /* /dev/null on the old side */
	bool deletes;
};

/* The lines point into diff. False, with why, where it is none. */
bool hunks_read(const char *diff, size_t len, struct hunks *out,
    const char **why);
void hunks_free(struct hunks *h);

/* 0 with the new text in out, or -1 with a near.h record in *error (owned);
 * its op_index is the hunk's, from 0. */
int hunks_apply(const struct hunks *h, const char *text, size_t len,
    struct buf *out, json_t **error);
/* The same, for a diff that deletes the file: is that all of it? */
int hunks_cover(const struct hunks *h, const char *text, size_t len,
    json_t **error);

#endif
