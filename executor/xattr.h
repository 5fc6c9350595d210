/* SPDX-License-Identifier: ISC */
/* Extended attributes of staged files: the overlay's own, and the rest. */
#ifndef EXECUTOR_XATTR_H
#define EXECUTOR_XATTR_H

#include <stdbool.h>

bool xattr_opaque(int fd, bool trusted);
/* Takes the overlay's marks off; 0 or -1. */
int xattr_strip(int fd, bool trusted);
/* The user's attributes and access lists, to a filesystem that may have none;
 * 0 or -1. */
int xattr_copy(int in, int out);
/* Has the file dir/name capabilities? */
bool xattr_capable(int dir, const char *name);
/* Equal, the overlay's marks aside. */
bool xattr_same(int a, int b);
/* Those that xattr_copy copies are equal. */
bool xattr_same_copied(int a, int b);

#endif
