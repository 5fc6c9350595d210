/* SPDX-License-Identifier: ISC */
/*
 * Which patch the executor has in its hands, for the executor that comes after
 * it: from before a queue file is read until the attempt has ended. One record
 * in state/executor@QUEUE/hand, overwritten in place and never synced: it has
 * to outlive the process, and when the machine falls nobody is to blame.
 *
 * A death with a patch in hand is counted against that attempt (tries.h),
 * each death once, unless it was somebody else's doing: the machine went down,
 * the supervisor was asked to stop the executor or died itself, or the black
 * box says that somebody killed it from outside.
 */
#ifndef EXECUTOR_HAND_H
#define EXECUTOR_HAND_H

#include <stdbool.h>

#include "common/key.h"

struct executor;

struct hand {
	int fd; /* -1: nothing is noted */
	long supervisor;
	unsigned long long started; /* in the kernel's count */
	unsigned long taken;
	char key[KEY_SIZE]; /* what the record says; "": nothing */
	int attempt;
	struct queue_name
	    blamed; /* what the last one died with; key "": none */
};

/* Reads what the last one left, and counts. */
void hand_open(struct executor *ex);
void hand_close(struct executor *ex);
void hand_take(struct executor *ex, const char *key, int attempt);
/* Empty, or again the patch that runs. */
void hand_drop(struct executor *ex);
/* From here on a death is no patch's doing: we were asked to stop. */
void hand_rest(struct executor *ex);

#endif
