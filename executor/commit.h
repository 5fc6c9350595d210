/* SPDX-License-Identifier: ISC */
/*
 * From a staged set of operations to a changed workspace, in this order:
 * commit_sync (staged bytes and the record, not yet under its name, durable),
 * commit_check (what can fail fails here), commit_write (COMMIT: the verdict),
 * commit_apply and commit_harden (idempotent, recovery's too), commit_done.
 * Between write and done a crash changes nothing about the result. Where the
 * order is kept, all from the write on is made durable at once, see tail.h.
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
	bool ordered; /* settle_in_order: a later sync is for all of it */
	void (*beat)(void *);
	void *owner;
	/* of commit_check only */
	const struct plan *plan; /* NULL: an undo */
	const json_t *bases;     /* basis.h */
	struct timespec since;   /* T0: a ctime from before the view was made */
	int64_t ahead_us;        /* instant.h, at T0; 0: nothing rests on it */
	bool split_links;        /* hard links may be separated */
	const char *same_path;   /* late, but found to say the same; or NULL */
	/* filled by displaced_find and commit_revert, owned: paths that
	 * somebody changed behind the check */
	json_t *displaced;
	int64_t decided_ns; /* by commit_revert, too: since its record */
};

int commit_check(const struct commit *c, const struct ops *ops,
    struct fault *f);
/* Nothing of r may change behind it. */
int commit_sync(const struct commit *c, const struct record *r,
    struct fault *f);
/* SPOOL_UNKNOWN: the record may come back after a power cut. Nothing must be
 * done to the workspace until recovery has read it. Not synced where the order
 * is kept: whatever is done next comes to the disk behind it, but nobody may
 * hear of it before. */
enum spool_answer commit_write(const struct commit *c);
/* As above for UNDO, in one. */
enum spool_answer commit_write_undo(const struct txn *t,
    const struct record *r);
/* 0, or -1 with errno and *at the path it stopped at: may be called again. */
int commit_apply(struct commit *c, const struct ops *ops, const char **at);
/* What was applied is durable. 0, or -1: may be called again. */
int commit_harden(const struct commit *c, const struct ops *ops);
/* Takes back what was applied, by the same evidence; for a record under the
 * name REVERT or UNDO. */
int commit_revert(struct commit *c, const struct ops *ops, const char **at);
int commit_done(const struct txn *t);

/* Which record T holds. Recovery follows the name it finds. */
enum commit_state {
	COMMIT_NONE,
	COMMIT_FORWARD, /* COMMIT: the patch has happened; carry it out */
	COMMIT_DONE,    /* DONE: carried out */
	COMMIT_BACK,    /* REVERT: it cannot be carried out; take it back */
	COMMIT_UNDO,    /* UNDO, beside DONE: the verdict of a later patch that
			   takes this one back */
	COMMIT_REDO     /* REDO, was UNDO: that cannot be completed; forward */
};
/* Is there a record at all, whatever it says? */
bool commit_exists(const struct txn *t);
/* When the record was written, which people's changes are held against. */
int64_t commit_time_ns(const struct txn *t);
/* 1 found, 0 none, -1: there is one that cannot be trusted. */
int commit_read(const struct txn *t, struct record *r,
    enum commit_state *state);
/* From here on it is taken back: COMMIT becomes REVERT. 0 or -1. */
int commit_turn(const struct txn *t);
/* The same for an undo: UNDO becomes REDO; and its end, DONE alone again. */
int commit_turn_undo(const struct txn *t);
int commit_redone(const struct txn *t);

/* Of commit_apply and commit_revert. */
int commit_meta(const struct commit *c, const char *path,
    const struct op_meta *m);

#endif
