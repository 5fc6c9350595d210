/* SPDX-License-Identifier: ISC */
/* Finding our own stray children and ending them. */
#include <sys/wait.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "watchdog/orphans.h"
#include "watchdog/proc.h"

#define ORPHANS_A_ROUND 512

struct pids {
	pid_t pid[ORPHANS_A_ROUND];
	size_t count;
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

static int
add_if_child(pid_t pid, void *arg)
{
	struct pids *p = arg;
	struct proc_stat st;

	if (proc_stat(pid, &st) == 0 && st.parent == getpid())
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
	if (proc_read(path, text, sizeof text) == -1) {
		proc_each(add_if_child, p);
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
end_child(pid_t pid, const struct proc_stat *st, const struct orphans *o)
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
		struct proc_stat st = {0};

		if (among(p.pid[i], o->known, o->known_count))
			continue;
		/* It may have forked since the list was made: its child is
		 * the next round's. */
		if (reap(p.pid[i])) {
			left++;
			continue;
		}
		if (proc_stat(p.pid[i], &st) == 0 &&
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
