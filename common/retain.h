/* SPDX-License-Identifier: ISC */
/*
 * Retention: takes the oldest files out of a directory, those beyond an age
 * first, then until the rest is below a size. Age counts from the last change
 * of the file or its name (ctime); a stamp in the future is new. Nothing goes
 * by the clock alone: may_remove is asked for each name, so say there what
 * else must hold (its outcome is done, its summary delivered).
 *
 * Memory is bounded for a directory of any length. One call removes some
 * RETAIN_BATCH files and syncs the directory once; those that may not go are
 * passed over, up to RETAIN_PASSES batches of them. A call reads the whole
 * directory, so it is one for a timer and never for each patch; after an
 * answer of RETAIN_MORE and above another call soon has more to do.
 */
#ifndef COMMON_RETAIN_H
#define COMMON_RETAIN_H

#include <stdbool.h>
#include <stdint.h>

#define RETAIN_BATCH 4096
#define RETAIN_MORE (RETAIN_BATCH / 2)
#define RETAIN_PASSES 16

struct retain {
	int64_t age_ms; /* older ones go; 0: age does not matter */
	int64_t bytes;  /* disk space the directory may take; 0: any */
	int move_to;    /* directory they are moved to; -1: unlinked */
	bool (*may_remove)(void *owner, const char *name); /* NULL: all */
	void *owner;
};

/*
 * How many were removed or moved; -1 where the directory cannot be read. A
 * file that cannot be removed is left, and comes again in the next call.
 */
int retain_dir(int dir, const struct retain *r);

#endif
