/* SPDX-License-Identifier: ISC */
/*
 * The repository of the workspace while others use it: a mere look of theirs
 * rewrites the index, and a new branch nothing but HEAD.
 */
#ifndef EXECUTOR_GITLIVE_H
#define EXECUTOR_GITLIVE_H

#include "executor/commit.h"
#include "executor/diff.h"
#include "executor/executor.h"

/* What the index says before the patch, for one that makes a commit. */
void gitlive_note(struct executor *ex);
/*
 * Before commit_check. An index that somebody rewrote meanwhile without
 * changing what it says is taken as the one of before (c->same_path); ours is
 * dropped where it says nothing new either.
 */
void gitlive_adopt(struct executor *ex, struct commit *c, struct ops *ops);
/* With git's locks: is HEAD the one that ops were made for? 0, or -1 with *f
 * set. */
int gitlive_check_head(struct executor *ex, const struct commit *c,
    const struct ops *ops, struct fault *f);

#endif
