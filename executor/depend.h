/* SPDX-License-Identifier: ISC */
/*
 * Dependencies: "ID" (of this queue, else of any other) or "ID@QUEUE". A
 * patch is ready when each is completed; it waits for what is queued, held,
 * running or not there yet, and is rejected for one that failed or was
 * rejected, and for a cycle.
 */
#ifndef EXECUTOR_DEPEND_H
#define EXECUTOR_DEPEND_H

#include <jansson.h>

#include "common/tree.h"

enum depend { DEPEND_READY, DEPEND_WAIT, DEPEND_FAILED };

/* why, for the last two, says what is waited for or what failed. */
enum depend depend_check(struct tree *t, const struct queue_tree *q,
    const char *id, const json_t *patch, char why[512]);

#endif
