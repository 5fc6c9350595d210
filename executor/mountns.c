/* SPDX-License-Identifier: ISC */
/* Making a jail's mounts ahead, and looking whether they still hold. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/mountns.h"
#include "executor/rootfs.h"

#define READY_MS 100  /* a jail waits for what is nearly made */
#define WAITS_MAX 3   /* so many do, for the same one */
#define REST_MS 60000 /* before what could not be made is tried again */
#define CLOSE_MS 1000 /* for a killed child to die */

void
mountns_reset(struct mountns *m)
{
	*m = (struct mountns){.fd = -1,
	    .builder = -1,
	    .pidfd = -1,
	    .changes = -1};
}

/* Only of the mounts is there something to keep; not the lock, above all. */
static _Noreturn void
build(const struct jail_spec *spec, pid_t parent)
{
	(void)umask(022);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    close_range(STDERR_FILENO + 1, UINT_MAX, 0) == -1)
		_exit(1);
	_exit(rootfs_build(spec) == 0 ? 0 : 1);
}

/* True when the machine's mounts were changed since the last look: the kernel
 * says so once. */
static bool
have_changed(const struct mountns *m)
{
	struct pollfd fd = {m->changes, POLLPRI, 0};

	return poll(&fd, 1, 0) != 0;
}

static bool
root_time(struct timespec *t)
{
	struct stat st;

	if (stat("/", &st) == -1)
		return false;
	*t = st.st_ctim;
	return true;
}

/* What is changed from here on makes it stale. */
static bool
note_machine(struct mountns *m)
{
	if (m->changes == -1)
		m->changes = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (m->changes == -1)
		return false;
	(void)have_changed(m);
	return root_time(&m->root);
}

/* True when there is no child, or no more within ms: one that hangs on
 * somebody's disk may take long to die. */
static bool
reap(struct mountns *m, int ms, int *status)
{
	struct pollfd fd = {m->pidfd, POLLIN, 0};

	*status = 0;
	if (m->builder == -1)
		return true;
	if (poll(&fd, 1, ms) != 1)
		return false;
	(void)waitpid(m->builder, status, 0);
	(void)close(m->pidfd);
	m->builder = m->pidfd = -1;
	return true;
}

void
mountns_make(struct mountns *m, const struct jail_spec *spec)
{
	pid_t self = getpid();
	char path[64];
	int status;

	if (m->fd != -1 || !reap(m, 0, &status) ||
	    clock_mono_ms() < m->not_before_ms || !note_machine(m))
		return;
	m->user = *spec->user;
	m->waits = 0;
	m->builder = (pid_t)syscall(SYS_clone,
	    CLONE_NEWNS | CLONE_PIDFD | SIGCHLD, NULL, &m->pidfd, NULL, 0);
	if (m->builder == 0)
		build(spec, self);
	if (m->builder == -1)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/mnt",
	    (long)m->builder);
	m->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (m->fd == -1)
		mountns_drop(m);
}

/* It would come to nothing again, or cost each patch a wait: a jail can make
 * its own. */
static void
give_up(struct mountns *m, const char *why)
{
	log_info("a jail's mounts are not made ahead for a while: %s", why);
	m->not_before_ms = clock_mono_ms() + REST_MS;
	mountns_drop(m);
}

/* Has its child come to an end, and a good one? */
static bool
is_whole(struct mountns *m)
{
	int status;

	if (!reap(m, READY_MS, &status)) {
		if (++m->waits == WAITS_MAX)
			give_up(m, "their making does not come to an end");
		return false;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status)) /* by somebody else: no fault of theirs */
		mountns_drop(m);
	else
		give_up(m, "it is not possible");
	return false;
}

static bool
is_stale(const struct mountns *m, const struct jail_spec *spec)
{
	struct timespec now;

	return have_changed(m) || !root_time(&now) ||
	       now.tv_sec != m->root.tv_sec || now.tv_nsec != m->root.tv_nsec ||
	       m->user.uid != spec->user->uid ||
	       strcmp(m->user.name, spec->user->name) != 0;
}

bool
mountns_is_ready(struct mountns *m, const struct jail_spec *spec)
{
	if (m->fd == -1 || spec->way < JAIL_COPY || !is_whole(m))
		return false;
	if (is_stale(m, spec))
		mountns_drop(m);
	return m->fd != -1;
}

void
mountns_drop(struct mountns *m)
{
	int status;

	if (m->builder != -1)
		(void)kill(m->builder, SIGKILL);
	if (m->fd != -1)
		(void)close(m->fd);
	m->fd = -1;
	(void)reap(m, 0, &status);
}

void
mountns_close(struct mountns *m)
{
	int status;

	mountns_drop(m);
	(void)reap(m, CLOSE_MS, &status);
	if (m->changes != -1)
		(void)close(m->changes);
	if (m->pidfd != -1)
		(void)close(m->pidfd);
	mountns_reset(m);
}
