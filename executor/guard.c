/* SPDX-License-Identifier: ISC */
/* Adding up processes and files, several times a second. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "executor/guard.h"
#include "executor/kin.h"

#define DISK_MS 250
#define DISK_SHARE 20 /* of the time at most one part is spent on the disk */
#define DEPTH_MAX 500
#define ROUNDS 200 /* of killing without a pause */
#define PAUSE_MS 2

struct member {
	pid_t pid;
	int64_t ticks;
	int64_t memory;
};

struct members {
	struct member *items;
	size_t count;
};

static bool
read_text(int proc, const char *pid, const char *what, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%.20s/%s", pid, what) < 0)
		return false;
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	n = read(fd, text, size - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

/* The nth of fields that one blank each parts. */
static int64_t
field(const char *text, int n)
{
	for (; n > 0 && text != NULL; n--) {
		text = strchr(text, ' ');
		text = text != NULL ? text + 1 : NULL;
	}
	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

/* Of stat the times: its own, and those of children that it waited for. Its
 * name, in parentheses, may hold anything. */
static bool
read_member(int proc, const char *pid, struct member *m)
{
	static long page;
	char text[1024];
	const char *at;

	if (page == 0)
		page = sysconf(_SC_PAGESIZE);
	if (!read_text(proc, pid, "stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	if (at == NULL || at[1] == '\0')
		return false;
	at += 2;
	*m = (struct member){.pid = (pid_t)strtol(pid, NULL, 10),
	    .ticks =
		field(at, 11) + field(at, 12) + field(at, 13) + field(at, 14)};
	/* Resident less shared. */
	if (read_text(proc, pid, "statm", text, sizeof(text)))
		m->memory = (field(text, 1) - field(text, 2)) * page;
	return true;
}

static void
add_member(struct members *all, int proc, const char *pid)
{
	struct member m;

	if (!read_member(proc, pid, &m) || m.pid == getpid())
		return;
	all->items =
	    xreallocarray(all->items, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = m;
}

/* Everybody in a namespace of our own; else whom we and ours have made. */
static void
read_members(struct members *all, bool alone)
{
	DIR *d = opendir("/proc");
	struct kin k = {0};
	struct dirent *e;
	char pid[24];

	while (alone && d != NULL && (e = readdir(d)) != NULL) {
		if (isdigit((unsigned char)e->d_name[0]))
			add_member(all, dirfd(d), e->d_name);
	}
	if (!alone)
		kin_read(&k, getpid());
	for (size_t i = 0; d != NULL && i < k.count; i++) {
		(void)snprintf(pid, sizeof(pid), "%ld", (long)k.pids[i]);
		add_member(all, dirfd(d), pid);
	}
	kin_free(&k);
	if (d != NULL)
		(void)closedir(d);
}

size_t
guard_signal(pid_t root, int sig)
{
	struct kin k = {0};
	size_t count = 0;

	kin_read(&k, root);
	for (size_t i = 0; i < k.count; i++) {
		if (kill(k.pids[i], sig) == 0)
			count++;
	}
	if (!k.whole)
		count++;
	kin_free(&k);
	return count;
}

/* Again and again without a pause while there is somebody, because some make
 * their successors within milliseconds. */
void
guard_kill(void)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000};
	int round = 0;

	for (;;) {
		pid_t pid;

		(void)guard_signal(getpid(), SIGKILL);
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			continue;
		if (pid == -1 && errno == ECHILD)
			return;
		if (++round >= ROUNDS)
			(void)nanosleep(&pause, NULL);
	}
}

static int64_t
reaped_ms(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_CHILDREN, &u) == -1)
		return 0;
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static void
keep_peak(int64_t *peak, int64_t now)
{
	if (now > *peak)
		*peak = now;
}

static void
look_at_processes(struct guard *g)
{
	static long hertz;
	struct members all = {0};
	int64_t count = 0, memory = 0, ticks = 0;

	if (hertz == 0)
		hertz = sysconf(_SC_CLK_TCK);
	read_members(&all, g->alone);
	for (size_t i = 0; i < all.count; i++) {
		count++;
		memory += all.items[i].memory;
		ticks += all.items[i].ticks;
	}
	free(all.items);
	/* One is the worker, which is ours and not the patch's. */
	keep_peak(&g->usage->processes, count - 1);
	keep_peak(&g->usage->memory, memory);
	keep_peak(&g->usage->cpu_ms, ticks * 1000 / hertz + reaped_ms());
}

static int64_t disk_inside(int dir, int depth);

static int64_t
disk_at(int dir, const char *name, int depth)
{
	struct stat st;
	int64_t bytes;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	bytes = (int64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode))
		return st.st_nlink > 1 ? bytes / (int64_t)st.st_nlink : bytes;
	if (depth >= DEPTH_MAX)
		return bytes;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd == -1 ? bytes : bytes + disk_inside(fd, depth + 1);
}

/* Takes the descriptor. What vanishes meanwhile counts nothing. */
static int64_t
disk_inside(int dir, int depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	int64_t bytes = 0;

	if (d == NULL) {
		(void)close(dir);
		return 0;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			bytes += disk_at(dirfd(d), e->d_name, depth);
	}
	(void)closedir(d);
	return bytes;
}

int64_t
guard_disk(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? 0 : disk_inside(fd, 0);
}

static void
look_at_disk(struct guard *g)
{
	int64_t from = clock_mono_ms(), cost;

	if (g->upper == -1 || from < g->disk_at)
		return;
	keep_peak(&g->usage->disk, guard_disk(g->upper) - g->disk_base);
	cost = clock_mono_ms() - from;
	g->disk_at =
	    from + cost +
	    (cost * DISK_SHARE > DISK_MS ? cost * DISK_SHARE : DISK_MS);
}

enum limit_kind
guard_look(struct guard *g)
{
	const struct limits *l = g->limits;
	const struct limits_usage *u = g->usage;

	look_at_processes(g);
	look_at_disk(g);
	if (!l->grouped && u->memory > l->memory)
		return LIMIT_MEMORY;
	if (!l->grouped && u->processes > l->processes)
		return LIMIT_PROCESSES;
	if (u->cpu_ms > l->cpu_ms)
		return LIMIT_CPU;
	return u->disk > l->disk ? LIMIT_DISK : LIMIT_NONE;
}
