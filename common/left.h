/* SPDX-License-Identifier: ISC */
/*
 * What waits in queues that lie in the spool but are not in the configuration,
 * because somebody took them out or calls them otherwise now: nobody runs it,
 * so people are told.
 */
#ifndef COMMON_LEFT_H
#define COMMON_LEFT_H

#include "common/tree.h"

struct left {
	char queue[QUEUE_MAX + 1];
	size_t patches; /* queued, held or running */
	size_t reports; /* outcomes and summaries that were not delivered */
};

/*
 * Calls each for those in which something waits: 0, or -1 with errno.
 * delivers: summaries go somewhere; else they wait for nothing.
 */
int left_find(struct tree *t, bool delivers,
    void (*each)(void *owner, const struct left *l), void *owner);
/* One sentence; the caller's. */
char *left_words(const struct left *l);

#endif
