/* SPDX-License-Identifier: ISC */
/*
 * What executors cannot see of themselves: queues too deep, too old or not
 * moving, attempts without a summary, disks filling up. Each trouble is one
 * alert when it begins and one when it ends.
 */
#ifndef WATCHDOG_CHECK_H
#define WATCHDOG_CHECK_H

#include <jansson.h>
#include <stdint.h>

#include "common/key.h"
#include "common/loop.h"
#include "watchdog/glance.h"
#include "watchdog/space.h"

struct watchdog;
struct service;

#define CHECK_QUEUES 200
#define CHECK_TROUBLES 512

/* How a queue looked last time. */
struct check_queue {
	char name[QUEUE_MAX + 1];
	char first[NAME_SIZE]; /* the patch that is next */
	uint64_t work;
	int idle;     /* looks in a row with this one lying there */
	int patience; /* looks until a restart; doubles with each */
};

struct trouble {
	char type[32];
	char subject[192];
};

struct check {
	struct timer timer;
	int64_t wall_ahead_ms; /* of the monotonic clock */
	uint64_t looks;
	bool spent; /* memory, which the next rest gives back */
	size_t queue_count;
	size_t trouble_count;
	struct space space;
	struct glance_look glance;
	/* Last, since most of it is never touched. */
	struct check_queue queues[CHECK_QUEUES];
	struct trouble troubles[CHECK_TROUBLES];
};

void check_open(struct watchdog *w);
/* Begins a look at everything. */
void check_run(struct watchdog *w);
/* What was seen in the queues. */
void check_take(struct watchdog *w, const struct glance_book *book);
void check_recall(struct check *c, const char *type, const char *subject);
json_t *check_troubles(const struct check *c); /* [[type, subject], ...] */

/* Begins or ends a trouble; tells people only about the change. */
struct finding {
	const char *type;
	const char *subject;
	const char *queue; /* or NULL */
	const char *text;
	bool holds;
};
void check_note(struct watchdog *w, const struct finding *f);
bool check_holds(const struct check *c, const char *type, const char *subject);
/* progress.c: is there a patch that this idle executor does not take? */
void check_progress(struct watchdog *w, const char *queue,
    const struct glance *g);

#endif
