/* SPDX-License-Identifier: ISC */
/* Scanning and ordering the queue. */
#include <errno.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "executor/index.h"

#define AGE_STEP_US (15 * 60 * 1000000LL) /* one digit better each 15 min */
#define SHARE 10 /* a scan takes at most one part in so many */

static int
compare(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int order = x->due - y->due;

	if (order == 0)
		order = strcmp(x->name.key, y->name.key);
	return order != 0 ? order : x->name.attempt - y->name.attempt;
}

/* Keeps the best; called when twice as many are there. */
static void
cut(struct index *x)
{
	if (x->count > 1)
		qsort(x->items, x->count, sizeof(*x->items), compare);
	if (x->count <= INDEX_KEEP)
		return;
	x->count = INDEX_KEEP;
	x->more = true;
}

static void
add(struct index *x, const struct queue_name *n, int64_t now_us)
{
	int64_t age = now_us - key_time_us(n->key);
	struct index_entry *e;

	if (x->items == NULL)
		x->items = xcalloc((size_t)INDEX_KEEP * 2, sizeof(*e));
	if (x->count == (size_t)INDEX_KEEP * 2)
		cut(x);
	e = &x->items[x->count++];
	e->name = *n;
	e->due = n->digit - (age > 0 ? (int)(age / AGE_STEP_US) : 0);
}

int
index_scan(struct index *x, int dir, void (*stray)(void *, const char *),
    void *owner)
{
	int64_t began = clock_mono_ms(), now_us = clock_wall_us();
	DIR *d = spool_opendir(dir);
	struct queue_name n;
	const char *name;
	int failed;

	if (d == NULL)
		return -1;
	x->count = x->next = 0;
	x->dirty = x->more = false;
	while ((name = spool_readdir(d)) != NULL) {
		if (key_parse_queue_file(name, &n) == 0)
			add(x, &n, now_us);
		else
			stray(owner, name);
	}
	failed = errno;
	(void)closedir(d);
	/* What was cut off is found by the scan after this one is used up. */
	cut(x);
	x->scanned_ms = clock_mono_ms();
	x->cost_ms = x->scanned_ms - began;
	errno = failed;
	return failed == 0 ? 0 : -1;
}

bool
index_may_scan(const struct index *x)
{
	return clock_mono_ms() - x->scanned_ms >= x->cost_ms * SHARE;
}

bool
index_take(struct index *x, struct queue_name *out)
{
	if (x->next == x->count)
		return false;
	*out = x->items[x->next++].name;
	return true;
}

void
index_free(struct index *x)
{
	free(x->items);
	memset(x, 0, sizeof(*x));
}
