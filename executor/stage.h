/* SPDX-License-Identifier: ISC */
/*
 * Where transactions live, and one transaction's directory T:
 *
 *   PLACE/KEY,ATTEMPT/      0700, on the workspace's filesystem and mount
 *     BEGIN                 checked, not synced: who runs, process to be
 *                           proven dead
 *     COMMIT DONE REVERT    checked: record.h; one of them or none; beside
 *     UNDO REDO             DONE, what an undo does
 *     upper work            the overlay's, or upper alone as scratch copy
 *     new old               staged results; what they displaced
 *     tmp                   COMMIT until it is the record; durable puts
 *     locks                 gitlock.h; while there are any
 *
 * T goes by a rename to .drop-NAME first, so that a half-removed one is
 * never taken for an interrupted one.
 */
#ifndef EXECUTOR_STAGE_H
#define EXECUTOR_STAGE_H

#include <sys/stat.h>
#include <limits.h>
#include <stdbool.h>

#include "common/key.h"

struct workspace {
	char path[PATH_MAX]; /* real: no symlink in it */
	int fd;
	struct stat st;
};

/* 0, or -1: it is missing, or no directory. */
int workspace_open(struct workspace *w, const char *path);
/* Does its path still lead to it? It may have been unmounted or replaced under
 * our descriptor. */
bool workspace_is_there(const struct workspace *w);
/* Not mounted read-only, as a kernel does behind an error of the disk. */
bool workspace_is_writable(const struct workspace *w);
void workspace_close(struct workspace *w);

struct place {
	char path[PATH_MAX];
	int dir;
};

/* Opens path, made when missing, and proves that a file made there can be
 * renamed into the workspace (which is left as it was), unless that is
 * proven. */
int place_open(struct place *p, const char *path, const struct workspace *w,
    bool proven);
void place_close(struct place *p);

struct txn {
	char name[NAME_SIZE]; /* KEY,ATTEMPT */
	int place;            /* borrowed */
	int dir;
	int upper;
	int new;
	int old;
	int tmp;
};

/* Nothing is open. */
void txn_reset(struct txn *t);
/* Makes T; upper gets the mode and owner of the workspace. 0 or -1. */
int txn_create(struct txn *t, const struct place *p, const char *name,
    const struct workspace *w);
/* What an overlay needs besides. */
int txn_add_work(const struct txn *t);
int txn_open(struct txn *t, const struct place *p, const char *name);
void txn_close(struct txn *t);
/* Gone, or at least out of recovery's sight; 0 or -1. */
int txn_drop(const struct place *p, const char *name);
/* Finishes interrupted drops but for what nobody may remove; 0 or -1. */
int txn_sweep(const struct place *p);

#endif
