/* SPDX-License-Identifier: ISC */
/* Finding processes through /proc and ending them. */
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

int
orphans_round(const struct orphans *o)
{
	struct pids p;
	struct stat_line st;
	int left = 0;
	size_t i;

	list_children(&p);
	for (i = 0; i < p.count; i++) {
		if (among(p.pid[i], o->known, o->known_count) || reap(p.pid[i]))
			continue;
		if (read_stat(p.pid[i], &st) == 0 &&
		    among(st.session, o->living, o->living_count))
			continue;
		/* Our child and not yet waited for: the number cannot have
		 * become somebody else's. */
		(void)kill(p.pid[i], SIGKILL);
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
	char mark[4352];
	size_t mark_len;
	int killed;
	struct pids spared; /* ourselves and our ancestors */
};

static bool
is_marked(pid_t pid, const struct search *s)
{
	char path[48];
	char *text = xmalloc(1u << 17);
	const char *at = text;
	ssize_t len;
	bool found = false;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	len = read_proc(path, text, 1u << 17);
	while (len > 0 && at < text + len && !found) {
		found = strcmp(at, s->mark) == 0;
		at += strlen(at) + 1;
	}
	free(text);
	return found;
}

static int
kill_if_marked(pid_t pid, void *arg)
{
	struct search *s = arg;
	int fd;

	if (among(pid, s->spared.pid, s->spared.count))
		return 0;
	/* The pidfd first: what is_marked() then reads is of the process that
	 * the signal will reach, or of a later one with that number, when the
	 * signal fails. */
	fd = pidfd_open(pid, 0);
	if (fd == -1)
		return 0;
	if (is_marked(pid, s) && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0)
		s->killed++;
	(void)close(fd);
	return 0;
}

int
orphans_kill_marked(const char *spool)
{
	struct search s = {0};
	struct stat_line st;
	pid_t pid = getpid();

	(void)snprintf(s.mark, sizeof s.mark, "%s=%s", ORPHANS_MARK, spool);
	while (pid > 0 && s.spared.count < ORPHANS_A_ROUND) {
		s.spared.pid[s.spared.count++] = pid;
		if (read_stat(pid, &st) == -1)
			break;
		pid = st.parent;
	}
	each_process(kill_if_marked, &s);
	return s.killed;
}
