/* SPDX-License-Identifier: ISC */
/*
 * What it costs to stage: a transaction, the jail with its overlay, one
 * process in it, its death and the transaction's removal; for a workspace of
 * 100 files and for one of $BENCH_FILES (100000), in turns, and beside them
 * the floor, a fork with exec of /bin/true. Medians of $BENCH_ROUNDS (40), in
 * $TMPDIR. The difference should be below 5 ms: the cost does not grow.
 */
#include <sys/stat.h>
#include <sys/wait.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "executor/jail.h"
#include "executor/stage.h"
#include "executor/subtree.h"

#define ROUNDS_MAX 10000
#define DIE_MS 10000

static char top[PATH_MAX];

static double
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static long
setting(const char *name, long otherwise)
{
	const char *s = getenv(name);

	return s != NULL ? strtol(s, NULL, 10) : otherwise;
}

/* A hundred files a directory. */
static void
fill(int dir, long files)
{
	char name[64];
	int fd;

	for (long i = 0; i < files; i++) {
		(void)snprintf(name, sizeof name, "d%05ld", i / 100);
		if (i % 100 == 0 && mkdirat(dir, name, 0755) == -1)
			err(1, "%s", name);
		(void)snprintf(name, sizeof name, "d%05ld/f%ld", i / 100, i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd == -1 || write(fd, name, sizeof name) == -1)
			err(1, "%s", name);
		(void)close(fd);
	}
}

static int
run_nothing(void *owner, int root, int report)
{
	(void)owner;
	(void)root;
	(void)report;
	return 0;
}

static double
stage_once(const struct workspace *w, const struct place *p)
{
	struct queue_settings queue = {.memory = INT64_C(1) << 30};
	struct jail_user user = {.uid = geteuid(),
	    .gid = getegid(),
	    .name = "bench",
	    .switches = geteuid() == 0};
	char path[PATH_MAX + 16];
	struct jail_spec spec = {.way = JAIL_OVERLAY,
	    .workspace = w->path,
	    .txn = path,
	    .user = &user,
	    .queue = &queue,
	    .run = run_nothing};
	double from = now_ms();
	struct jail j;
	struct txn t;
	int status = -1;

	(void)snprintf(path, sizeof path, "%s/t", p->path);
	if (txn_create(&t, p, "t", w) == -1 || jail_start(&j, &spec) == -1 ||
	    jail_release(&j) == -1 || jail_reap(&j, DIE_MS, &status) != 1)
		err(1, "staging");
	if (status != 0)
		errx(1, "no overlay here: status %x", (unsigned)status);
	jail_close(&j);
	txn_close(&t);
	if (txn_drop(p, "t") == -1)
		err(1, "dropping");
	return now_ms() - from;
}

static double
floor_once(void)
{
	double from = now_ms();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		err(1, "fork");
	return now_ms() - from;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *times, long n)
{
	qsort(times, (size_t)n, sizeof *times, by_size);
	return times[n / 2];
}

static void
make_workspace(struct workspace *w, const char *name, long files)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%s", top, name);
	if (mkdir(path, 0755) == -1 || workspace_open(w, path) == -1)
		err(1, "%s", path);
	fill(w->fd, files);
}

int
main(void)
{
	static double few[ROUNDS_MAX], many[ROUNDS_MAX], least[ROUNDS_MAX];
	long files = setting("BENCH_FILES", 100000);
	long rounds = setting("BENCH_ROUNDS", 40);
	const char *tmp = getenv("TMPDIR");
	struct workspace small, large;
	char path[PATH_MAX + 16];
	struct place place;
	double a, b, c;

	if (rounds < 1 || rounds > ROUNDS_MAX || files < 1)
		errx(2, "BENCH_ROUNDS or BENCH_FILES make no sense");
	(void)snprintf(top, sizeof top, "%s/patchflow-bench.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(top) == NULL)
		err(1, "%s", top);
	make_workspace(&small, "small", 100);
	make_workspace(&large, "large", files);
	(void)snprintf(path, sizeof path, "%s/txn", top);
	if (place_open(&place, path, &small, true) == -1)
		err(1, "%s", path);
	for (long i = 0; i < rounds; i++) {
		few[i] = stage_once(&small, &place);
		many[i] = stage_once(&large, &place);
		least[i] = floor_once();
	}
	a = median(few, rounds);
	b = median(many, rounds);
	c = median(least, rounds);
	(void)printf("staging: %.2f ms on 100 files, %.2f ms on %ld: %+.2f ms; "
		     "floor (fork and exec) %.2f ms, %.1f times\n",
	    a, b, files, b - a, c, a / c);
	place_close(&place);
	(void)subtree_remove(AT_FDCWD, top);
	return 0;
}
