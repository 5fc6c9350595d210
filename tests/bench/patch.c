/* SPDX-License-Identifier: ISC */
/*
 * What one patch of three files and two commands costs, with its fsync count;
 * beside it the floor: the bare system calls that cannot be left out, in the
 * same run on the same disk: the durable ones, the namespaces, the overlay
 * and two shells. $BENCH_PATCHES (50) patches; $TMPDIR says where.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fsinfo.h"
#include "tests/bench/bench.h"

#define PATCHES_MAX 100000
#define FILES 3
#define COMMANDS 2
#define ROUNDS 5

struct bench {
	struct bench_place place;
	int patches;
	int next;
};

static void
open_place(struct bench *b)
{
	const char *path = b->place.path;
	char *text;
	int ws;

	bench_open(&b->place);
	ws = bench_dir(b->place.dir, "ws");
	for (int i = 0; i < FILES; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "f%d", i);
		bench_write(ws, name, "before\n");
	}
	(void)close(ws);
	text = xasprintf("spool: %s/spool\nqueues:\n"
			 "  - {name: MAIN, workspace: %s/ws}\n",
	    path, path);
	bench_write(b->place.dir, "patchflow.yaml", text);
	free(text);
}

/* Queues n patches; mkjob takes a document a file. */
static void
queue(struct bench *b, int n)
{
	char *mkjob = bench_binary("tests/harness/mkjob");
	char *spool = xasprintf("%s/spool", b->place.path);
	const char **argv = xcalloc((size_t)n + 4, sizeof *argv);
	int dir = bench_dir(b->place.dir, "docs");

	argv[0] = mkjob;
	argv[1] = spool;
	argv[2] = "MAIN";
	for (int i = 0; i < n; i++) {
		int k = b->next++;
		char name[32];
		char *text = xasprintf(
		    "{\"id\":\"b%d\",\"mutations\":[{\"path\":\"f0\","
		    "\"contents\":\"%d\"},{\"path\":\"f1\",\"contents\":\"%d\"}"
		    ",{\"path\":\"f2\",\"contents\":\"%d\"}],"
		    "\"postMutationBuild\":{\"shell\":[\"true\"]},"
		    "\"validate\":{\"shell\":[\"true\"]}}",
		    k, k, k, k);

		(void)snprintf(name, sizeof name, "%06d.json", k);
		bench_write(dir, name, text);
		argv[3 + i] = xasprintf("%s/docs/%s", b->place.path, name);
		free(text);
	}
	if (bench_run(&b->place, argv) != 0)
		errx(1, "mkjob failed; see %s/log", b->place.path);
	for (int i = 0; i < n; i++)
		free((void *)(uintptr_t)argv[3 + i]);
	free(argv);
	free(mkjob);
	free(spool);
	(void)close(dir);
}

static int64_t
run_executor(const struct bench *b, bool traced)
{
	char *executor = bench_binary("bin/executor");
	char *conf = xasprintf("%s/patchflow.yaml", b->place.path);
	char *trace = xasprintf("%s/trace", b->place.path);
	const char *words[] = {"strace", "-f", "-qq", "-o", trace, "-e",
	    "trace=fsync,syncfs,fdatasync", executor, "--once", "-c", conf,
	    "-q", "MAIN", NULL};
	int64_t began = bench_now_us();
	int status = bench_run(&b->place, traced ? words : words + 7);

	if (status != 0 && !traced)
		errx(1, "executor ended with %d; see %s/log", status,
		    b->place.path);
	free(executor);
	free(conf);
	free(trace);
	return status == 0 ? bench_now_us() - began : -1;
}

static long
count_lines(const struct bench *b)
{
	char *path = xasprintf("%s/trace", b->place.path);
	FILE *f = fopen(path, "r");
	long lines = 0;
	int c;

	while (f != NULL && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f != NULL)
		(void)fclose(f);
	free(path);
	return lines;
}

static void
count_syncs(struct bench *b)
{
	long idle, busy;

	if (run_executor(b, true) == -1) {
		printf("%-44s (no strace here)\n", "fsyncs a patch");
		return;
	}
	idle = count_lines(b);
	queue(b, 10);
	(void)run_executor(b, true);
	busy = count_lines(b);
	printf("%-44s %8.1f\n", "fsyncs a patch", (double)(busy - idle) / 10);
}

/* --- the floor */

struct floor {
	int ws, spool, other, t, new, upper;
	bool ordered;
	char *options;
	char *path;
};

static void
shell(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", "true", (char *)NULL);
		_exit(127);
	}
	bench_check(waitpid(pid, NULL, 0), "sh");
}

/* In the namespaces: the overlay, three files, two shells. */
static _Noreturn void
inside(const struct floor *f)
{
	char name[16];
	int dir;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("overlay", f->path, "overlay", 0, f->options) == -1)
		_exit(1);
	dir = open(f->path, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		bench_write(dir, name, "after\n");
	}
	for (int i = 0; i < COMMANDS; i++)
		shell();
	_exit(0);
}

static int
stage(const struct floor *f)
{
	struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID |
					   CLONE_NEWIPC | CLONE_NEWUTS |
					   CLONE_NEWNET,
	    .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	int status;

	if (pid == 0)
		inside(f);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status == 0 ? 0 : -1;
}

