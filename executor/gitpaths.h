/* SPDX-License-Identifier: ISC */
/*
 * The paths that a patch's mutations name, as git's command line takes them:
 * literally, whatever characters they are made of, and only those that git
 * has anything to do with. It refuses a whole command for one that matches
 * nothing: an ignored file, an empty directory, one that was made and taken
 * away again. What is marked in the index as not to be looked at it leaves out
 * of one command and not of another.
 */
#ifndef EXECUTOR_GITPATHS_H
#define EXECUTOR_GITPATHS_H

#include "executor/worker.h"

#define GIT "/usr/bin/git"

struct gitpaths {
	char **items;
	size_t count;
	size_t dropped; /* that git does not look at */
};

/* While the index is still as it was before the patch. 0, or -1 with *f set;
 * free with gitpaths_free in both cases. */
int gitpaths_find(struct worker *w, struct gitpaths *p, struct fault *f);
void gitpaths_free(struct gitpaths *p);

#endif
