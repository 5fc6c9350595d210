/* SPDX-License-Identifier: ISC */
/*
 * Whole trees: walked, copied, removed. Symlinks are never followed. The
 * callbacks get beats, so that a long walk still proves progress.
 */
#ifndef EXECUTOR_SUBTREE_H
#define EXECUTOR_SUBTREE_H

#include <sys/stat.h>

#include "common/buf.h"

struct subtree_at {
	int dir;
	const char *name;
	const char *path; /* below the walk's base */
	const struct stat *st;
};

#define SUBTREE_SKIP (-2) /* from visit: not into this directory */

/* Called for each entry, a directory before what is in it. Any other value
 * than 0 and SUBTREE_SKIP ends the walk with that value. */
struct subtree_walk {
	int (*visit)(struct subtree_walk *, const struct subtree_at *);
	void *owner;
	void (*beat)(void *); /* every 100 entries; may be NULL */
	void *beat_owner;
	size_t seen;
	struct buf path;
};

/* Each name in a directory but . and .., until visit says something else than
 * 0. That, or -1: it was not read to its end. The descriptor is taken; -1 is
 * passed on with its errno. */
typedef int subtree_visit(void *owner, int dir, const char *name);
int subtree_each(int fd, subtree_visit *visit, void *owner);

/* Walks dir/name (name itself first); path starts as given. 0, -1 or what
 * visit said. */
int subtree_walk(struct subtree_walk *w, int dir, const char *name,
    const char *path);
/* rm -rf: absent is done. Opens directories that forbid it. */
int subtree_remove(int dir, const char *name);
/* cp -a within one filesystem: type, mode, owner, times, user xattrs and
 * access lists; b must not exist. EPERM: what cannot be copied so, see
 * foreign_explain. */
int subtree_copy(int from, const char *a, int to, const char *b);
/* One entry; a directory is made empty. */
int subtree_copy_entry(int from, const char *a, int to, const char *b);

/* Of a regular file the contents, shared where that can be. */
int subtree_copy_bytes(int in, int out);

#endif
