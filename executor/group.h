/* SPDX-License-Identifier: ISC */
/*
 * What holds memory and processes of the patch in hand: its control group, and
 * where there is none the jail's init by rlimits. Where it was to be had and
 * is not this once, an alert says so, and the next patch that has it ends it.
 */
#ifndef EXECUTOR_GROUP_H
#define EXECUTOR_GROUP_H

#include "executor/executor.h"

void group_open(struct executor *ex);
/* The group for ex->run.plan, or NULL. */
const struct cgroup *group_begin(struct executor *ex);

#endif
