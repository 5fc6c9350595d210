/* SPDX-License-Identifier: ISC */
/*
 * A short-lived child of the supervisor's own, for what might block it: a
 * program that is tried, a filesystem that does not answer. Its output is
 * kept up to ERRAND_OUTPUT bytes, and it has a deadline. One that the kernel
 * holds beyond its SIGKILL keeps its errand busy and nothing else.
 */
#ifndef WATCHDOG_ERRAND_H
#define WATCHDOG_ERRAND_H

#include <sys/queue.h>
#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/loop.h"
#include "watchdog/spawn.h"

struct watchdog;

#define ERRAND_OUTPUT 1024
#define ERRAND_LATE (-1) /* in place of an exit status */

struct errand {
	TAILQ_ENTRY(errand) link;
	struct watchdog *owner;
	pid_t pid; /* 0: none; else in the supervisor's list */
	int pidfd;
	int out_fd;
	struct watch exit;
	struct timer deadline;
	bool late;    /* told so already */
	bool in_tree; /* its work is with the spool's descriptors */
	/* status is the exit status, 128 + signal, or ERRAND_LATE: then the
	 * process may still exist. Called once a start. */
	void (*done)(struct errand *, int status);
	char output[ERRAND_OUTPUT + 1]; /* NUL behind it */
	size_t used;
};

TAILQ_HEAD(errand_list, errand);

/*
 * Runs a program (out_fd of sp is ours to choose), or work in a fork: its
 * result is the exit status. 0; -1 with errno, EBUSY while the last one
 * exists.
 */
int errand_run(struct errand *h, struct spawn *sp, int64_t limit_ms);
int errand_fork(struct errand *h, int (*work)(void *arg, int out_fd), void *arg,
    int64_t limit_ms);
/* In a fork: closes what would keep others from seeing the supervisor's end,
 * or its daemons theirs; the spool's descriptors and the lock stay. */
void errand_let_go(struct watchdog *w);
/* Kills and waits for it, where the kernel lets it die; done is not called. */
void errand_end(struct errand *h);

#endif
