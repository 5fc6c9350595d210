/* SPDX-License-Identifier: ISC */
/*
 * undo ID: the exact before-image of a completed patch, from its kept
 * transaction. A request becomes a patch of its own, undo:ID, that waits in
 * the queue like any other; run, it checks that nobody has changed since what
 * the patch changed, and then writes UNDO beside DONE: a commit record whose
 * operations are taken back by commit_revert. Recovery does the same again.
 */
#ifndef EXECUTOR_UNDO_H
#define EXECUTOR_UNDO_H

#include "executor/commit.h"
#include "executor/executor.h"

/* The request: true when undo:ID is queued or has been; why is the answer. */
bool undo_ask(struct executor *ex, const char *id, const struct queue_name *n,
    char why[256]);

/* Is a queued patch one of ours? */
bool undo_is(const json_t *patch);
/* Runs it: 0 done and settled, -1 with the run's fault set, 1 the queue is
 * held. */
int undo_run(struct executor *ex);

/* carry.c, for a record UNDO: what is left behind its operations. Marks the
 * patch that was taken back. 0, or -1 and the queue is held. */
int undo_mark(struct executor *ex, const struct txn *t, const struct record *r);

/* undo_check.c: what has changed since, as an array of {path, why}; new_ino of
 * a file that was replaced by an equal one is adopted. 0, or -1 with errno. */
int undo_check(struct executor *ex, const struct txn *t, struct record *r,
    json_t *changed);

/* undo_diff.c: fields changes and diff, before anything is taken back. */
void undo_describe(struct executor *ex, const struct txn *t,
    const struct record *r, json_t *outcome);

#endif
