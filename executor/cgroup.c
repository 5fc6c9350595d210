/* SPDX-License-Identifier: ISC */
/* Making, reading and removing a patch's control group. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/hierarchy.h"
#include "common/log.h"
#include "executor/cgroup.h"

#define OWN_PROCESSES 2 /* the jail's init and the worker */
#define TEXT_MAX 4096
#define DROP_TRIES 100 /* of 10 ms: what was killed must be reaped first */

static int
write_number(const char *dir, const char *file, int64_t n)
{
	char text[32];

	if (snprintf(text, sizeof(text), "%lld", (long long)n) < 0)
		return -1;
	return hierarchy_write(dir, file, text);
}

static bool
read_text(const char *dir, const char *file, char text[TEXT_MAX])
{
	char path[PATH_MAX + 64];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) < 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, TEXT_MAX - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

/* The number behind key, or of the whole file where key is "". */
static int64_t
read_number(const char *dir, const char *file, const char *key)
{
	char text[TEXT_MAX];
	size_t len = strlen(key);

	if (dir[0] == '\0' || !read_text(dir, file, text))
		return 0;
	for (char *at = text; at != NULL && *at != '\0';) {
		if (strncmp(at, key, len) == 0 && (len == 0 || at[len] == ' '))
			return strtoll(at + len, NULL, 10);
		at = strchr(at, '\n');
		at = at != NULL ? at + 1 : NULL;
	}
	return 0;
}

static int
limit_v2(const char *dir, const struct limits *l)
{
	if (write_number(dir, "memory.max", l->memory) == -1 ||
	    write_number(dir, "pids.max", l->processes + OWN_PROCESSES) == -1)
		return -1;
	/* Not everywhere compiled in: the limits hold without. */
	(void)hierarchy_write(dir, "memory.swap.max", "0");
	(void)hierarchy_write(dir, "memory.oom.group", "1");
	return 0;
}

static int
limit_v1(const struct cgroup *g, const struct limits *l)
{
	if (write_number(g->dirs[0], "memory.limit_in_bytes", l->memory) ==
		-1 ||
	    write_number(g->dirs[1], "pids.max",
		l->processes + OWN_PROCESSES) == -1)
		return -1;
	(void)write_number(g->dirs[0], "memory.memsw.limit_in_bytes",
	    l->memory);
	return 0;
}

static int
make_limited(const struct cgroup *g, const struct limits *l)
{
	for (size_t i = 0; i < 2; i++) {
		if (g->dirs[i][0] != '\0' && mkdir(g->dirs[i], 0755) == -1 &&
		    errno != EEXIST)
			return -1;
	}
	return g->kind == CGROUP_V2 ? limit_v2(g->dirs[0], l) : limit_v1(g, l);
}

int
cgroup_make(struct cgroup *g, const struct limits *l)
{
	if (g->kind == CGROUP_NONE)
		return -1;
	if (make_limited(g, l) == 0) {
		g->had = true;
		return 0;
	}
	(void)snprintf(g->why, sizeof(g->why), "%.200s: %s", g->dirs[0],
	    strerror(errno));
	cgroup_drop(g);
	return -1;
}

/* Of a jail's init: what the groups lie in, where its own root shows them
 * read-only. */
static int held[2] = {-1, -1};

int
cgroup_hold(const struct cgroup *g)
{
	char above[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		if (g->dirs[i][0] == '\0')
			continue;
		(void)strlcpy(above, g->dirs[i], sizeof(above));
		*strrchr(above, '/') = '\0';
		held[i] = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (held[i] == -1)
			return -1;
	}
	return 0;
}

void
cgroup_let_go(void)
{
	for (size_t i = 0; i < 2; i++) {
		if (held[i] != -1)
			(void)close(held[i]);
		held[i] = -1;
	}
}

static int
join(const struct cgroup *g, size_t i, const char *file)
{
	char dir[PATH_MAX + 64];

	if (held[i] == -1)
		return hierarchy_write(g->dirs[i], file, "0");
	(void)snprintf(dir, sizeof(dir), "/proc/self/fd/%d%s", held[i],
	    strrchr(g->dirs[i], '/'));
	return hierarchy_write(dir, file, "0");
}

int
cgroup_join(const struct cgroup *g)
{
	/* Of a process with one thread both are the same; of version 1 only
	 * the thread's own move needs no lock. */
	const char *file = g->kind == CGROUP_V1 ? "tasks" : "cgroup.procs";

	for (size_t i = 0; i < 2; i++) {
		if (g->dirs[i][0] != '\0' && join(g, i, file) == -1)
			return -1;
	}
	return 0;
}

void
cgroup_read(const struct cgroup *g, struct limits_usage *u)
{
	bool v2 = g->kind == CGROUP_V2;
	const char *pids = g->dirs[v2 ? 0 : 1];
	int64_t peak = read_number(g->dirs[0],
	    v2 ? "memory.peak" : "memory.max_usage_in_bytes", "");

	int64_t processes = read_number(pids, "pids.peak", "");

	if (g->kind == CGROUP_NONE)
		return;
	if (peak > 0)
		u->memory = peak;
	if (processes > OWN_PROCESSES)
		u->processes = processes - OWN_PROCESSES;
	u->oom_kills = read_number(g->dirs[0],
	    v2 ? "memory.events" : "memory.oom_control", "oom_kill");
	u->refused_forks = read_number(pids, "pids.events", "max");
}

/* The members of a v1 group; a v2 one has a file for it. */
static void
kill_members(const char *dir)
{
	char text[TEXT_MAX];

	if (hierarchy_write(dir, "cgroup.kill", "1") == 0 ||
	    !read_text(dir, "cgroup.procs", text))
		return;
	for (char *at = text; *at != '\0';) {
		long pid = strtol(at, &at, 10);

		if (pid > 1 && (pid_t)pid != getpid())
			(void)kill((pid_t)pid, SIGKILL);
		at += strspn(at, "\n");
	}
}

static void
drop_dir(const char *dir)
{
	const struct timespec pause = {0, 10000000};

	for (int i = 0; i < DROP_TRIES; i++) {
		if (rmdir(dir) == 0 || errno != EBUSY)
			return;
		kill_members(dir);
		(void)nanosleep(&pause, NULL);
	}
	log_warnx("%s: the control group was not removed", dir);
}

void
cgroup_drop(const struct cgroup *g)
{
	for (size_t i = 0; i < 2; i++) {
		if (g->dirs[i][0] != '\0')
			drop_dir(g->dirs[i]);
	}
}

const char *
cgroup_word(const struct cgroup *g)
{
	return g->kind == CGROUP_V2   ? "cgroup2"
	       : g->kind == CGROUP_V1 ? "cgroup1"
				      : "rlimits";
}
