/* SPDX-License-Identifier: ISC */
/*
 * What a commit has displaced, looked at again when it is done: others may
 * have replaced or written a file behind the last check. Theirs lies in T
 * then, and has to be told of.
 */
#ifndef EXECUTOR_DISPLACED_H
#define EXECUTOR_DISPLACED_H

#include "executor/commit.h"

/* Adds to c->displaced. All of it is read from T and the workspace, so that
 * a crash in between loses nothing. */
void displaced_find(struct commit *c, const struct record *r);
/* Before and after it is taken back: has somebody written to what o had put, or
 * into it, since it was checked? It lies in dir by that name. */
bool displaced_is_changed(const struct commit *c, const struct op *o, int dir,
    const char *name, const struct stat *st);
/* Was a displaced file written since the record was called DONE? Such a
 * writer had it open before. Its path, or NULL. */
const char *displaced_late(const struct txn *t, const struct record *r);

#endif
