/* SPDX-License-Identifier: ISC */
/*
 * Transactions that are over, kept for undo: PLACE/.undo/KEY,ATTEMPT with the
 * record DONE and what was displaced. A folder of its own, so that a start
 * does not see them however many they are. They go by age, by size, and when
 * the disk has less room than patches may need.
 */
#ifndef EXECUTOR_KEPT_H
#define EXECUTOR_KEPT_H

#include "executor/executor.h"

/* T is settled: kept, or dropped where nothing is to be kept. */
void kept_put(struct executor *ex, const struct txn *t);
/* What nobody needs of it is taken away here, beside the next patch's jail or
 * when there is nothing to do. */
void kept_finish(struct executor *ex);
/* 0 with *t open, or -1; errno ENOENT: it is not kept (any more). */
int kept_open(struct executor *ex, const char *name, struct txn *t);
/* Back among the transactions that recovery looks at, durably; 0 or -1. */
int kept_fetch(struct executor *ex, const char *name);
/* Out of everybody's way, with an alert: others' versions lie in it. what
 * says of which files. 0, or -1 with errno. */
int kept_aside(struct executor *ex, int from, const char *name,
    const char *what);
/* A whole transaction in which lie others' changes of the last moment. 0, or
 * -1 and the queue is held. */
int kept_displaced(struct executor *ex, const char *name);
/* The staging place is another one than from: what is kept there comes along.
 * Where it cannot (another filesystem), that is said. */
void kept_bring(struct executor *ex, const char *from);
/* Retention. */
void kept_tidy(struct executor *ex);
/* The same, where their bytes ask for it: whoever runs once a minute has to let
 * go, too. Between two patches, for it takes names from files that may be the
 * workspace's as well. */
void kept_limit(struct executor *ex);
/* The oldest go until there is room; false: none was left to go. */
bool kept_make_room(struct executor *ex);

#endif
