/* SPDX-License-Identifier: ISC */
/*
 * One git commit: what is added, whether there is anything, the commit, and
 * whether it holds what was added.
 */
#ifndef EXECUTOR_GITCOMMIT_H
#define EXECUTOR_GITCOMMIT_H

#include "executor/gitpaths.h"

/* Of the paths p, or of everything where p is NULL. 1 committed, 0 there was
 * nothing to commit, -1 with *f set. */
int gitcommit_make(struct worker *w, const struct gitpaths *p, struct fault *f);

#endif
