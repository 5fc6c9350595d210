/* SPDX-License-Identifier: ISC */
/*
 * What the outcome tells of the changes: the list with hashes and a bounded
 * unified diff. Only told, never acted upon; .git is left out. An undo compares
 * by it, and by what is hidden for that.
 */
#ifndef EXECUTOR_CHANGES_H
#define EXECUTOR_CHANGES_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "common/buf.h"

#define CHANGES_MAX 2000 /* entries that are listed */

struct changes {
	json_t *list;
	json_t *hidden; /* of .git, in the same form: for the record */
	struct buf diff;
	size_t diff_max;
	bool diff_cut;
	size_t unlisted;
	/* Of all, listed or not: entries that are no directories, and bytes of
	 * regular files that are there afterwards. */
	size_t count;
	int64_t bytes;
	/* Told of each path as it is found; may be NULL. */
	void (*on)(void *owner, const char *path);
	void *owner;
	/* While a large file is read; may be NULL. */
	void (*beat)(void *);
	void *beat_owner;
};

/* One entry before (dir -1: nothing was there) and after. */
struct change_side {
	int dir;
	const char *name;
	const struct stat *st;
};

void changes_open(struct changes *c, size_t diff_max);
void changes_close(struct changes *c);
/* Regular files, links and new or gone directories. -1 where a file could
 * not be read. */
int changes_add(struct changes *c, const char *path,
    const struct change_side *before, const struct change_side *after);
/* Fields changes, diff, diff_truncated. */
void changes_describe(struct changes *c, json_t *outcome);
/* The entry of path in an outcome's list; NULL: it is not told of. */
const json_t *changes_find(const json_t *list, const char *path);

#endif
