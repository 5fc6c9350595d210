/* SPDX-License-Identifier: ISC */
/*
 * How long from a patch's last byte in the chat until it is completed, with
 * the whole suite running, and how many a second; beside it the floor: the
 * bare durable system calls that one patch needs, in the same run on the same
 * disk. $BENCH_PATCHES (200) patches of one small file each; $TMPDIR says
 * where.
 */
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/bench/bench.h"

#define PATCHES_MAX 100000
#define START_MS 20000 /* the suite is up, or the run is off */
#define PATCH_MS 30000 /* no patch takes so long */

struct bench {
	struct bench_place place;
	int chat_fd;
	int notify_fd;
	pid_t suite;
	int next; /* number of the next patch */
};

static void
write_config(const struct bench *b)
{
	char *text = xasprintf("spool: %s/spool\n"
			       "queues:\n"
			       "  - {name: MAIN, workspace: %s/ws}\n"
			       "bridge:\n"
			       "  sources:\n"
			       "    - {type: transcript, path: %s/chat.md}\n"
			       "summaries:\n"
			       "  destinations:\n"
			       "    - {type: directory, path: %s/replies}\n"
			       "alerts:\n"
			       "  channels:\n"
			       "    - {name: log, type: file, path: "
			       "%s/alerts.log}\n"
			       "watchdog: {queue_depth: 100000}\n",
	    b->place.path, b->place.path, b->place.path, b->place.path,
	    b->place.path);

	bench_write(b->place.dir, "patchflow.yaml", text);
	free(text);
}

