/* SPDX-License-Identifier: ISC */
/*
 * rm -rf and cp -a of a small tree, in this process: a sweep does both before
 * each of some thousand points.
 */
#ifndef INJECT_COPY_H
#define INJECT_COPY_H

/* Absent is done. Opens directories that forbid it. */
int copy_remove(const char *path);
/* With owners, modes, times, hard links and attributes; to must not exist. */
int copy_tree(const char *from, const char *to);

#endif
