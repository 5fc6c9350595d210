/* SPDX-License-Identifier: ISC */
/*
 * Write-read conflicts: while the commands of a patch ran, somebody changed
 * another file of the workspace, which they may have read. stale_reads says
 * whether that is a warning or a conflict.
 */
#ifndef EXECUTOR_READS_H
#define EXECUTOR_READS_H

#include "executor/commit.h"
#include "executor/diff.h"
#include "executor/executor.h"

/* 0, perhaps with a warning in d, or -1 with *f set. */
int reads_check(struct executor *ex, const struct commit *c, struct diff *d,
    struct fault *f);

#endif
