/* SPDX-License-Identifier: ISC */
/*
 * Room in the staging place that is given back when the disk is full behind
 * a commit record: what has been decided can then be carried out. While it
 * cannot be taken again, no patch starts.
 */
#ifndef EXECUTOR_BALLAST_H
#define EXECUTOR_BALLAST_H

#include "executor/executor.h"

#define BALLAST ".ballast" /* in the staging place */

/* Finds the ballast of before in the present place, or takes it. */
void ballast_open(struct executor *ex);
/* Takes it again where it was spent. 0, or -1: no room, the queue is held. */
int ballast_fill(struct executor *ex);
/* error means a full disk, and there was something to give back (kept
 * transactions go first): try again. */
bool ballast_spend(struct executor *ex, int error);

#endif
