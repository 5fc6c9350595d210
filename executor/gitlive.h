/* SPDX-License-Identifier: ISC */
/*
 * The repository of the workspace while others use it: its lock, which a git
 * at work holds, and its index, which a mere look of theirs rewrites.
 */
#ifndef EXECUTOR_GITLIVE_H
#define EXECUTOR_GITLIVE_H

#include "executor/commit.h"
#include "executor/diff.h"
#include "executor/executor.h"

/* Waits, at most 5 s, until no git holds the index: 0, or -1 with *f. */
int gitlive_wait(struct executor *ex, struct fault *f);
/* What the index says before the patch, for one that makes a commit. */
void gitlive_note(struct executor *ex);
/*
 * Before commit_check. An index that somebody rewrote meanwhile without
 * changing what it says is taken as the one of before (c->same_path); ours is
 * dropped where it says nothing new either. 0, or -1 with *f.
 */
int gitlive_adopt(struct executor *ex, struct commit *c, struct ops *ops,
    struct fault *f);

#endif
