/* SPDX-License-Identifier: ISC */
/*
 * What a copy cannot carry: without root another user's file becomes ours by
 * being copied, and nobody's copy keeps file capabilities or set-id bits. A
 * patch that would change hands or rights in this way is refused by name,
 * before anything is changed.
 */
#ifndef EXECUTOR_FOREIGN_H
#define EXECUTOR_FOREIGN_H

#include <sys/stat.h>
#include <limits.h>

#include "common/buf.h"
#include "executor/fault.h"

/* In T: what a clone holds of others, as foreign_note has written it. */
#define FOREIGN_LIST "FOREIGN"

/* Of another user or group than ours; to root nothing is. */
bool foreign_is(const struct stat *st);
/* A set-id file, or one with file capabilities. */
bool foreign_is_privileged(int dir, const char *name, const struct stat *st);
enum foreign_kind { FOREIGN_OWNED, FOREIGN_UNREADABLE };
/* The first entry of that kind in a workspace, of those that are looked at;
 * never for root. path is "the workspace" for that itself. */
bool foreign_in(int workspace, enum foreign_kind kind, char path[PATH_MAX]);

/* -1 with *f set, also where the reason is not one of these. */
int foreign_refuse(const char *path, struct fault *f);
int foreign_refuse_privileged(const char *path, struct fault *f);

/* After a copy of root/path has failed: the first entry of it that is the
 * reason. whole: with all that is in it. 0: none is. */
int foreign_explain(int root, const char *path, bool whole, struct fault *f);
/* May we remove dir/name, which is st, and what is in it? 0, or -1 with *f. */
int foreign_check_gone(int dir, const char *name, const struct stat *st,
    const char *path, struct fault *f);

/* Clones by inode and birth, so that one that was moved is known again. */
struct foreign_entry;
struct foreign_list {
	char *bytes;
	struct foreign_entry *items;
	size_t count;
};

/* dir/name is a clone of path, which is of that kind; 0 or -1. */
int foreign_note(struct buf *notes, int dir, const char *name,
    const char *path);
/* A list of T's; where there is none it is empty. 0 or -1. */
int foreign_load(int txn, const char *file, struct foreign_list *l);
void foreign_free(struct foreign_list *l);
/* The path that dir/name is a clone of, or NULL. */
const char *foreign_find(const struct foreign_list *l, int dir,
    const char *name, const struct stat *st);

#endif
