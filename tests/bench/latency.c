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
#include <time.h>
#include <unistd.h>

#include "common/buf.h"

#define PATCHES_MAX 100000
#define START_MS 20000 /* the suite is up, or the run is off */
#define PATCH_MS 30000 /* no patch takes so long */
#define FLOOR_PUTS                                                             \
	6             /* queue file, cursor, BEGIN, new file, COMMIT,          \
			 outcome */
#define FLOOR_MOVES 6 /* id, its entry, claim, roll-forward, DONE, settle */

struct bench {
	char dir[PATH_MAX];
	int dir_fd;
	int chat_fd;
	int notify_fd;
	pid_t suite;
	int next; /* number of the next patch */
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
	    b->dir, b->dir, b->dir, b->dir, b->dir);

	write_file(b->dir_fd, "patchflow.yaml", text);
	free(text);
}

static void
make_place(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(b->dir, sizeof b->dir, "%s/patchflow-bench.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(b->dir) == NULL)
		err(1, "%s", b->dir);
	b->dir_fd = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dir_fd == -1 || mkdirat(b->dir_fd, "ws", 0755) == -1 ||
	    mkdirat(b->dir_fd, "replies", 0755) == -1 ||
	    mkdirat(b->dir_fd, "floor", 0755) == -1)
		err(1, "%s", b->dir);
	write_config(b);
	b->chat_fd = openat(b->dir_fd, "chat.md",
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (b->chat_fd == -1)
		err(1, "chat.md");
}

static void
run_suite(const struct bench *b)
{
	const char *build = getenv("BUILD_DIR");
	char *path =
	    xasprintf("%s/bin/watchdog", build != NULL ? build : "build");
	char *conf = xasprintf("%s/patchflow.yaml", b->dir);
	int log = openat(b->dir_fd, "suite.log", O_WRONLY | O_CREAT | O_CLOEXEC,
	    0644);

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
	char *path = xasprintf("%s/spool/MAIN/patches/.completed", b->dir);
	int64_t end = now_us() + (int64_t)START_MS * 1000;

	b->notify_fd = inotify_init1(IN_CLOEXEC);
	while (inotify_add_watch(b->notify_fd, path, IN_MOVED_TO) == -1) {
		if (errno != ENOENT || now_us() > end)
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
		    b->dir);
	n = read(b->notify_fd, events, sizeof events);
	for (at = 0; at < n; at += (ssize_t)(sizeof *e + e->len)) {
		e = (const struct inotify_event *)(const void *)(events + at);
		count++;
	}
	return count;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The median, in microseconds. */
static int64_t
print_spread(const char *what, int64_t *us, int n)
{
	int64_t p50, p99;

	qsort(us, (size_t)n, sizeof *us, by_size);
	p50 = us[n / 2];
	p99 = us[n * 99 / 100];
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
		began = now_us();
		append(b, &text);
		(void)await_completed(b);
		if (i >= 0)
			us[i] = now_us() - began;
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
	began = now_us();
	append(b, &text);
	for (i = 0; i < n;)
		i += await_completed(b);
	printf("%-44s %12.1f /s\n", "patches in one burst",
	    n * 1e6 / (double)(now_us() - began));
	buf_free(&text);
}

static void
sync_dir(int dir)
{
	if (fsync(dir) == -1)
		err(1, "fsync");
}

static void
floor_put(int dir, const char *name)
{
	static const char bytes[1024];
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd == -1 || write(fd, bytes, sizeof bytes) == -1 ||
	    fsync(fd) == -1 || close(fd) == -1)
		err(1, "%s", name);
	sync_dir(dir);
}

static void
floor_one(int dir)
{
	char name[32], last[32] = "";
	int i;

	for (i = 0; i < FLOOR_PUTS; i++) {
		(void)snprintf(name, sizeof name, "put%d", i);
		floor_put(dir, name);
	}
	(void)strlcpy(last, "put0", sizeof last);
	for (i = 0; i < FLOOR_MOVES; i++) {
		(void)snprintf(name, sizeof name, "move%d", i);
		if (renameat(dir, last, dir, name) == -1)
			err(1, "%s", name);
		sync_dir(dir);
		(void)strlcpy(last, name, sizeof last);
	}
	(void)unlinkat(dir, last, 0);
	for (i = 1; i < FLOOR_PUTS; i++) {
		(void)snprintf(name, sizeof name, "put%d", i);
		(void)unlinkat(dir, name, 0);
	}
}

static int64_t
measure_floor(struct bench *b, int64_t *us, int n)
{
	int dir = openat(b->dir_fd, "floor", O_RDONLY | O_DIRECTORY);
	int64_t began;
	int i;

	for (i = 0; i < n; i++) {
		began = now_us();
		floor_one(dir);
		us[i] = now_us() - began;
	}
	(void)close(dir);
	return print_spread("floor: its durable system calls, bare", us, n);
}

static void
remove_place(const struct bench *b)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)execlp("rm", "rm", "-rf", b->dir, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
}

int
main(void)
{
	const char *wanted = getenv("BENCH_PATCHES");
	const char *why = NULL;
	struct bench b = {0};
	int64_t *us, ours, floor;
	int n, status;

	n = wanted == NULL ? 200 : (int)strtonum(wanted, 1, PATCHES_MAX, &why);
	if (why != NULL)
		errx(2, "BENCH_PATCHES is %s", why);
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
	remove_place(&b);
	free(us);
	return 0;
}
