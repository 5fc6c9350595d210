/* SPDX-License-Identifier: ISC */
/*
 * The locks of git (index.lock, HEAD.lock, REF.lock) keep the git of others out
 * while a change of a repository is checked and put into place. Ours is a
 * symbolic link under the name that git would create, so that one cannot be had
 * while the other is there; it says whose it is. T/locks holds the same link
 * from before: recovery finds there what to take away, and takes nothing else.
 */
#ifndef EXECUTOR_GITLOCK_H
#define EXECUTOR_GITLOCK_H

#include "executor/executor.h"
#include "executor/record.h"

#define GITLOCK_HEAD ".git/HEAD"

/* Waits, at most 5 s, until no git holds the index: 0, or -1 with *f. */
int gitlock_wait(struct executor *ex, struct fault *f);
/* Takes those that ops need, and waits for others' as above. After -1 some
 * may be held. */
int gitlock_take(struct executor *ex, const struct txn *t,
    const struct ops *ops, struct fault *f);
/* Index and references are HEAD's. Where one of these changes and HEAD does
 * not, it must not have come to be another one either: its lock is taken, too,
 * and the caller looks at it. */
bool gitlock_adds_head(const struct ops *ops);
/* Those of T are gone; somebody else's stay. 0, or -1 with errno. */
int gitlock_release(const struct workspace *w, const struct txn *t);

#endif
