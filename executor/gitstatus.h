/* SPDX-License-Identifier: ISC */
/*
 * What git status says: a row a path, of two letters, how the index differs
 * from HEAD and the work tree from the index, a blank and the path. Any other
 * line is a warning: git could not look everywhere.
 */
#ifndef EXECUTOR_GITSTATUS_H
#define EXECUTOR_GITSTATUS_H

#include "executor/gitpaths.h"

/* Of the paths p, or of everything where p is NULL. */
int gitstatus_ask(struct worker *w, const struct gitpaths *p, struct buf *out,
    struct fault *f);
/* The first such line of an answer, or NULL. */
const char *gitstatus_warning(const struct buf *out);
/* What the index has not. */
const char *gitstatus_unstaged(const struct buf *out);
/* Of everything, whatever the configuration hides of submodules. */
int gitstatus_hidden(struct worker *w, struct buf *out, struct fault *f);

#endif
