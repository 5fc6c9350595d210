/* SPDX-License-Identifier: ISC */
/* A clone of the workspace to stage in: shared blocks where the filesystem
 * has them, else copied. */
#ifndef EXECUTOR_CLONE_H
#define EXECUTOR_CLONE_H

/* In T; its ctime is the end of the clone, its text instant_ahead_us then. */
#define CLONE_MARK "CLONED"
/* In T: which directory of the clone is which, in the form of foreign.h. */
#define CLONE_DIRS "DIRS"

/* As jail_spec.prepare. */
int clone_workspace(void *owner, int workspace, int upper, int report);

#endif
