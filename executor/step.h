/* SPDX-License-Identifier: ISC */
/* The mutations' half of plan.c. */
#ifndef EXECUTOR_STEP_H
#define EXECUTOR_STEP_H

#include "executor/plan.h"

/* Fills p->steps; 0, or -1 with *f set. */
int plan_steps(const json_t *patch, const struct queue_settings *q,
    struct plan *p, struct fault *f);
void plan_step_free(struct plan_step *s);

#endif
