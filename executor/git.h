/* SPDX-License-Identifier: ISC */
/*
 * final.git, with the workspace's own git inside the staging view: the commit
 * is part of what is committed or dropped as a whole.
 *
 * A work tree without uncommitted changes gets everything that the patch
 * changed into its commit. A dirty one gets only the paths that the mutations
 * name: other people's work stays theirs. Hooks run, in the jail. What others
 * do in the repository meanwhile is gitlive.h's.
 */
#ifndef EXECUTOR_GIT_H
#define EXECUTOR_GIT_H

#include "executor/worker.h"

/* Before anything: the branch, and whether there is a repository at all. */
int git_check(struct worker *w, struct fault *f);
int git_finish(struct worker *w, struct fault *f);

#endif
