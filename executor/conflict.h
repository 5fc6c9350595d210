/* SPDX-License-Identifier: ISC */
/*
 * What a conflict tells of a path, so that whoever wrote the patch can make
 * it anew for what is there now: three hashes (what the patch was made for,
 * what is there, what the patch would write) and a bounded diff. Only told,
 * never acted upon.
 */
#ifndef EXECUTOR_CONFLICT_H
#define EXECUTOR_CONFLICT_H

#include "common/digest.h"
#include "executor/fault.h"
#include "executor/record.h"
#include "executor/stage.h"

#define CONFLICTS_MAX 20 /* paths that are told; the rest is counted */

/* One version of a path. */
struct conflict_side {
	char hash[DIGEST_SIZE]; /* or "absent", "directory", "special"; "" not
				   known */
	char *text;             /* owned; NULL: not for showing */
	size_t len;
	const char *why; /* there is no text: binary, large, link, ... */
};

/* Of path below root; errors end as not known. */
void conflict_read(int root, const char *path, struct conflict_side *s);
void conflict_side_free(struct conflict_side *s);

/* Adds the entry of path to f->conflicts; twice is once. */
void conflict_add(struct fault *f, const char *path, const char *why,
    const struct conflict_side sides[3]);

/* Where the versions of a path are found. */
struct conflict_look {
	const struct workspace *workspace;
	const struct txn *txn;
	const struct ops *ops; /* NULL: what would be written is not known */
	const json_t *bases;   /* basis.h; may be NULL */
	bool back;             /* an undo: what was displaced would come back */
};

void conflict_note(const struct conflict_look *l, const char *path,
    const char *why, struct fault *f);

#endif
