/* SPDX-License-Identifier: ISC */
/*
 * From a staged set of operations to a changed workspace, in this order:
 * commit_check (what can fail fails here), commit_sync (staged bytes durable),
 * commit_write (COMMIT: the verdict), commit_apply (idempotent, recovery's
 * too), commit_done. Between write and done a crash changes nothing about the
 * result.
 */
#ifndef EXECUTOR_COMMIT_H
#define EXECUTOR_COMMIT_H

#include <time.h>

#include "common/spool.h"
#include "executor/fault.h"
#include "executor/plan.h"
#include "executor/record.h"
#include "executor/stage.h"

struct commit {
	const struct workspace *workspace;
	const struct txn *txn;
	void (*beat)(void *);
	void *owner;
	/* of commit_check only */
	const struct plan *plan;
	struct timespec since; /* T0: a ctime from before the view was made */
	/* filled by commit_apply: somebody changed these behind the check;
	 * array of paths, what was there lies in T */
	json_t *displaced;
};

int commit_check(const struct commit *c, const struct ops *ops,
    struct fault *f);
int commit_sync(const struct commit *c, const struct ops *ops, struct fault *f);
/* SPOOL_UNKNOWN: the record may come back after a power cut. Nothing must be
 * done to the workspace until recovery has read it. */
enum spool_answer commit_write(const struct txn *t, const struct record *r);
/* 0, or -1 with errno and *at the path it stopped at: may be called again. */
int commit_apply(struct commit *c, const struct ops *ops, const char **at);
/* Undoes what was applied, by the same evidence; for a record under the name
 * REVERT. */
int commit_revert(struct commit *c, const struct ops *ops, const char **at);
int commit_done(const struct txn *t);

/* COMMIT, DONE or REVERT of T: 1 and *which its name, 0 none, -1 broken. */
int commit_read(const struct txn *t, struct record *r, const char **which);

#endif
