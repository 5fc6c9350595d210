/* SPDX-License-Identifier: ISC */
/*
 * What was staged before a git commit of some paths only, to hold against what
 * it committed. For that git takes the paths from the work tree anew, into the
 * index and into its commit: a file whose status it cannot read then, it calls
 * deleted, and it ends well.
 */
#ifndef EXECUTOR_GITSTAGED_H
#define EXECUTOR_GITSTAGED_H

#include "executor/gitpaths.h"

/* A copy of the index, in .git of the staging view until gitstaged_lost. */
int gitstaged_keep(struct worker *w, struct fault *f);
/* Does HEAD lack any of the paths that were staged then? 1 yes, 0 no, -1. A
 * hook may have changed what is in them. Removes the copy. */
int gitstaged_lost(struct worker *w, const struct gitpaths *p, struct fault *f);

#endif
