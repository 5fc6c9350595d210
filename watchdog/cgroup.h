/* SPDX-License-Identifier: ISC */
/*
 * The suite's control groups, below the one that the supervisor was started
 * in, G, or where that is not to be divided, the nearest above it that is:
 *
 *	G/patchflow-TAG/supervisor          version 2: we, and whoever has no
 *	                                    group of its own
 *	G/patchflow-TAG/NAME/daemon         version 2: a daemon with limits, and
 *	                                    each executor
 *	G/patchflow-TAG/NAME/patchflow-...  an executor's own affair
 *	G/patchflow-TAG/NAME                version 1: a daemon with limits
 *
 * Version 2 where the controller is there and the group is ours to divide
 * (delegated), else version 1, else none, controller by controller. What is
 * to be had is found by trying.
 */
#ifndef WATCHDOG_CGROUP_H
#define WATCHDOG_CGROUP_H

#include <sys/types.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Where an executor is, below the group that it divides: its cgroup.h knows
 * the name as well. */
#define CGROUP_LEAF "daemon"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP__MAX };

struct cgroup {
	char dir[CGROUP__MAX][PATH_MAX];
	char above[PATH_MAX]; /* of version 2, "" where it is not to be had */
	char home[PATH_MAX];  /* the suite's in it */
	int version[CGROUP__MAX]; /* 0: not to be had */
	bool tried;
	bool tried_v1;
};

/* Looks, and makes the suite's own groups, called after tag: version 1 for
 * limits only. Version 2 is tried again while it is not to be had. */
void cgroup_open(struct cgroup *c, uint64_t tag, bool limits);
/* Before anybody is started: removes what an earlier life has left, also where
 * this one makes none. */
void cgroup_sweep(const struct cgroup *c, uint64_t tag);
/* Removes what is empty again. */
void cgroup_close(struct cgroup *c);
/*
 * name's group with that limit (bytes, processes, percent of a processor): a
 * descriptor that puts whoever writes "0" to it there, or -1 with errno.
 */
int cgroup_limit(const struct cgroup *c, enum cgroup_controller which,
    const char *name, int64_t value);
/* The same for a daemon that makes groups of its own, in version 2: name's
 * group becomes owner's. -1 where there is none. */
int cgroup_lend(const struct cgroup *c, const char *name, uid_t owner);

#endif
