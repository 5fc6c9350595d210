/* SPDX-License-Identifier: ISC */
/*
 * Paths below a directory, resolved so that none leads out of it: no symlink
 * is followed anywhere, no mount crossed. errno ELOOP: a symlink is in the
 * way; EXDEV: a mount is.
 */
#ifndef EXECUTOR_BENEATH_H
#define EXECUTOR_BENEATH_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stddef.h>

/* Opens what exists; "" is root itself. */
int beneath_open(int root, const char *path, int flags);
/* The directory that holds path, open for reading, and path's last part. */
int beneath_parent(int root, const char *path, const char **name);
/* lstat: 1 found, 0 absent (or a parent is), -1 error. */
int beneath_stat(int root, const char *path, struct stat *st);
/* Has somebody mounted a filesystem on it? */
bool beneath_is_mount(int dir, const char *name);
/* Makes every missing directory above path, mode 0755 less umask. */
int beneath_make_parents(int root, const char *path);
/* All bytes of a regular file, owned by the caller and NUL-terminated behind
 * *len; NULL with errno (EFBIG: over max, EISDIR, ELOOP, ...). */
char *beneath_read(int root, const char *path, size_t max, size_t *len,
    struct stat *st);

#endif
