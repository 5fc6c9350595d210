/* SPDX-License-Identifier: ISC */
/*
 * The tail of a success: what follows once the operations of its record are
 * carried out. The one sync, the outcome shown, the queue file moved, the
 * transaction kept.
 *
 * Where the journal keeps the order (settle_in_order) it may wait until the
 * next patch is staged, and is then done beside that: nobody has been told of
 * the success yet, a power cut takes back the patch or leaves a record that
 * recovery follows, and no next record is written before it. Who dies in it
 * has the next patch in hand: that is charged with it.
 */
#ifndef EXECUTOR_TAIL_H
#define EXECUTOR_TAIL_H

#include "executor/executor.h"

/* The record in t is DONE, displaced: others' versions lie in t, unsynced: none
 * of it is durable, and it may wait. Takes t and r. 0, or -1 and the queue is
 * held. */
int tail_begin(struct executor *ex, struct txn *t, struct record *r,
    bool displaced, bool unsynced);
/* 0, or -1: the queue is held, and what waited is left to recovery. Nothing to
 * do is 0. */
int tail_finish(struct executor *ex);
/* Does one wait that has to be finished before a patch of that key is begun? It
 * asks about it, or would meet what the tail takes away for good. */
bool tail_concerns(const struct executor *ex, const char *key,
    const json_t *patch);
/* What follows a durable record that is carried out; recovery's too. 0, or -1
 * and the queue is held. */
int tail_settle(struct executor *ex, const struct txn *t, struct record *r,
    bool displaced);

#endif
