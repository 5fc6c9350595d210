/* SPDX-License-Identifier: ISC */
/*
 * One process from nothing: own session, clean signals and descriptors, dead
 * with its parent. No shell and no waiting: what goes wrong between fork and
 * exec is read from a pipe when the child's pidfd says that it ended.
 */
#ifndef WATCHDOG_SPAWN_H
#define WATCHDOG_SPAWN_H

#include <sys/resource.h>
#include <sys/types.h>
#include <stdbool.h>

#include "watchdog/identity.h"

#define SPAWN_RLIMITS 8
#define SPAWN_CGROUPS 4

enum spawn_stage {
	SPAWN_PARENT, /* the parent was gone already */
	SPAWN_FILES,
	SPAWN_LIMITS,
	SPAWN_USER,
	SPAWN_EXEC,
	SPAWN__STAGES
};
extern const char *const spawn_stage_name[SPAWN__STAGES];

/* What the child writes into the pipe before it exits with 126. */
struct spawn_error {
	enum spawn_stage stage;
	int number; /* errno */
};

struct spawn {
	const char *path;
	char *const *argv;
	char *const *envp;
	int out_fd; /* becomes stdout and stderr */
	/*
	 * Its program lies where ours does: we wait until it is executed. That
	 * is the quickest way, for nothing is copied; and a disk that hangs has
	 * us hang as well, with or without it.
	 */
	bool beside_us;
	bool has_input; /* in_fd becomes stdin, else /dev/null does */
	int in_fd;
	const struct identity *who; /* NULL: stay who we are */
	bool no_new_privs;
	int nice; /* 0: ours */
	struct {
		int resource;
		rlim_t value; /* both of its limits */
	} rlimits[SPAWN_RLIMITS];
	size_t rlimit_count;
	/* A file of that directory that its user is given; NULL: none. */
	int give_dir;
	const char *give;
	int cgroups[SPAWN_CGROUPS]; /* written to, it is moved there */
	size_t cgroup_count;
};

struct spawned {
	pid_t pid;
	int pidfd;
	int error_fd; /* non-blocking; closed by a successful exec */
};

/* 0, or -1 with errno and nothing made. */
int spawn_start(const struct spawn *s, struct spawned *out);
/* Kills and reaps a child that we cannot hold by a pidfd; errno stays. */
void spawn_abandon(pid_t pid);
/* 1 and *e when the child never came to its exec, else 0. */
int spawn_error_read(int error_fd, struct spawn_error *e);

#endif
