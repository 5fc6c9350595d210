/* SPDX-License-Identifier: ISC */
/*
 * What an index of git says, without what it remembers of stat(2): a mere
 * `git status` of somebody rewrites those, and is nobody's change.
 */
#ifndef EXECUTOR_GITINDEX_H
#define EXECUTOR_GITINDEX_H

#include "common/digest.h"

#define GITINDEX_PATH ".git/index"

/* Of the file at path below dir. 0, or -1: it is absent, or of a form that
 * is not understood (a split index); then nothing can be said. */
int gitindex_id(int dir, const char *path, char out[DIGEST_SIZE]);

#endif
