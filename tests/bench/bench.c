/* SPDX-License-Identifier: ISC */
/* The clock, the place and the bare calls of the benches. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/bench/bench.h"

int64_t
bench_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int
bench_number(const char *name, int otherwise, int max)
{
	const char *text = getenv(name), *why = NULL;
	int n = text == NULL ? otherwise : (int)strtonum(text, 1, max, &why);

	if (why != NULL)
		errx(2, "%s is %s", name, why);
	return n;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t
bench_percentile(int64_t *us, int n, int percent)
{
	qsort(us, (size_t)n, sizeof *us, by_size);
	return us[n * percent / 100];
}

void
bench_open(struct bench_place *p)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(p->path, sizeof p->path, "%s/patchflow-bench.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(p->path) == NULL)
		err(1, "%s", p->path);
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench_check(p->dir, p->path);
}

void
bench_remove(const struct bench_place *p)
{
	const char *argv[] = {"rm", "-rf", p->path, NULL};

	(void)bench_run(p, argv);
}

int
bench_dir(int at, const char *name)
{
	int fd;

	if (mkdirat(at, name, 0755) == -1 && errno != EEXIST)
		err(1, "%s", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench_check(fd, name);
	return fd;
}

void
bench_write(int dir, const char *name, const char *text)
{
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", name);
	(void)close(fd);
}

char *
bench_binary(const char *name)
{
	const char *build = getenv("BUILD_DIR");

	return xasprintf("%s/%s", build != NULL ? build : "build", name);
}

int
bench_run(const struct bench_place *p, const char *const *argv)
{
	pid_t pid = fork();
	int status, log;

	if (pid == 0) {
		log =
		    openat(p->dir, "log", O_WRONLY | O_CREAT | O_APPEND, 0644);
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

void
bench_check(int answer, const char *what)
{
	if (answer == -1)
		err(1, "%s", what);
}

void
bench_sync(int fd)
{
	bench_check(fsync(fd), "fsync");
}

int
bench_create(int dir, const char *name)
{
	static const char bytes[1024];
	int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd == -1 || write(fd, bytes, sizeof bytes) != sizeof bytes)
		err(1, "%s", name);
	return fd;
}
