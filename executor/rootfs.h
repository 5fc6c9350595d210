/* SPDX-License-Identifier: ISC */
/*
 * The jail's file tree: a tmpfs root with read-only clones of the machine's
 * directories, private /dev /proc /tmp /home /root /run, and the overlay at
 * the workspace's own path.
 */
#ifndef EXECUTOR_ROOTFS_H
#define EXECUTOR_ROOTFS_H

#include "executor/jail.h"

/*
 * In the jail's init, in this order; 0 or -1 with errno, and rootfs_step then
 * says what failed. The first needs no patch: of spec it reads way, place,
 * user and queue, which stay as they are.
 */
int rootfs_begin(const struct jail_spec *spec);
int rootfs_take(const struct jail_spec *spec); /* the patch's transaction */
int rootfs_open(const char *part);             /* of it: an fd */
int rootfs_enter(void); /* an fd of the workspace's view */
const char *rootfs_step(void);

#endif
