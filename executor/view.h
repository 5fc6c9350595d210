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
 * When the worker has said that all went well, which it does when it has
 * outlived all that it started, and nobody has the pipe of reports open any
 * more: it is dead, and the jail's init has taken its last look at what there
 * is on the disk, from which this one moves files away. The jail may still be
 * ending. Who let nobody into his scratch need only say so.
 * Before the record their end is proven like any other's. Without a pid
 * namespace somebody may have fled from the worker: nothing is done then.
 */
void view_staged(struct executor *ex);
struct commit view_commit(struct executor *ex);
void view_drop(struct run *r);

#endif
