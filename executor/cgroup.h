/* SPDX-License-Identifier: ISC */
/*
 * A control group for the patch in work: version 2 where memory and pids can
 * be had there, else version 1, else none. Its name is the instance's own, so
 * that what a killed executor left behind is found again. It lies below the
 * group that the executor was started in, which the executor leaves for a leaf
 * of it where version 2 asks for that; below NAME, if it was started in
 * NAME/daemon, as the supervisor does; or, where that is not to be divided,
 * below the nearest group above it that is ours as well.
 */
#ifndef EXECUTOR_CGROUP_H
#define EXECUTOR_CGROUP_H

#include <sys/types.h>
#include <limits.h>
#include <stdbool.h>

#include "executor/limits.h"

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

struct cgroup {
	enum cgroup_kind kind;
	/* The group's directories: of v2 the first is all; of v1 memory and
	 * pids. "" where there is none. */
	char dirs[2][PATH_MAX];
	char above[PATH_MAX]; /* of version 2, and the leaf that we are in */
	char leaf[PATH_MAX];
	char why[256]; /* there is none, or "" */
	bool had;      /* there was one, or */
	bool passing;  /* the reason may pass: worth another look */
};

/* Finds out by making the group and taking it away again. Kills and removes
 * what lies there of an earlier run. */
void cgroup_open(struct cgroup *g, const char *instance, const char *spool);
/* Goes back to where it was. */
void cgroup_close(struct cgroup *g);
/* 0, or -1 and g->why: then the patch runs without. */
int cgroup_make(struct cgroup *g, const struct limits *l);
/* The calling process goes into it, by itself: a pid that is written from
 * outside waits for all processors, some milliseconds. 0 or -1. */
int cgroup_join(const struct cgroup *g);
/* Before the calling process leaves the machine's root: it may join later. */
int cgroup_hold(const struct cgroup *g);
void cgroup_let_go(void);
/* Adds what the group has counted. */
void cgroup_read(const struct cgroup *g, struct limits_usage *u);
/* Kills what is left in it and removes it. */
void cgroup_drop(const struct cgroup *g);
/* "cgroup2", "cgroup1", "rlimits". */
const char *cgroup_word(const struct cgroup *g);

#endif
