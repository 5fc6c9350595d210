/* SPDX-License-Identifier: ISC */
/* File names as the headers of a diff write them. Pure. */
#ifndef COMMON_DIFFTEXT_PATH_H
#define COMMON_DIFFTEXT_PATH_H

#include <stdbool.h>

/* Replaces *path by what stands from s to end: to the tab before a time, or
 * between quotes as C would write it. */
void diff_path_set(char **path, const char *s, const char *end);
/* Both names of "diff --git a/X b/X"; untouched where they cannot be told
 * apart. */
void diff_path_pair(const char *s, const char *end, char **a, char **b);
/* Do the names begin with a/ and b/ (or c/, i/, o/, w/)? Either may be NULL. */
bool diff_path_prefixed(const char *a, const char *b);
/* The name behind the prefix. */
const char *diff_path_bare(const char *path, bool prefixed);

#endif
