/* SPDX-License-Identifier: ISC */
/*
 * The jail's file tree: a tmpfs root with read-only clones of the machine's
 * directories, private /dev /proc /tmp /home /root /run, and the overlay at
 * the workspace's own path.
 */
#ifndef EXECUTOR_ROOTFS_H
#define EXECUTOR_ROOTFS_H

#include "executor/jail.h"

/* In the jail's init: builds and enters it, or enters what rootfs_build has
 * made: mounts is its namespace, or -1. An fd of the workspace's view, or -1
 * with errno; rootfs_step then says what failed. */
int rootfs_enter(const struct jail_spec *spec, int mounts);
/* In a mount namespace of its own: the part of it that is the same for every
 * patch of the queue. 0 or -1. */
int rootfs_build(const struct jail_spec *spec);
const char *rootfs_step(void);

#endif
