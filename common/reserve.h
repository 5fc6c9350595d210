/* SPDX-License-Identifier: ISC */
/*
 * Room that is kept for the day the disk is full: a preallocated file that is
 * given back when a write fails with ENOSPC or EDQUOT, so that the last
 * summaries and alerts can still be written.
 */
#ifndef COMMON_RESERVE_H
#define COMMON_RESERVE_H

#include <stdbool.h>
#include <sys/types.h>

struct reserve {
	int dir; /* borrowed */
	const char *name;
	off_t bytes;
	bool held;
};

void reserve_open(struct reserve *r, int dir, const char *name, off_t bytes);
/* Takes the room (again); 0, or -1 while there is none. */
int reserve_fill(struct reserve *r);
/* True when err means a full disk and there was room to give back: try the
 * write once more. */
bool reserve_spend(struct reserve *r, int err);

#endif
