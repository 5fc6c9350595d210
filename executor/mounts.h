/* SPDX-License-Identifier: ISC */
/*
 * Mounts by descriptor. Paths are resolved as they will be seen inside root,
 * so that a link in the tree cannot lead out of it. All return an fd or 0,
 * and -1 with errno.
 */
#ifndef EXECUTOR_MOUNTS_H
#define EXECUTOR_MOUNTS_H

#include <sys/mount.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOSED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define PRIVATE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

int mounts_open(int root, const char *path, int flags);
/* mkdir -p; an O_PATH fd of it. */
int mounts_make(int root, const char *path);
/* Sets MOUNT_ATTR_*, and cuts it off from what the machine mounts; below: the
 * mounts in the tree too. */
int mounts_set(int tree, uint64_t attr, bool below);
int mounts_attach(int tree, int at);
/* At path, made where missing; closes tree, which may be -1. */
int mounts_attach_at(int root, int tree, const char *path);
/* options: name, value, ..., NULL; a value "" is a flag. */
int mounts_new(const char *type, const char *const *options, uint64_t attr);
/* A read-only copy of a tree of the machine, not attached yet. */
int mounts_clone(const char *path);

#endif
