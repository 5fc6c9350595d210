/* SPDX-License-Identifier: ISC */
/*
 * The staged view against the workspace: canonical operations, with what they
 * bring moved to T/new. Runs when every process of the patch is dead and the
 * overlay is gone; of a patch without commands, when its worker has said the
 * last of what it had to say.
 */
#ifndef EXECUTOR_DIFF_H
#define EXECUTOR_DIFF_H

#include "executor/changes.h"
#include "executor/fault.h"
#include "executor/foreign.h"
#include "executor/plan.h"
#include "executor/record.h"
#include "executor/stage.h"

struct diff {
	const struct workspace *workspace;
	const struct txn *txn;
	const struct queue_settings *queue;
	bool trusted; /* overlay attributes are trusted.*, else user.* */
	void (*beat)(void *);
	void *owner;
	const struct foreign_list *foreign; /* of a clone, else NULL */
	bool overlay; /* without root: no foreign file should be in it */
	/* filled */
	struct ops ops;
	struct changes changes;
	json_t *warnings;
	size_t seen;
	bool met_foreign; /* in such an overlay */
};

/* The upper layer of an overlay. 0, or -1 with *f set. */
int diff_overlay(struct diff *d, struct fault *f);
/* A clone of the whole workspace (clone.h). */
int diff_copy(struct diff *d, struct fault *f);
/* A scratch copy: only the paths that the plan names can differ. */
int diff_scratch(struct diff *d, const struct plan *p, struct fault *f);
/* Can diff_scratch tell what the plan did? Not where a directory is taken
 * away and something put into its place or below it. */
bool diff_can_scratch(const struct plan *p, const struct workspace *w);

#endif
