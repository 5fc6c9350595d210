/* SPDX-License-Identifier: ISC */
/*
 * Which file a transcript's cursor is about: the one at its path, the same
 * content under another inode, or the one that was renamed away.
 */
#ifndef BRIDGE_TRANSCRIPT_H
#define BRIDGE_TRANSCRIPT_H

#include "bridge/source.h"

#define TRANSCRIPT_PRINT 4096 /* bytes at each end of what was read */

struct transcript {
	int fd;
	struct stat st;
	bool replaced; /* renamed away, and another one is at the path: its
			  end is the end */
};

/*
 * 1: t is open at a file that the cursor fits (the cursor was rewound where
 * none did). 0: nothing new, or the source is in trouble, which was told.
 */
int transcript_open(struct source *s, struct desk *k, bool once,
    struct transcript *t);
/* SHA-256 over the first and the last TRANSCRIPT_PRINT bytes before offset;
 * 0, or -1 where the file is shorter or unreadable. */
int transcript_print(int fd, off_t offset, char out[DIGEST_SIZE]);

#endif
