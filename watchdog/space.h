/* SPDX-License-Identifier: ISC */
/*
 * Free space and inodes of the spool and the workspaces. A dead network mount
 * answers nobody: so an errand looks, a few paths at a time, and one that does
 * not come back costs the path that it hangs on, which is a trouble of its
 * own and is looked at again when it has.
 */
#ifndef WATCHDOG_SPACE_H
#define WATCHDOG_SPACE_H

#include <stdbool.h>
#include <stddef.h>

#include "watchdog/errand.h"

struct watchdog;

#define SPACE_ERRANDS 4 /* that may hang at one time */
#define SPACE_BATCH 16  /* paths an errand */

struct space_look {
	struct errand errand;
	const char *path[SPACE_BATCH]; /* borrowed, and only while it runs */
	size_t count;
	char hangs_on[1024]; /* "": nothing that we know of */
};

struct space {
	struct space_look look[SPACE_ERRANDS];
	size_t next; /* path: 0 is the spool, then the workspaces */
	bool looked; /* once at least */
	bool braked;
};

/* Begins a look at all of them. */
void space_look(struct watchdog *w);
/* The paths are about to go with the configuration. */
void space_forget(struct watchdog *w);
/* Lets the brake go: a supervisor that leaves holds nobody. */
void space_close(struct watchdog *w);

#endif
