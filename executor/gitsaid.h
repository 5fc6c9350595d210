/* SPDX-License-Identifier: ISC */
/*
 * What a git that changes something has said: that another one is in its way,
 * which passes; or, and went on without it, that it could not read what says
 * which files are ignored or how they are stored.
 */
#ifndef EXECUTOR_GITSAID_H
#define EXECUTOR_GITSAID_H

#include "executor/worker.h"

/* 0, or -1 with *f set: another run may succeed. */
int gitsaid_judge(const struct worker *w, const struct command *c,
    const char *text, struct fault *f);

#endif
