/* SPDX-License-Identifier: ISC */
/* The environment of commands: a short list, and what the queue passes. */
#ifndef EXECUTOR_ENVIRON_H
#define EXECUTOR_ENVIRON_H

#include "executor/worker.h"

/* NULL-terminated; lives as long as the worker. */
char **environ_make(const struct worker *w);

#endif
