/* SPDX-License-Identifier: ISC */
/*
 * The queue in memory: the best few thousand names of patches/, in the order
 * in which they run: by digit, then by age, as `ls` shows them. Filled by a
 * scan, emptied from the front; a scan is repeated when it is used up or the
 * directory has changed, but never so often that scanning takes more than a
 * tenth of the time. No patch is worth a scan of its own.
 *
 * Ageing: no digit stays above 9 less the number of spans that its patch has
 * waited. So the last is first after nine of them, whatever comes in
 * meanwhile; a rule that needs no memory, and that a renaming does not change.
 */
#ifndef EXECUTOR_INDEX_H
#define EXECUTOR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/key.h"

#define INDEX_KEEP 4096

struct index_entry {
	struct queue_name name; /* digit: as in the directory */
	int digit;              /* with ageing */
};

struct index {
	struct index_entry *items;
	size_t count;
	size_t next;
	bool dirty;
	bool more;          /* the directory holds others, worse ones */
	int64_t scanned_ms; /* end of the last scan, monotonic */
	int64_t cost_ms;
	uint64_t scans;
};

struct index_source {
	int dir;
	int64_t now_us; /* wall clock, as KEYs' times are */
	int64_t ageing_us;
	/* is given names that are no queue file's */
	void (*stray)(void *owner, const char *name);
	void *owner;
};

/* A patch's digit after it has waited for age_us. */
int index_digit(int digit, int64_t age_us, int64_t ageing_us);
/* Reads the directory anew; 0 or -1. */
int index_scan(struct index *x, const struct index_source *s);
/* Gives those that are kept their aged digits in the directory too: `ls`
 * begins with them, in the order in which they run. Count. */
size_t index_rename(struct index *x, int dir);
/* One that came back into the directory, without a scan for it. */
void index_put(struct index *x, const struct queue_name *n);
/* Would a scan now be within its share of the time? */
bool index_may_scan(const struct index *x);
/* The front, taken off; false when it is empty. */
bool index_take(struct index *x, struct queue_name *out);
void index_free(struct index *x);

#endif
