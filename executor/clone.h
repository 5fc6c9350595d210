/* SPDX-License-Identifier: ISC */
/* A clone of the workspace to stage in: shared blocks where the filesystem
 * has them, else copied. */
#ifndef EXECUTOR_CLONE_H
#define EXECUTOR_CLONE_H

#include <stdint.h>

/* In T; its ctime is the end of the clone, its text clone_clock_us then. */
#define CLONE_MARK "CLONED"
/* In T: which directory of the clone is which, in the form of foreign.h. */
#define CLONE_DIRS "DIRS"

/* What the wall clock is ahead of one that nobody sets. */
int64_t clone_clock_us(void);

/* As jail_spec.prepare. */
int clone_workspace(void *owner, int workspace, int upper, int report);

#endif
