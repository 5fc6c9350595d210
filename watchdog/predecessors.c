/* SPDX-License-Identifier: ISC */
/* Finding marked processes in /proc, also those that never stay the same. */
#include <sys/pidfd.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "watchdog/predecessors.h"
#include "watchdog/proc.h"

#define ENVIRONMENT_MAX (1u << 17)
#define CLEAN_LOOKS 8

/* In the order of their numbers, as /proc lists them. */
struct pids {
	pid_t *pid;
	size_t count, room;
};

struct search {
	char own[4400]; /* our daemons' mark */
	const char *spool;
	char *text; /* room for an environment */
	int killed;
	bool missed; /* a process was gone before it was looked at */
	struct pids seen, now;
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

static bool
is_marked(pid_t pid, const struct search *s)
{
	char path[48];
	const char *at = s->text;
	ssize_t len;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	len = proc_read(path, s->text, ENVIRONMENT_MAX);
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
static void
kill_if_marked(struct search *s, pid_t pid)
{
	struct proc_stat st = {0};
	int fd = pidfd_open(pid, 0);

	if (fd == -1) {
		s->missed = true;
		return;
	}
	if (is_marked(pid, s) && proc_stat(pid, &st) == 0 &&
	    pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0) {
		s->killed++;
		if (st.group > 1 && !among(st.group, &s->groups))
			(void)kill(-st.group, SIGKILL);
	} else if (pidfd_send_signal(fd, 0, NULL, 0) == -1) {
		s->missed = true;
	}
	(void)close(fd);
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

/* Those that the look before this one has not seen, or everybody. */
static void
look(struct search *s, bool everybody)
{
	struct pids last = s->seen;
	size_t i, k = 0;

	s->now.count = 0;
	proc_each(add_listed, &s->now);
	for (i = 0; i < s->now.count; i++) {
		pid_t pid = s->now.pid[i];

		while (k < last.count && last.pid[k] < pid)
			k++;
		if (!everybody && k < last.count && last.pid[k] == pid)
			continue;
		if (!among(pid, &s->spared))
			kill_if_marked(s, pid);
	}
	s->seen = s->now;
	s->now = last;
}

/*
 * Looking at every process takes longer than one that forks all the time stays
 * the same, so a walk over all of them meets such a one by luck. A list of the
 * numbers is quick, and of those that were not on the last one there are few:
 * they are looked at while they live. Nobody is left when several looks in a
 * row, the last over everybody, found none and missed none. The limit is for
 * a machine on which somebody is always missed.
 */
int
predecessors_kill(const char *spool, int64_t life, int64_t limit_ms)
{
	struct search *s = xcalloc(1, sizeof *s);
	int64_t until = clock_mono_ms() + limit_ms;
	int clean = 0, before, killed;
	bool everybody = true;

	s->text = xmalloc(ENVIRONMENT_MAX);
	s->spool = spool;
	(void)snprintf(s->own, sizeof s->own, "%s%" PRId64 ":%s",
	    PREDECESSORS_MARK_SET, life, spool);
	spare_ancestors(s);
	while (clean <= CLEAN_LOOKS && clock_mono_ms() < until) {
		before = s->killed;
		s->missed = false;
		look(s, everybody);
		if (s->killed > before || (s->missed && !everybody))
			clean = 0;
		else
			clean++;
		everybody = clean == CLEAN_LOOKS;
	}
	killed = s->killed;
	free(s->seen.pid);
	free(s->now.pid);
	free(s->spared.pid);
	free(s->groups.pid);
	free(s->text);
	free(s);
	return killed;
}
