/* SPDX-License-Identifier: ISC */
/* What comes into the queue, its requests, and the ends of other queues. */
#ifndef EXECUTOR_HINTS_H
#define EXECUTOR_HINTS_H

#include "executor/executor.h"

#define RESCAN_MS 30000 /* inotify is only a hint */

/* Where something cannot be watched, it is looked at now and then. */
void hints_open(struct executor *ex, void (*on_work)(struct hint *),
    void (*on_other)(struct hint *));

#endif
