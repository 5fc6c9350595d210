/* SPDX-License-Identifier: ISC */
/*
 * What lies in the queues, and whether the spool's directories are as they
 * should be: looked at by a child, for a disk may not answer. What it has seen
 * it leaves in memory that both share.
 */
#ifndef WATCHDOG_GLANCE_H
#define WATCHDOG_GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/key.h"
#include "watchdog/errand.h"

struct watchdog;

#define GLANCE_QUEUES 200
#define GLANCE_NAMES 20000 /* of a queue are looked at */

struct glance {
	bool known;
	size_t depth;
	int64_t oldest_us;     /* 0: none */
	char first[NAME_SIZE]; /* the patch that is next, or "" */
	bool is_running;       /* a patch is */
	bool is_held;          /* by a person, or for want of something */
	size_t unsummarized;   /* finished patches, for too long */
};

struct glance_book {
	bool rights_wrong;
	struct glance queues[GLANCE_QUEUES];
};

struct glance_look {
	struct errand errand;
	struct glance_book *book; /* shared; most of it is never touched */
	bool stale;               /* the queues are others by now */
};

void glance_open(struct watchdog *w);
/* Begins a look, unless one is under way; check_take gets what it saw. */
void glance_begin(struct watchdog *w);
void glance_forget(struct watchdog *w);

#endif
