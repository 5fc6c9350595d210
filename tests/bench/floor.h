/* SPDX-License-Identifier: ISC */
/*
 * What a patch of three files and two commands cannot do without, as bare
 * system calls: no JSON, no policy, no diff, no checks, no log. Left out is
 * also what has a cheaper way: descriptors that are closed at the end of a
 * process, signals that nobody caught, links that nobody planted. What remains
 * is the contract:
 *
 *   claim     the document is read and renamed
 *   group     of version 2 or 1: made, limited, joined, read, removed
 *   T         a directory with upper, work and new; BEGIN with the pid of
 *             init and when it started
 *   jail      init in mount, pid, ipc and uts namespaces of its own, with a
 *             lifeline and a report; the root read-only, with its own /dev,
 *             /tmp, /home, /root, /run and the two others, built of binds and
 *             pivoted into; /proc with its writable parts closed, and below
 *             it, out of sight, what the overlay will lie on
 *   order     which transaction; then the group is joined, and the net
 *             namespace entered that is kept from one patch to the next; the
 *             overlay
 *   worker    rights given up, Landlock, the system call filter
 *   commands  two shells, their output read, each reported
 *   end       the worker's word that it is done; processes reaped, the
 *             namespaces' end waited for
 *   commit    files, record and outcome to the disk, then the record's name,
 *             then the exchanges, DONE, the outcome, the queue file
 *   undo      T is kept; what only the overlay needed is removed
 *
 * As the executor does, the next patch's jail is started ahead while this
 * one's commands run, up to its order, and what the last one left is removed
 * then; what the worker left is staged while init ends. A floor that did all
 * of it in a row would be higher. The first jail of a run is ahead of nothing,
 * and behind the last patch none is started.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "executor/cgroup.h"

#define FLOOR_FILES 3
#define FLOOR_COMMANDS 2

/* One patch's jail, seen from outside; pid -1: there is none. */
struct floor_jail {
	pid_t pid;
	int pidfd;
	int lifeline;
	int report;
};

struct floor {
	char *ws_path;
	char *txn_path;
	int ws;
	int spool;   /* of the documents, their outcomes and drafts */
	int running; /* and kept: another directory, as the syncs are counted */
	int txn;
	int kept;
	bool ordered; /* the journal keeps the order */
	int next;     /* number of the transaction */

	struct cgroup group;
	int net; /* the namespace that all of them use */
	struct floor_jail ahead;
};

/* What an overlay lies on, from inside the jail. */
struct floor_places {
	int lower;
	int txn;
};

/* In place's directory, of the files f0, f1 and f2 in ws. */
void floor_open(struct floor *f, int place, const char *path, int ws);
void floor_close(struct floor *f);
/* Microseconds of n patches; -1: the machine does not allow it. */
int64_t floor_run(struct floor *f, int n);

/* 0, or -1 where namespaces are refused. */
int floor_jail_open(struct floor *f);
void floor_jail_close(struct floor *f);
/* The next one's init is begun: it makes what no patch has a say in, and waits
 * for its order. */
void floor_jail_ahead(struct floor *f);
/* That one, or one that is begun now; 0 or -1. */
int floor_jail_take(struct floor *f, struct floor_jail *j);
/* Its order: f's transaction. An init that is dead reports nothing. */
void floor_jail_release(const struct floor *f, const struct floor_jail *j);
/* What it reports is read: 0, or -1 where it ended without the last word. */
int floor_jail_hear(const struct floor_jail *j);
/* Its end is waited for. */
int floor_jail_end(const struct floor_jail *j);

/* In init: all mounts but the overlay, the machine's root left. */
int floor_mounts_make(const struct floor *f, struct floor_places *p);
/* The overlay of that transaction at the workspace, which becomes the working
 * directory. */
int floor_mounts_enter(const struct floor *f, const struct floor_places *p,
    int transaction);

#endif
