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
#include <unistd.h>

#include "executor/jail.h"
#include "executor/stage.h"
#include "tests/bench/bench.h"

#define ROUNDS_MAX 10000
#define FILES_MAX 10000000
#define DIE_MS 10000

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

static int64_t
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
	int64_t from = bench_now_us();
	struct jail j;
	struct txn t;
	int status = -1;

	(void)snprintf(path, sizeof path, "%s/t", p->path);
	if (txn_create(&t, p, "t", w) == -1 || txn_add_work(&t) == -1 ||
	    jail_start(&j, &spec) == -1 || jail_release(&j) == -1 ||
	    jail_reap(&j, DIE_MS, &status) != 1)
		err(1, "staging");
	if (status != 0)
		errx(1, "no overlay here: status %x", (unsigned)status);
	jail_close(&j);
	txn_close(&t);
	if (txn_drop(p, "t") == -1)
		err(1, "dropping");
	return bench_now_us() - from;
}

static int64_t
floor_once(void)
{
	int64_t from = bench_now_us();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		err(1, "fork");
	return bench_now_us() - from;
}

static void
make_workspace(struct workspace *w, const struct bench_place *p,
    const char *name, long files)
{
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof path, "%s/%s", p->path, name);
	if (mkdir(path, 0755) == -1 || workspace_open(w, path) == -1)
		err(1, "%s", path);
	fill(w->fd, files);
}

int
main(void)
{
	static int64_t few[ROUNDS_MAX], many[ROUNDS_MAX], least[ROUNDS_MAX];
	int files = bench_number("BENCH_FILES", 100000, FILES_MAX);
	int rounds = bench_number("BENCH_ROUNDS", 40, ROUNDS_MAX);
	struct workspace small, large;
	struct bench_place top;
	char path[PATH_MAX + 16];
	struct place place;
	double a, b, c;

	bench_open(&top);
	make_workspace(&small, &top, "small", 100);
	make_workspace(&large, &top, "large", files);
	(void)snprintf(path, sizeof path, "%s/txn", top.path);
	if (place_open(&place, path, &small, true) == -1)
		err(1, "%s", path);
	for (int i = 0; i < rounds; i++) {
		few[i] = stage_once(&small, &place);
		many[i] = stage_once(&large, &place);
		least[i] = floor_once();
	}
	a = (double)bench_percentile(few, rounds, 50) / 1000;
	b = (double)bench_percentile(many, rounds, 50) / 1000;
	c = (double)bench_percentile(least, rounds, 50) / 1000;
	(void)printf("staging: %.2f ms on 100 files, %.2f ms on %d: %+.2f ms; "
		     "floor (fork and exec) %.2f ms, %.1f times\n",
	    a, b, files, b - a, c, a / c);
	place_close(&place);
	bench_remove(&top);
	return 0;
}
