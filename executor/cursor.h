/* SPDX-License-Identifier: ISC */
/*
 * The directory that a run of operations is in: opened once as long as it
 * stays the same, and every one that was entered synced once at the end.
 */
#ifndef EXECUTOR_CURSOR_H
#define EXECUTOR_CURSOR_H

#include <stddef.h>

struct cursor {
	int root; /* borrowed */
	int dir;  /* -1: none is open */
	char *path;
	char **touched;
	size_t count;
};

void cursor_open(struct cursor *k, int root);
/* Opens the directory of path, relative to root: 0 and *base, or -1. */
int cursor_enter(struct cursor *k, const char *path, const char **base);
/* All directories that were entered; one that is gone by now is nobody's
 * loss. A rename is one step of the journal for both of its directories, so
 * those in T follow. 0 or -1. */
int cursor_sync(struct cursor *k);
void cursor_close(struct cursor *k);

#endif
