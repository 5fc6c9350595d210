/* SPDX-License-Identifier: ISC */
/* Finding processes through /proc and ending them. */
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "watchdog/orphans.h"

#define ORPHANS_A_ROUND 512

struct pids {
	pid_t pid[ORPHANS_A_ROUND];
	size_t count;
};

struct stat_line {
	pid_t parent;
	pid_t group;
	pid_t session;
};

static bool
among(pid_t pid, const pid_t *set, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (set[i] == pid)
			return true;
	return false;
}

/* Up to size - 1 bytes of a /proc file, NUL behind; bytes, or -1. */
static ssize_t
read_proc(const char *path, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	while (len < size - 1 && n > 0) {
		n = read(fd, out + len, size - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	(void)close(fd);
	out[len] = '\0';
	return n < 0 ? -1 : (ssize_t)len;
}

static int
read_stat(pid_t pid, struct stat_line *out)
{
	char path[48], text[1024];
	char *end, *field;
	int i;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	if (read_proc(path, text, sizeof text) <= 0)
		return -1;
	/* The name may hold anything; the last ')' ends it. Behind it stand
	 * state, parent, process group, session. */
	end = strrchr(text, ')');
	if (end == NULL || strlen(end) < 4)
		return -1;
	field = end + 4;
	for (i = 0; i < 3; i++) {
		long n = strtol(field, &field, 10);

		if (i == 0)
			out->parent = (pid_t)n;
		else if (i == 1)
			out->group = (pid_t)n;
		else if (i == 2)
			out->session = (pid_t)n;
	}
	return 0;
}

/* Calls with each pid of /proc until it says stop (non-zero). */
static void
each_process(int (*visit)(pid_t, void *), void *arg)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	const char *error;
	pid_t pid;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		pid = (pid_t)strtonum(e->d_name, 1, INT32_MAX, &error);
		if (error == NULL && visit(pid, arg) != 0)
			break;
	}
	(void)closedir(d);
}

static int
add_if_child(pid_t pid, void *arg)
{
	struct pids *p = arg;
	struct stat_line st;

	if (read_stat(pid, &st) == 0 && st.parent == getpid())
		p->pid[p->count++] = pid;
	return p->count == ORPHANS_A_ROUND;
}

/* One small read; kernels built without the file cost a walk of /proc. */
static void
list_children(struct pids *p)
{
	char path[64], text[8192];
	char *at = text, *end;
	long pid;

	p->count = 0;
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/children",
	    (long)getpid());
	if (read_proc(path, text, sizeof text) == -1) {
		each_process(add_if_child, p);
		return;
	}
	for (; p->count < ORPHANS_A_ROUND; at = end) {
		pid = strtol(at, &end, 10);
		/* The last number of a full buffer may be cut. */
		if (end == at || *end == '\0')
			return;
		p->pid[p->count++] = (pid_t)pid;
	}
}

static bool
reap(pid_t pid)
{
	siginfo_t si = {0};

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG) == 0 &&
	       si.si_pid == pid;
}

/*
 * One of ours that nobody vouches for. Its whole group in one call, which
 * forks cannot outrun; the number is safe, for an unreaped member keeps it
 * from being given to others.
 */
static void
end_child(pid_t pid, const struct stat_line *st, const struct orphans *o)
{
	if (st->group > 1 && st->group != getpgrp() &&
	    !among(st->group, o->living, o->living_count))
		(void)kill(-st->group, SIGKILL);
	(void)kill(pid, SIGKILL);
}

int
orphans_round(const struct orphans *o)
{
	struct pids p;
	int left = 0;
	size_t i;

	list_children(&p);
	for (i = 0; i < p.count; i++) {
		struct stat_line st = {0};

		if (among(p.pid[i], o->known, o->known_count) || reap(p.pid[i]))
			continue;
		if (read_stat(p.pid[i], &st) == 0 &&
		    among(st.session, o->living, o->living_count))
			continue;
		end_child(p.pid[i], &st, o);
		left++;
	}
	return left;
}

void
orphans_reap(const struct orphans *o)
{
	struct pids p;
	size_t i;

	list_children(&p);
	for (i = 0; i < p.count; i++)
		if (!among(p.pid[i], o->known, o->known_count))
			(void)reap(p.pid[i]);
}

struct search {
	char own[4400]; /* our daemons' mark */
	const char *spool;
	char *text; /* room for an environment */
	int killed;
	struct pids spared; /* ourselves and our ancestors ... */
	struct pids groups; /* ... and their process groups */
};

#define ENVIRONMENT_MAX (1u << 17)

static bool
is_predecessors(const char *entry, const struct search *s)
{
	const char *colon;

	if (strncmp(entry, ORPHANS_MARK_SET, strlen(ORPHANS_MARK_SET)) != 0 ||
	    strcmp(entry, s->own) == 0)
		return false;
	colon = strchr(entry, ':');
	return colon != NULL && strcmp(colon + 1, s->spool) == 0;
}

static bool
is_marked(pid_t pid, const struct search *s)
{
	char path[48];
	const char *at = s->text;
	ssize_t len;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	len = read_proc(path, s->text, ENVIRONMENT_MAX);
	while (len > 0 && at < s->text + len) {
		if (is_predecessors(at, s))
			return true;
		at += strlen(at) + 1;
	}
	return false;
}

/*
 * The pidfd comes first: what is_marked() then reads is of the process that
 * the signal will reach, or of a later one with that number, when the signal
 * fails. The group's number was good a moment ago, when its member lived.
 */
static int
kill_if_marked(pid_t pid, void *arg)
{
	struct search *s = arg;
	struct stat_line st = {0};
	int fd;

	if (among(pid, s->spared.pid, s->spared.count))
		return 0;
	fd = pidfd_open(pid, 0);
	if (fd == -1)
		return 0;
	if (is_marked(pid, s) && read_stat(pid, &st) == 0 &&
	    pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0) {
		s->killed++;
		if (st.group > 1 &&
		    !among(st.group, s->groups.pid, s->groups.count))
			(void)kill(-st.group, SIGKILL);
	}
	(void)close(fd);
	return 0;
}

static void
spare_ancestors(struct search *s)
{
	struct stat_line st;
	pid_t pid = getpid();

	while (pid > 0 && s->spared.count < ORPHANS_A_ROUND &&
	       read_stat(pid, &st) == 0) {
		s->spared.pid[s->spared.count++] = pid;
		s->groups.pid[s->groups.count++] = st.group;
		pid = st.parent;
	}
}

int
orphans_kill_marked(const char *spool, int64_t life)
{
	struct search *s = xcalloc(1, sizeof *s);
	int passes, clean = 0, before, killed;

	s->text = xmalloc(ENVIRONMENT_MAX);
	s->spool = spool;
	(void)snprintf(s->own, sizeof s->own, "%s%" PRId64 ":%s",
	    ORPHANS_MARK_SET, life, spool);
	spare_ancestors(s);
	/* One that forks while we look may slip through a pass, but hardly
	 * through three; the limit is for somebody who cannot die. */
	for (passes = 0; passes < 100 && clean < 3; passes++) {
		before = s->killed;
		each_process(kill_if_marked, s);
		clean = s->killed == before ? clean + 1 : 0;
	}
	killed = s->killed;
	free(s->text);
	free(s);
	return killed;
}
