/* SPDX-License-Identifier: ISC */
/* Between rootfs.c and rootfs_private.c. */
#ifndef EXECUTOR_ROOTFS_PART_H
#define EXECUTOR_ROOTFS_PART_H

#include "executor/jail.h"

struct rootfs {
	const struct jail_spec *spec;
	int root;  /* of the new tree */
	int lower; /* the workspace as it is */
	int place; /* of all transactions, and the patch's own */
	int txn;
	/* Not attached yet: the workspace's mount, /proc, and queue's expose.
	 */
	int view, proc;
	int *exposed;
};

/* What is being done, for the message when it fails. */
void rootfs_now(const char *what);
/* A mount that is attached nowhere, or -1. */
int rootfs_tmpfs(const char *mode, int64_t size);
/* All 0, or -1 with errno. */
int rootfs_dev(struct rootfs *r);
int rootfs_proc(struct rootfs *r); /* attaches it */
int rootfs_private(struct rootfs *r);
int rootfs_mask(struct rootfs *r, bool around);

#endif
