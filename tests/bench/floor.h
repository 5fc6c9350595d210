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
 *   jail      init in pid, ipc and uts namespaces of its own, with a
 *             lifeline and a report and no other descriptor; a net namespace,
 *             which is kept from one patch to the next; the overlay; /proc
 *             with its writable parts closed; the root read-only, with its
 *             own /dev, /tmp, /home, /root, /run and the two others, built of
 *             binds and pivoted into
 *   worker    rights given up, Landlock, the system call filter
 *   commands  two shells, their output read, each reported
 *   end       processes reaped, the namespaces' end waited for
 *   commit    files, record and outcome to the disk, then the record's name,
 *             then the exchanges, DONE, the outcome, the queue file
 *   undo      T is kept; what only the overlay needed is removed
 *
 * As the executor does, mounts for the next patch are made while this one's
 * commands run, and so is what the last one left removed: a floor that did
 * all of it in a row would be higher.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "executor/cgroup.h"

#define FLOOR_FILES 3
#define FLOOR_COMMANDS 2

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
	int mounts;
	pid_t builder; /* of the mounts */
};

/* One patch's jail, seen from outside. */
struct floor_jail {
	pid_t pid;
	int pidfd;
	int lifeline;
	int report;
};

/* In place's directory, of the files f0, f1 and f2 in ws. */
void floor_open(struct floor *f, int place, const char *path, int ws);
void floor_close(struct floor *f);
/* Microseconds of n patches; -1: the machine does not allow it. */
int64_t floor_run(struct floor *f, int n);

/* 0, or -1 where namespaces are refused. */
int floor_jail_open(struct floor *f);
void floor_jail_close(struct floor *f);
/* Init waits for floor_jail_release. */
int floor_jail_start(struct floor *f, struct floor_jail *j);
int floor_jail_release(const struct floor_jail *j);
/* What it reports is read, and its end waited for. */
int floor_jail_end(const struct floor_jail *j);

/* A child that makes the mounts in which no patch has a say, and a descriptor
 * of its namespace. */
int floor_mounts_begin(struct floor *f);
int floor_mounts_await(struct floor *f);
/* Into the namespace mounts, with the overlay at the workspace, which becomes
 * the working directory. */
int floor_mounts_enter(const struct floor *f, int mounts);

#endif
