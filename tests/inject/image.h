/* SPDX-License-Identifier: ISC */
/*
 * A picture of a tree as text, one entry a line, so that two of them can be
 * compared and a difference can be shown: type, mode, owner, times of what is
 * no directory, link, hard links, extended attributes, digest of the content.
 */
#ifndef INJECT_IMAGE_H
#define INJECT_IMAGE_H

#include "common/buf.h"

/* Times after "recent" are all one: what a patch writes is as old as its run.
 * Without .git when told so: commits carry their time. */
int image_take(const char *root, time_t recent, int without_git,
    struct buf *out);
/* The first line that only one of them has, with + or -. */
char *image_difference(const char *want, const char *got);

#endif
