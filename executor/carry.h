/* SPDX-License-Identifier: ISC */
/* One transaction, carried forward or back by the record it holds. */
#ifndef EXECUTOR_CARRY_H
#define EXECUTOR_CARRY_H

#include "executor/commit.h"
#include "executor/executor.h"

/* 0, or -1 and the queue is held. */
int carry_on(struct executor *ex, const char *name);

#endif
