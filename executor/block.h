/* SPDX-License-Identifier: ISC */
/*
 * Where and why a record could not be carried out and was turned back, kept
 * in T for the outcome.
 */
#ifndef EXECUTOR_BLOCK_H
#define EXECUTOR_BLOCK_H

#include "executor/commit.h"

struct block {
	char path[1024];
	int error; /* 0: not known any more */
};

/* Recovery may have to tell. The disk may be full: then it says less. */
void block_save(const struct txn *t, const struct block *b);
struct block block_load(const struct txn *t);
/* Somebody changed the workspace, or there is no room; more of the same will
 * not help. What may pass (EIO, ENOMEM) is tried again. */
bool block_permanent(int error);
/* The path in f->conflicts, and whose it is now. back: of an undo. */
void block_note(const struct commit *c, const struct record *r,
    const char *path, bool back, struct fault *f);

#endif
