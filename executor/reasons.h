/* SPDX-License-Identifier: ISC */
/*
 * Why each command of an attempt ended, completed by what the worker cannot
 * know: that a limit of the whole patch ended it, that the worker was killed
 * along with it, and which commands were not reached.
 */
#ifndef EXECUTOR_REASONS_H
#define EXECUTOR_REASONS_H

#include "executor/executor.h"

void reasons_complete(struct run *r, enum limit_kind over);

#endif