static void
make_place(struct bench *b)
{
	bench_open(&b->place);
	(void)close(bench_dir(b->place.dir, "ws"));
	(void)close(bench_dir(b->place.dir, "replies"));
	write_config(b);
	b->chat_fd = openat(b->place.dir, "chat.md",
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	bench_check(b->chat_fd, "chat.md");
}

static void
run_suite(const struct bench *b)
{
	const char *build = getenv("BUILD_DIR");
	char *path =
	    xasprintf("%s/bin/watchdog", build != NULL ? build : "build");
	char *conf = xasprintf("%s/patchflow.yaml", b->place.path);
	int log = openat(b->place.dir, "suite.log",
	    O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	/* An error here must not leave the suite running. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (log == -1 || dup2(log, STDOUT_FILENO) == -1 ||
	    dup2(log, STDERR_FILENO) == -1)
		_exit(126);
	(void)execl(path, "watchdog", "-f", "-c", conf, (char *)NULL);
	_exit(127);
}

static void
watch_completed(struct bench *b)
{
	char *path =
	    xasprintf("%s/spool/MAIN/patches/.completed", b->place.path);
	int64_t end = bench_now_us() + (int64_t)START_MS * 1000;

	b->notify_fd = inotify_init1(IN_CLOEXEC);
	while (inotify_add_watch(b->notify_fd, path, IN_MOVED_TO) == -1) {
		if (errno != ENOENT || bench_now_us() > end)
			err(1, "%s: the suite did not start", path);
		(void)poll(NULL, 0, 5);
	}
	free(path);
}

static void
start_suite(struct bench *b)
{
	b->suite = fork();
	if (b->suite == -1)
		err(1, "fork");
	if (b->suite == 0)
		run_suite(b);
	watch_completed(b);
}

static void
add_patch(struct bench *b, struct buf *text)
{
	int n = b->next++;

	buf_printf(text,
	    "```json\n{\"role\": \"command_patch\", \"id\": \"bench-%d\", "
	    "\"target\": \"MAIN\", \"mutations\": [{\"path\": \"f/%d\", "
	    "\"contents\": \"number %d\\n\"}]}\n```\n",
	    n, n, n);
}

static void
append(struct bench *b, struct buf *text)
{
	if (write(b->chat_fd, text->bytes, text->len) != (ssize_t)text->len)
		err(1, "chat.md");
	buf_clear(text);
}

/* How many queue files arrived in .completed meanwhile; waits for one. */
static int
await_completed(struct bench *b)
{
	char events[16384] __attribute__((aligned(8)));
	struct pollfd p = {.fd = b->notify_fd, .events = POLLIN};
	const struct inotify_event *e;
	ssize_t n, at;
	int count = 0;

	if (poll(&p, 1, PATCH_MS) != 1)
		errx(1, "no patch completed within %d ms; see %s", PATCH_MS,
		    b->place.path);
	n = read(b->notify_fd, events, sizeof events);
	for (at = 0; at < n; at += (ssize_t)(sizeof *e + e->len)) {
		e = (const struct inotify_event *)(const void *)(events + at);
		count++;
	}
	return count;
}

/* The median, in microseconds. */
static int64_t
print_spread(const char *what, int64_t *us, int n)
{
	int64_t p50 = bench_percentile(us, n, 50);
	int64_t p99 = bench_percentile(us, n, 99);

	printf("%-44s p50 %8.2f ms   p99 %8.2f ms\n", what, (double)p50 / 1000,
	    (double)p99 / 1000);
	return p50;
}

static int64_t
measure_latency(struct bench *b, int64_t *us, int n)
{
	struct buf text = {0};
	int64_t began;
	int i;

	for (i = -1; i < n; i++) {
		add_patch(b, &text);
		began = bench_now_us();
		append(b, &text);
		(void)await_completed(b);
		if (i >= 0)
			us[i] = bench_now_us() - began;
	}
	buf_free(&text);
	return print_spread("append to chat until completed", us, n);
}

static void
measure_rate(struct bench *b, int n)
{
	struct buf text = {0};
	int64_t began;
	int i;

	for (i = 0; i < n; i++)
		add_patch(b, &text);
	began = bench_now_us();
	append(b, &text);
	for (i = 0; i < n;)
		i += await_completed(b);
	printf("%-44s %12.1f /s\n", "patches in one burst",
	    n * 1e6 / (double)(bench_now_us() - began));
	buf_free(&text);
}

static void
floor_move(int dir, const char *from, const char *to)
{
	bench_check(renameat(dir, from, dir, to), to);
	bench_sync(dir);
}

/* The queue file and what names it, the cursor; the files of the patch with
 * its record and its outcome, the record's name, the workspace. */
static void
floor_one(int dir)
{
	static const char *const made[] = {"queue", "entry", "cursor", "file",
	    "record", "outcome"};
	static const char *const left[] = {"queued", "id", "place", "COMMIT",
	    "changed", "outcome"};

	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		int fd = bench_create(dir, made[i]);

		bench_sync(fd);
		bench_check(close(fd), made[i]);
	}
	floor_move(dir, "queue", "queued");
	floor_move(dir, "entry", "id");
	floor_move(dir, "cursor", "place");
	floor_move(dir, "record", "COMMIT");
	floor_move(dir, "file", "changed");
	for (size_t i = 0; i < sizeof left / sizeof *left; i++)
		bench_check(unlinkat(dir, left[i], 0), left[i]);
}

static int64_t
measure_floor(struct bench *b, int64_t *us, int n)
{
	int dir = bench_dir(b->place.dir, "floor");
	int64_t began;
	int i;

	for (i = 0; i < n; i++) {
		began = bench_now_us();
		floor_one(dir);
		us[i] = bench_now_us() - began;
	}
	(void)close(dir);
	return print_spread("floor: its durable system calls, bare", us, n);
}

int
main(void)
{
	struct bench b = {0};
	int64_t *us, ours, floor;
	int n, status;

	n = bench_number("BENCH_PATCHES", 200, PATCHES_MAX);
	us = xcalloc((size_t)n, sizeof *us);
	make_place(&b);
	start_suite(&b);
	printf("latency: %d patches of one file each\n", n);
	ours = measure_latency(&b, us, n);
	measure_rate(&b, n);
	(void)kill(b.suite, SIGTERM);
	if (waitpid(b.suite, &status, 0) != b.suite || status != 0)
		warnx("the suite ended with status %d", status);
	floor = measure_floor(&b, us, n);
	printf("%-44s %12.2f times the floor\n", "p50 of a patch",
	    (double)ours / (double)(floor > 0 ? floor : 1));
	bench_remove(&b.place);
	free(us);
	return 0;
}
