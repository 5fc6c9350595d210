/* SPDX-License-Identifier: ISC */
/* Finding marked processes in /proc, also those that never stay the same. */
#include <sys/pidfd.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "watchdog/predecessors.h"
#include "watchdog/proc.h"

#define ENVIRONMENT_MAX (1u << 17)
#define CLEAN_LOOKS 8
#define BETWEEN_LOOKS_NS 1000000
#define NEW_MAX 65536 /* numbers in one look: more are not to be believed */
#define PID_MAX_DEFAULT 32768

struct pids {
	pid_t *pid;
	size_t count, room;
};

struct search {
	char own[4400]; /* our daemons' mark */
	const char *spool;
	char *text; /* room for an environment */
	int killed;
	bool missed; /* a new process was gone before it was looked at */
	/* The newest number at the last looks, a ring; 0: not told. */
	pid_t newest[CLEAN_LOOKS];
	size_t looks;
	pid_t highest;
	struct pids all;    /* one walk over everybody */
	struct pids spared; /* ourselves and our ancestors ... */
	struct pids groups; /* ... and their process groups */
};

static void
add(struct pids *p, pid_t pid)
{
	if (p->count == p->room) {
		p->room = p->room == 0 ? 1024 : p->room * 2;
		p->pid = xreallocarray(p->pid, p->room, sizeof *p->pid);
	}
	p->pid[p->count++] = pid;
}

static int
add_listed(pid_t pid, void *list)
{
	add(list, pid);
	return 0;
}

static bool
among(pid_t pid, const struct pids *p)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (p->pid[i] == pid)
			return true;
	return false;
}

static bool
is_predecessors(const char *entry, const struct search *s)
{
	const char *colon;

	if (strncmp(entry, PREDECESSORS_MARK_SET,
		strlen(PREDECESSORS_MARK_SET)) != 0 ||
	    strcmp(entry, s->own) == 0)
		return false;
	colon = strchr(entry, ':');
	return colon != NULL && strcmp(colon + 1, s->spool) == 0;
}

/* 1 it is, 0 it is not (or not ours to look at), -1 it is gone. */
static int
is_marked(pid_t pid, const struct search *s)
{
	char path[48];
	const char *at = s->text;
	ssize_t len;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	len = proc_read(path, s->text, ENVIRONMENT_MAX);
	if (len <= 0)
		return len == -1 && errno == EACCES ? 0 : -1;
	while (at < s->text + len) {
		if (is_predecessors(at, s))
			return 1;
		at += strlen(at) + 1;
	}
	return 0;
}

/*
 * False when it was gone. The pidfd comes first: what is_marked() then reads
 * is of the process that the signal will reach, or of a later one with that
 * number, when the signal fails. The group's number was good a moment ago,
 * when its member lived.
 */
static bool
kill_if_marked(struct search *s, pid_t pid)
{
	struct proc_stat st = {0};
	int fd = pidfd_open(pid, 0);
	int marked;

	/* A thread has a number too, and no descriptor. */
	if (fd == -1)
		return errno != ESRCH;
	marked = is_marked(pid, s);
	if (marked == 1 && proc_stat(pid, &st) == 0 &&
	    pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0) {
		s->killed++;
		if (st.group > 1 && !among(st.group, &s->groups))
			(void)kill(-st.group, SIGKILL);
	} else if (marked == 1) {
		marked = -1;
	}
	(void)close(fd);
	return marked != -1;
}

static void
spare_ancestors(struct search *s)
{
	struct proc_stat st;
	pid_t pid = getpid();

	while (pid > 0 && proc_stat(pid, &st) == 0) {
		add(&s->spared, pid);
		add(&s->groups, st.group);
		pid = st.parent;
	}
}

static long
read_number(const char *path)
{
	char text[128];
	const char *last;

	if (proc_read(path, text, sizeof text) <= 0)
		return 0;
	last = strrchr(text, ' ');
	return strtol(last != NULL ? last + 1 : text, NULL, 10);
}

/* The number that was given last; 0 where nobody says. */
static pid_t
newest(void)
{
	long n = read_number("/proc/sys/kernel/ns_last_pid");

	if (n <= 0)
		n = read_number("/proc/loadavg");
	return n > 0 ? (pid_t)n : 0;
}

static void
look_at_all(struct search *s)
{
	size_t i;

	s->all.count = 0;
	proc_each(add_listed, &s->all);
	for (i = 0; i < s->all.count; i++)
		if (!among(s->all.pid[i], &s->spared))
			(void)kill_if_marked(s, s->all.pid[i]);
}

/*
 * From the newest number down to those of CLEAN_LOOKS looks ago: a process is
 * not always there yet when its number is.
 */
static void
look_at_new(struct search *s)
{
	pid_t now = newest(), pid = now;
	pid_t oldest = s->newest[s->looks % CLEAN_LOOKS];
	pid_t last = s->newest[(s->looks + CLEAN_LOOKS - 1) % CLEAN_LOOKS];
	bool fresh = true;
	size_t n;

	for (n = 0; pid != oldest && n < NEW_MAX; n++) {
		fresh = fresh && pid != last;
		if (!among(pid, &s->spared) && !kill_if_marked(s, pid) && fresh)
			s->missed = true;
		pid = pid > 1 ? pid - 1 : s->highest;
	}
	s->newest[s->looks++ % CLEAN_LOOKS] = now;
}

static void
begin(struct search *s, const char *spool, int64_t life)
{
	long pid_max = read_number("/proc/sys/kernel/pid_max");
	size_t i;

	s->text = xmalloc(ENVIRONMENT_MAX);
	s->spool = spool;
	(void)snprintf(s->own, sizeof s->own, "%s%" PRId64 ":%s",
	    PREDECESSORS_MARK_SET, life, spool);
	s->highest = pid_max > 1 ? (pid_t)pid_max - 1 : PID_MAX_DEFAULT - 1;
	for (i = 0; i < CLEAN_LOOKS; i++)
		s->newest[i] = newest();
	spare_ancestors(s);
}

static void
end(struct search *s)
{
	free(s->all.pid);
	free(s->spared.pid);
	free(s->groups.pid);
	free(s->text);
	free(s);
}

/*
 * A walk over every process, or over a list of them all, takes longer than one
 * that forks all the time stays the same, and on a busy machine it never meets
 * such a one. The kernel tells the number that it gave last: from there down
 * to the last look's are the processes that are new, few of them, and the
 * newest first they are looked at while they live. Nobody is left when several
 * looks in a row, the last over everybody, found none and missed none. The
 * limit is for a machine on which somebody is always missed.
 */
int
predecessors_kill(const char *spool, int64_t life, int64_t limit_ms, bool *sure)
{
	struct search *s = xcalloc(1, sizeof *s);
	int64_t until = clock_mono_ms() + limit_ms;
	int clean = 0, before, killed;
	bool everybody = true;

	begin(s, spool, life);
	while (clean <= CLEAN_LOOKS && clock_mono_ms() < until) {
		before = s->killed;
		s->missed = false;
		if (everybody)
			look_at_all(s);
		else
			look_at_new(s);
		clean = s->killed > before || s->missed ? 0 : clean + 1;
		everybody = clean == CLEAN_LOOKS || s->newest[0] == 0;
		if (clean > 0 && clean < CLEAN_LOOKS)
			(void)nanosleep(
			    &(struct timespec){.tv_nsec = BETWEEN_LOOKS_NS},
			    NULL);
	}
	killed = s->killed;
	if (sure != NULL)
		*sure = clean > CLEAN_LOOKS;
	end(s);
	return killed;
}