/* Only its bytes, where the journal keeps the order. */
static void
reach(const struct floor *f, int fd)
{
	if (f->ordered)
		bench_check(sync_file_range(fd, 0, 0,
				SYNC_FILE_RANGE_WAIT_BEFORE |
				    SYNC_FILE_RANGE_WRITE |
				    SYNC_FILE_RANGE_WAIT_AFTER),
		    "sync_file_range");
	else
		bench_sync(fd);
}

static void
sync_unordered(const struct floor *f, int fd)
{
	if (!f->ordered)
		bench_sync(fd);
}

/* Claim, record and outcome go to the disk with the files; then the record's
 * name; then the workspace and the outcome's name, where the first does not
 * bring the rest along. */
static void
bring(const struct floor *f)
{
	int fds[FILES + 2];
	char name[16];

	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		bench_check(renameat(f->upper, name, f->new, name), name);
		fds[i] = openat(f->new, name, O_RDONLY);
	}
	fds[FILES] = bench_create(f->t, "record");
	fds[FILES + 1] = bench_create(f->spool, "draft");
	for (int i = FILES + 1; i >= 0; i--) {
		reach(f, fds[i]);
		bench_check(close(fds[i]), "close");
	}
	sync_unordered(f, f->new);
	bench_check(renameat(f->t, "record", f->t, "COMMIT"), "COMMIT");
	bench_sync(f->t);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		bench_check(
		    renameat2(f->new, name, f->ws, name, RENAME_EXCHANGE),
		    name);
	}
	bench_check(renameat(f->spool, "draft", f->spool, "outcome"), "draft");
	sync_unordered(f, f->ws);
	sync_unordered(f, f->spool);
	bench_check(renameat(f->t, "COMMIT", f->t, "DONE"), "DONE");
}

/* Claim, BEGIN, stage, bring, settle, clear away. The claim is synced while
 * something runs; here nothing does yet. */
static int
floor_one(struct floor *f)
{
	static const char *const files[] = {"new/f0", "new/f1", "new/f2",
	    "BEGIN", "DONE"};

	bench_check(renameat(f->spool, "queue", f->other, "queue"), "claim");
	bench_check(close(bench_create(f->t, "BEGIN")), "BEGIN");
	sync_unordered(f, f->other);
	if (stage(f) == -1)
		return -1;
	bring(f);
	bench_check(renameat(f->other, "queue", f->spool, "queue"), "settle");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		bench_check(unlinkat(f->t, files[i], 0), files[i]);
	bench_check(unlinkat(f->spool, "outcome", 0), "outcome");
	return 0;
}

static void
open_floor(const struct bench *b, struct floor *f)
{
	int dir = bench_dir(b->place.dir, "floor");
	struct fsinfo info;

	bench_check(fsinfo_read(dir, &info), "fsinfo");
	f->ordered = info.ordered;
	f->ws = bench_dir(b->place.dir, "ws");
	f->spool = bench_dir(dir, "spool");
	f->other = bench_dir(dir, "other");
	f->t = bench_dir(dir, "t");
	f->new = bench_dir(f->t, "new");
	f->upper = bench_dir(f->t, "upper");
	(void)close(bench_dir(f->t, "work"));
	f->path = xasprintf("%s/ws", b->place.path);
	bench_check(close(bench_create(f->spool, "queue")), "queue");
	f->options = xasprintf("lowerdir=%s,upperdir=%s/floor/t/upper,"
			       "workdir=%s/floor/t/work,volatile",
	    f->path, b->place.path, b->place.path);
}

static void
clear_work(const struct bench *b)
{
	char *path = xasprintf("%s/floor/t/work", b->place.path);
	const char *argv[] = {"rm", "-rf", path, NULL};

	(void)bench_run(&b->place, argv);
	bench_check(mkdir(path, 0755), path);
	free(path);
}

/* Microseconds of n, without what only the bench has to do; -1: the machine
 * does not allow it. */
static int64_t
run_floor(const struct bench *b, struct floor *f, int n)
{
	int64_t sum = 0, began;

	for (int i = 0; i < n; i++) {
		began = bench_now_us();
		if (floor_one(f) == -1)
			return -1;
		sum += bench_now_us() - began;
		clear_work(b);
	}
	return sum;
}

/* Turn by turn, so that what else the machine does meets both. */
static void
measure(struct bench *b)
{
	int n = (b->patches + ROUNDS - 1) / ROUNDS;
	int64_t ours = 0, bare = 0, once;
	struct floor f;

	open_floor(b, &f);
	(void)run_executor(b, false);
	for (int i = 0; i < ROUNDS; i++) {
		ours -= run_executor(b, false);
		queue(b, n);
		ours += run_executor(b, false);
		once = run_floor(b, &f, n);
		bare = once == -1 || bare == -1 ? -1 : bare + once;
	}
	printf("%-44s %8.2f ms\n", "a patch", (double)ours / 1000 / ROUNDS / n);
	if (bare == -1)
		printf("%-44s (no namespaces for us here)\n", "floor");
	else
		printf("%-44s %8.2f ms\n%-44s %8.2f\n",
		    "floor: its system calls, bare",
		    (double)bare / 1000 / ROUNDS / n, "ratio (goal 1.5)",
		    (double)ours / (double)bare);
}

int
main(void)
{
	struct bench b = {
	    .patches = bench_number("BENCH_PATCHES", 50, PATCHES_MAX)};

	open_place(&b);
	printf("patch: %d patches of %d files and %d commands\n", b.patches,
	    FILES, COMMANDS);
	measure(&b);
	count_syncs(&b);
	bench_remove(&b.place);
	return 0;
}
