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
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define PATCHES_MAX 100000
#define FILES 3
#define COMMANDS 2
#define ROUNDS 5

struct bench {
	char dir[PATH_MAX];
	int fd;
	int patches;
	int next;
};

static int64_t
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
write_file(int dir, const char *name, const char *text)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", name);
	(void)close(fd);
}

static int
make_dir(int at, const char *name)
{
	int fd;

	if (mkdirat(at, name, 0755) == -1 && errno != EEXIST)
		err(1, "%s", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		err(1, "%s", name);
	return fd;
}

static void
open_place(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");
	char *text;
	int ws;

	(void)snprintf(b->dir, sizeof b->dir, "%s/patchflow-bench.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(b->dir) == NULL)
		err(1, "%s", b->dir);
	b->fd = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ws = make_dir(b->fd, "ws");
	for (int i = 0; i < FILES; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "f%d", i);
		write_file(ws, name, "before\n");
	}
	(void)close(ws);
	text = xasprintf("spool: %s/spool\nqueues:\n"
			 "  - {name: MAIN, workspace: %s/ws}\n",
	    b->dir, b->dir);
	write_file(b->fd, "patchflow.yaml", text);
	free(text);
}

/* Runs a program to its end; its output goes to the file log. */
static int
run(const struct bench *b, const char *const *argv)
{
	pid_t pid = fork();
	int status, log;

	if (pid == 0) {
		log = openat(b->fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (log == -1 || dup2(log, STDOUT_FILENO) == -1 ||
		    dup2(log, STDERR_FILENO) == -1)
			_exit(126);
		/* It takes no const, and changes nothing. */
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		err(1, "%s", argv[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *
binary(const char *name)
{
	const char *build = getenv("BUILD_DIR");

	return xasprintf("%s/%s", build != NULL ? build : "build", name);
}

/* Queues n patches; mkjob takes a document a file. */
static void
queue(struct bench *b, int n)
{
	char *mkjob = binary("tests/harness/mkjob");
	char *spool = xasprintf("%s/spool", b->dir);
	const char **argv = xcalloc((size_t)n + 4, sizeof *argv);
	int dir = make_dir(b->fd, "docs");

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
		write_file(dir, name, text);
		argv[3 + i] = xasprintf("%s/docs/%s", b->dir, name);
		free(text);
	}
	if (run(b, argv) != 0)
		errx(1, "mkjob failed; see %s/log", b->dir);
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
	char *executor = binary("bin/executor");
	char *conf = xasprintf("%s/patchflow.yaml", b->dir);
	char *trace = xasprintf("%s/trace", b->dir);
	const char *words[] = {"strace", "-f", "-qq", "-o", trace, "-e",
	    "trace=fsync,syncfs,fdatasync", executor, "--once", "-c", conf,
	    "-q", "MAIN", NULL};
	int64_t began = now_us();
	int status = run(b, traced ? words : words + 7);

	if (status != 0 && !traced)
		errx(1, "executor ended with %d; see %s/log", status, b->dir);
	free(executor);
	free(conf);
	free(trace);
	return status == 0 ? now_us() - began : -1;
}

static long
count_lines(const struct bench *b)
{
	char *path = xasprintf("%s/trace", b->dir);
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
	char *options;
	char *path;
};

static void
check(int answer, const char *what)
{
	if (answer == -1)
		err(1, "%s", what);
}

static void
put(int dir, const char *name)
{
	static const char bytes[1024];
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd == -1 || write(fd, bytes, sizeof bytes) == -1 ||
	    fsync(fd) == -1 || close(fd) == -1 || fsync(dir) == -1)
		err(1, "%s", name);
}

static void
move(int from, const char *a, int to, const char *b)
{
	check(renameat(from, a, to, b), a);
	check(fsync(to), b);
	if (from != to)
		check(fsync(from), a);
}

static void
shell(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", "true", (char *)NULL);
		_exit(127);
	}
	check(waitpid(pid, NULL, 0), "sh");
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
		write_file(dir, name, "after\n");
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

static void
bring(const struct floor *f)
{
	char name[16];
	int fd;

	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		check(renameat(f->upper, name, f->new, name), name);
		fd = openat(f->new, name, O_RDONLY);
		check(fsync(fd), name);
		check(close(fd), name);
	}
	check(fsync(f->new), "new");
	put(f->t, "COMMIT");
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		check(renameat2(f->new, name, f->ws, name, RENAME_EXCHANGE),
		    name);
	}
	check(fsync(f->ws), "ws");
	check(renameat(f->t, "COMMIT", f->t, "DONE"), "DONE");
}

/* Claim, BEGIN, stage, bring, outcome, settle, clear away. */
static int
floor_one(struct floor *f)
{
	static const char *const files[] = {"new/f0", "new/f1", "new/f2",
	    "BEGIN", "DONE"};

	put(f->spool, "queue");
	move(f->spool, "queue", f->other, "queue");
	put(f->t, "BEGIN");
	if (stage(f) == -1)
		return -1;
	bring(f);
	put(f->spool, "outcome");
	move(f->other, "queue", f->spool, "queue");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		check(unlinkat(f->t, files[i], 0), files[i]);
	check(unlinkat(f->spool, "queue", 0), "queue");
	check(unlinkat(f->spool, "outcome", 0), "outcome");
	return 0;
}

static void
open_floor(const struct bench *b, struct floor *f)
{
	int dir = make_dir(b->fd, "floor");

	f->ws = make_dir(b->fd, "ws");
	f->spool = make_dir(dir, "spool");
	f->other = make_dir(dir, "other");
	f->t = make_dir(dir, "t");
	f->new = make_dir(f->t, "new");
	f->upper = make_dir(f->t, "upper");
	(void)close(make_dir(f->t, "work"));
	f->path = xasprintf("%s/ws", b->dir);
	f->options = xasprintf("lowerdir=%s,upperdir=%s/floor/t/upper,"
			       "workdir=%s/floor/t/work,volatile",
	    f->path, b->dir, b->dir);
}

static void
clear_work(const struct bench *b)
{
	char *path = xasprintf("%s/floor/t/work", b->dir);
	const char *argv[] = {"rm", "-rf", path, NULL};

	(void)run(b, argv);
	check(mkdir(path, 0755), path);
	free(path);
}

/* Microseconds of n, without what only the bench has to do; -1: the machine
 * does not allow it. */
static int64_t
run_floor(const struct bench *b, struct floor *f, int n)
{
	int64_t sum = 0, began;

	for (int i = 0; i < n; i++) {
		began = now_us();
		if (floor_one(f) == -1)
			return -1;
		sum += now_us() - began;
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

static void
remove_place(const struct bench *b)
{
	const char *argv[] = {"rm", "-rf", b->dir, NULL};

	(void)run(b, argv);
}

int
main(void)
{
	const char *wanted = getenv("BENCH_PATCHES"), *why = NULL;
	struct bench b = {0};

	b.patches =
	    wanted == NULL ? 50 : (int)strtonum(wanted, 1, PATCHES_MAX, &why);
	if (why != NULL)
		errx(2, "BENCH_PATCHES is %s", why);
	open_place(&b);
	printf("patch: %d patches of %d files and %d commands\n", b.patches,
	    FILES, COMMANDS);
	measure(&b);
	count_syncs(&b);
	remove_place(&b);
	return 0;
}
