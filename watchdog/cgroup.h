/* SPDX-License-Identifier: ISC */
/*
 * Control groups for daemons with limits, below the supervisor's own group:
 * version 2 where the controller is there and the group is ours to divide
 * (delegated), else version 1, else none, controller by controller. What is
 * to be had is found by trying, once.
 */
#ifndef WATCHDOG_CGROUP_H
#define WATCHDOG_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP__MAX };

struct cgroup {
	bool tried;
	int version[CGROUP__MAX]; /* 0: not to be had */
	char dir[CGROUP__MAX][PATH_MAX];
	char tried_v2[PATH_MAX]; /* made, though no controller may be there */
};

/* Looks, and makes the suite's own group, called after tag. */
void cgroup_open(struct cgroup *c, uint64_t tag);
/* Removes what is empty again. */
void cgroup_close(struct cgroup *c);
/*
 * name's group with that limit (bytes, processes, percent of a processor): a
 * descriptor that puts whoever writes "0" to it there, or -1 with errno.
 */
int cgroup_limit(const struct cgroup *c, enum cgroup_controller which,
    const char *name, int64_t value);

#endif
