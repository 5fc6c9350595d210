/* SPDX-License-Identifier: ISC */
/* Discarding an interrupted transaction: first the proof that none of its
 * processes is left to write into it. */
#ifndef EXECUTOR_DEATH_H
#define EXECUTOR_DEATH_H

#include "executor/executor.h"

/* T holds no COMMIT. 0, or -1: the queue is held. */
int death_discard(struct executor *ex, const char *name, int dir);

#endif
