/* SPDX-License-Identifier: ISC */
/* Why nothing of a queue goes on, whatever its patches are like. */
#ifndef CTL_STALLED_H
#define CTL_STALLED_H

#include "ctl/ctl.h"

/* Of a patch in dir: the caller's text; NULL where the queue goes on, or the
 * patch does not wait for the queue. */
char *stalled_describe(struct ctl *c, const struct queue_tree *q,
    enum queue_dir dir);

#endif
