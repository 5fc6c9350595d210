/* SPDX-License-Identifier: ISC */
/*
 * Starting the staging process of the run in work, for which its plan and way
 * are known, and that of the next patch ahead.
 */
#ifndef EXECUTOR_START_H
#define EXECUTOR_START_H

#include "executor/executor.h"

/* Makes T as name and releases the process into it; it is watched by nobody
 * yet. 0, or -1 with the run's fault set. */
int start_jail(struct executor *ex, const char *name);
/* While a patch stages and another one waits: the jail of that one. Where none
 * comes soon it is let go again. */
void start_next(struct executor *ex);
/* What the jail's worker is told of the run, from its plan and way. */
void start_worker(struct executor *ex);

#endif
