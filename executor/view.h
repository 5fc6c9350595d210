/* SPDX-License-Identifier: ISC */
/*
 * The view that a patch was staged in, when nobody writes to it any more: what
 * it changed (the run's diff), and what others changed in the workspace while
 * its commands ran.
 */
#ifndef EXECUTOR_VIEW_H
#define EXECUTOR_VIEW_H

#include "executor/commit.h"
#include "executor/executor.h"

/* 0, or -1 with the run's fault set. */
int view_look(struct executor *ex);
/*
 * As soon as the worker has said that all went well: it has outlived all that
 * it started, or let nobody into its scratch, and says that last of all. Its
 * process and the jail's may still be ending, for which the look need not wait.
 * Before the record their end is proven like any other's. Without a pid
 * namespace somebody may have fled from the worker: nothing is done then.
 */
void view_staged(struct executor *ex);
struct commit view_commit(struct executor *ex);
void view_drop(struct run *r);

#endif
