/* SPDX-License-Identifier: ISC */
/* What escape.c and escape_kernel.c share: each is a table of cases. */
#ifndef HARNESS_ESCAPE_H
#define HARNESS_ESCAPE_H

#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct escape {
	const char *name;
	bool (*gets_out)(void);
};

#define CASE(name) static bool try_##name(void)
#define ROW(name)                                                              \
	{                                                                      \
#name, try_##name                                              \
	}

/* The program's arguments. */
static int outside = -1, port;
static const char *outside_path, *spool;
static pid_t executor, parent;

static inline bool
opens(int dir, const char *path, int flags)
{
	int fd = openat(dir, path, flags | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd != -1)
		(void)close(fd);
	return fd != -1;
}

static inline bool
refused(long answer)
{
	return answer == -1 && (errno == EPERM || errno == ENOSYS);
}

/* In a process of its own: what it takes from itself, no other one lacks. */
static inline bool
gets_out(const struct escape *e)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(e->gets_out() ? 1 : 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status != 0;
}

static inline int
escape_main(int argc, char **argv, const struct escape *cases, size_t count)
{
	if (argc != 5) {
		(void)fprintf(stderr, "usage: %s OUTSIDE SPOOL PID PORT\n",
		    argv[0]);
		return 2;
	}
	outside_path = argv[1];
	spool = argv[2];
	executor = (pid_t)strtol(argv[3], NULL, 10);
	port = (int)strtol(argv[4], NULL, 10);
	parent = getppid();
	(void)signal(SIGPIPE, SIG_IGN);
	outside = open(outside_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < count; i++)
		(void)printf("%s %s\n", cases[i].name,
		    gets_out(&cases[i]) ? "out" : "held");
	return 0;
}

#endif
