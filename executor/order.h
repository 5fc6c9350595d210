/* SPDX-License-Identifier: ISC */
/*
 * What a jail that was made ahead is told when its patch comes: the job and all
 * that was looked up for it, as one JSON document in a file in memory that both
 * have open. It is the executor's own child: nobody else can write there.
 */
#ifndef EXECUTOR_ORDER_H
#define EXECUTOR_ORDER_H

#include "executor/executor.h"

/* From the run in work and the masks of mask_list. 0 or -1. */
int order_write(int fd, const struct executor *ex, char *const *masks);
/* In the jail: makes the run in work the one that fd tells of, and completes
 * spec by it. As jail_spec.accept: owner is the executor. */
int order_accept(void *owner, struct jail_spec *spec, int fd);

#endif
