/* SPDX-License-Identifier: ISC */
/*
 * Why nothing may start, as people are told. What was told is kept over
 * restarts, so that the start that finds all well can end it: what holds a
 * queue is often mended in the configuration.
 */
#ifndef EXECUTOR_HOLD_H
#define EXECUTOR_HOLD_H

#include "executor/executor.h"

/* Reads what was told; before the first of the others. */
void hold_open(struct executor *ex);
/* The workspace cannot be used (errno): pauses its queue, fails no patch. */
void hold_missing(struct executor *ex);
/* It is, or is no more, told otherwise that the queue is stuck. */
void hold_note_stuck(struct executor *ex, bool is);
/* All is well: what was told is ended. */
void hold_release(struct executor *ex);

#endif
