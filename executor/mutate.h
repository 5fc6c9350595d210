/* SPDX-License-Identifier: ISC */
/*
 * One step of a plan, done to a view of the workspace (the overlay, or the
 * scratch copy of the touched files). Never used on the workspace itself.
 */
#ifndef EXECUTOR_MUTATE_H
#define EXECUTOR_MUTATE_H

#include "executor/fault.h"
#include "executor/plan.h"

/* 0, or -1 with *f set. file_max: bytes of the largest file it makes. */
int mutate_step(int root, const struct plan_step *s, int64_t file_max,
    struct fault *f);

#endif
