/* SPDX-License-Identifier: ISC */
/* The wrappers around every sys_*(), and the counter they share. */
#include <sys/wait.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "common/sys.h"
#include "tests/unit/fault.h"

#define FORK_TRIES 1000
#define FORK_WAIT_MS 10

static struct {
	enum fault_mode mode;
	long nth;
	long count;
	int err;
	bool lies;
	void (*hook)(void *);
	void *arg;
} fault;

void
fault_set(enum fault_mode mode, long nth, int err)
{
	fault.mode = mode;
	fault.nth = nth;
	fault.count = 0;
	fault.err = err;
}

void
fault_clear(void)
{
	fault_set(FAULT_NONE, 0, 0);
}

long
fault_count(void)
{
	return fault.count;
}

bool
fault_hit(void)
{
	return fault.nth > 0 && fault.count >= fault.nth;
}

void
fault_fsync_lies(bool lies)
{
	fault.lies = lies;
}

void
fault_hook(void (*hook)(void *), void *arg)
{
	fault.hook = hook;
	fault.arg = arg;
}

/* Other tests of this machine may hold all processes for a moment. */
static pid_t
fork_patiently(void)
{
	pid_t pid = fork();

	for (int i = 0; pid == -1 && errno == EAGAIN && i < FORK_TRIES; i++) {
		(void)poll(NULL, 0, FORK_WAIT_MS);
		pid = fork();
	}
	return pid;
}

int
fault_child(int (*work)(void *), void *arg)
{
	pid_t pid;
	int status;

	(void)fflush(NULL);
	pid = fork_patiently();
	if (pid == -1)
		return -1;
	if (pid == 0)
		_exit(work(arg));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Before a call: must it fail? */
static bool
strike(void)
{
	fault.count++;
	if (fault.mode == FAULT_KILL_BEFORE && fault.count == fault.nth)
		_exit(FAULT_KILLED);
	if ((fault.mode == FAULT_FAIL && fault.count == fault.nth) ||
	    (fault.mode == FAULT_FAIL_ON && fault.count >= fault.nth)) {
		errno = fault.err;
		return true;
	}
	return false;
}

/* Behind a call that was made. */
static void
after(void)
{
	int saved = errno;

	if (fault.mode == FAULT_KILL_AFTER && fault.count == fault.nth)
		_exit(FAULT_KILLED);
	if (fault.mode == FAULT_CALL && fault.count == fault.nth)
		fault.hook(fault.arg);
	errno = saved;
}

static size_t
shortened(size_t len)
{
	return fault.mode == FAULT_SHORT && fault.count == fault.nth && len > 1
		   ? 1
		   : len;
}

/* WRAP(type, name, parameters, arguments): strike, the real one, after. */
#define WRAP(type, name, params, args)                                         \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		type r;                                                        \
                                                                               \
		if (strike())                                                  \
			return -1;                                             \
		r = __real_##name args;                                        \
		after();                                                       \
		return r;                                                      \
	}

WRAP(int, sys_openat, (int d, const char *name, int flags, mode_t mode),
    (d, name, flags, mode))
WRAP(ssize_t, sys_write, (int fd, const void *p, size_t len),
    (fd, p, shortened(len)))
WRAP(ssize_t, sys_pwrite, (int fd, const void *p, size_t len, off_t at),
    (fd, p, shortened(len), at))
WRAP(int, sys_ftruncate, (int fd, off_t len), (fd, len))
WRAP(int, sys_fallocate, (int fd, off_t len), (fd, len))
WRAP(int, sys_renameat2,
    (int from, const char *a, int to, const char *b, unsigned flags),
    (from, a, to, b, flags))
WRAP(int, sys_unlinkat, (int d, const char *name, int flags), (d, name, flags))
WRAP(int, sys_mkdirat, (int d, const char *name, mode_t mode), (d, name, mode))
WRAP(int, sys_symlinkat, (const char *target, int d, const char *name),
    (target, d, name))
WRAP(int, sys_linkat,
    (int from, const char *a, int to, const char *b, int flags),
    (from, a, to, b, flags))
WRAP(int, sys_fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, sys_fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
WRAP(int, sys_fchmodat, (int d, const char *name, mode_t mode), (d, name, mode))
WRAP(int, sys_fchownat, (int d, const char *name, uid_t uid, gid_t gid),
    (d, name, uid, gid))
WRAP(int, sys_utimensat, (int d, const char *name, const struct timespec ts[2]),
    (d, name, ts))

int __real_sys_fsync(int fd);
int __wrap_sys_fsync(int fd);
int
__wrap_sys_fsync(int fd)
{
	int r;

	if (strike())
		return -1;
	r = fault.lies ? 0 : __real_sys_fsync(fd);
	after();
	return r;
}

int __real_sys_syncfs(int fd);
int __wrap_sys_syncfs(int fd);
int
__wrap_sys_syncfs(int fd)
{
	int r;

	if (strike())
		return -1;
	r = fault.lies ? 0 : __real_sys_syncfs(fd);
	after();
	return r;
}

int __real_sys_sync_file_range(int fd, off_t at, off_t len, unsigned flags);
int __wrap_sys_sync_file_range(int fd, off_t at, off_t len, unsigned flags);
int
__wrap_sys_sync_file_range(int fd, off_t at, off_t len, unsigned flags)
{
	int r;

	if (strike())
		return -1;
	r = fault.lies ? 0 : __real_sys_sync_file_range(fd, at, len, flags);
	after();
	return r;
}

/* Whatever close says, the descriptor is gone. */
int __real_sys_close(int fd);
int __wrap_sys_close(int fd);
int
__wrap_sys_close(int fd)
{
	bool failed = strike();
	int err = errno, r = __real_sys_close(fd);

	if (failed) {
		errno = err;
		return -1;
	}
	after();
	return r;
}
