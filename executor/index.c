/* SPDX-License-Identifier: ISC */
/* Scanning and ordering the queue. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "common/sys.h"
#include "executor/index.h"

#define DIGIT_LAST 9
#define SHARE 10 /* a scan takes at most one part in so many */

int
index_digit(int digit, int64_t age_us, int64_t ageing_us)
{
	int64_t spans = age_us > 0 ? age_us / ageing_us : 0;
	int most = spans < DIGIT_LAST ? DIGIT_LAST - (int)spans : 0;

	return digit < most ? digit : most;
}

static int
compare(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;
	int order = x->digit - y->digit;

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
make_room(struct index *x)
{
	if (x->items == NULL)
		x->items = xcalloc((size_t)INDEX_KEEP * 2, sizeof(*x->items));
}

/* Once so many are known, whatever is worse than all of them is passed by. */
static void
add(struct index *x, const struct index_entry *e)
{
	if (x->more && compare(e, &x->items[INDEX_KEEP - 1]) > 0)
		return;
	if (x->count == (size_t)INDEX_KEEP * 2)
		cut(x);
	x->items[x->count++] = *e;
}

int
index_scan(struct index *x, const struct index_source *s)
{
	int64_t began = clock_mono_ms();
	DIR *d = spool_opendir(s->dir);
	struct index_entry e;
	const char *name;
	int failed;

	if (d == NULL)
		return -1;
	make_room(x);
	x->count = x->next = 0;
	x->dirty = x->more = false;
	while ((name = spool_readdir(d)) != NULL) {
		if (key_parse_queue_file(name, &e.name) == -1) {
			s->stray(s->owner, name);
			continue;
		}
		e.digit = index_digit(e.name.digit,
		    s->now_us - key_time_us(e.name.key), s->ageing_us);
		add(x, &e);
	}
	failed = errno;
	(void)closedir(d);
	/* What was cut off is found by the scan after this one is used up. */
	cut(x);
	x->scans++;
	x->scanned_ms = clock_mono_ms();
	x->cost_ms = x->scanned_ms - began;
	errno = failed;
	return failed == 0 ? 0 : -1;
}

/* Not synced: after a crash it is just done again. */
size_t
index_rename(struct index *x, int dir)
{
	char from[NAME_SIZE], to[NAME_SIZE];
	struct queue_name aged;
	size_t renamed = 0;

	for (size_t i = x->next; i < x->count; i++) {
		struct index_entry *e = &x->items[i];

		if (e->digit == e->name.digit)
			continue;
		aged = e->name;
		aged.digit = e->digit;
		key_queue_file(&e->name, from);
		key_queue_file(&aged, to);
		if (sys_renameat2(dir, from, dir, to, RENAME_NOREPLACE) == -1)
			continue;
		e->name = aged;
		renamed++;
	}
	return renamed;
}

void
index_put(struct index *x, const struct queue_name *n)
{
	struct index_entry e = {.name = *n, .digit = n->digit};
	size_t at;

	make_room(x);
	/* No room, or behind others that are not here: a scan finds it. */
	if (x->count == (size_t)INDEX_KEEP * 2 ||
	    (x->more &&
		(x->count == 0 || compare(&e, &x->items[x->count - 1]) > 0))) {
		x->more = true;
		return;
	}
	for (at = x->count; at > x->next; at--) {
		if (compare(&x->items[at - 1], &e) <= 0)
			break;
		x->items[at] = x->items[at - 1];
	}
	x->items[at] = e;
	x->count++;
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
