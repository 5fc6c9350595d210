/* SPDX-License-Identifier: ISC */
/*
 * The queue in memory: the best few thousand names of patches/, in the order
 * in which they are due. Filled by a scan, emptied from the front; a scan is
 * repeated when it is used up or the directory has changed, but never so
 * often that scanning takes more than a tenth of the time.
 */
#ifndef EXECUTOR_INDEX_H
#define EXECUTOR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/key.h"

#define INDEX_KEEP 4096

struct index_entry {
	struct queue_name name;
	int due; /* digit less ageing: may be negative */
};

struct index {
	struct index_entry *items;
	size_t count;
	size_t next;
	bool dirty;
	bool more;          /* the directory holds others, worse ones */
	int64_t scanned_ms; /* end of the last scan, monotonic */
	int64_t cost_ms;
};

/*
 * Names that are no queue file's are given to stray(). 0 or -1. A patch gains
 * one digit for each ageing step it has waited, without end: so everything is
 * first at last.
 */
int index_scan(struct index *x, int dir,
    void (*stray)(void *owner, const char *name), void *owner);
/* Would a scan now be within its share of the time? */
bool index_may_scan(const struct index *x);
/* The front, taken off; false when it is empty. */
bool index_take(struct index *x, struct queue_name *out);
void index_free(struct index *x);

#endif
