/* SPDX-License-Identifier: ISC */
/*
 * Who waits for whom, in memory: so that the end of a patch costs a look at
 * those that need it, not at all that are held. A help only: made anew by each
 * look at .held, which finds what this does not know (other queues, whose ends
 * bring such a look; patches refused by the bridge, more than WAITS_MAX).
 */
#ifndef EXECUTOR_WAITS_H
#define EXECUTOR_WAITS_H

#include <sys/queue.h>
#include <sys/tree.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/key.h"

#define WAITS_MAX 100000 /* patches and what they need, in pairs */

struct wait;
RB_HEAD(wait_tree, wait);
STAILQ_HEAD(wait_list, wait);

/* All zeroes is empty. */
struct waits {
	struct wait_tree by_id;
	struct wait_list due; /* what they needed has ended; NULL head: none */
	size_t count;
};

/* The held file waits for the dependencies of patch. */
void waits_add(struct waits *w, const json_t *patch, const char *file);
/* The patch id has ended: who waits for it is due. */
void waits_tell(struct waits *w, const char *id);
/* The next one that is due, or false. */
bool waits_take(struct waits *w, char file[NAME_SIZE]);
bool waits_are_due(const struct waits *w);
void waits_clear(struct waits *w); /* of all but those that are due */
void waits_free(struct waits *w);

#endif
