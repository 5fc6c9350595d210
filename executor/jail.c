/* SPDX-License-Identifier: ISC */
/* Starting, watching and ending the staging process. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/confine.h"
#include "executor/filter.h"
#include "executor/jail.h"
#include "executor/jail_child.h"

const char *const jail_way_name[JAIL__MAX] = {
    [JAIL_PLAIN] = "mutations-only",
    [JAIL_BARE] = "bare-copy",
    [JAIL_COPY] = "copy",
    [JAIL_OVERLAY] = "overlay",
};

void
jail_reset(struct jail *j)
{
	j->pid = -1;
	j->pidfd = j->lifeline = j->report = -1;
	j->usage = NULL;
	j->net = NULL;
}

unsigned long long
jail_start_time(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	const char *at;
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid) < 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name in parentheses may hold anything; fields follow the last. */
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at != NULL)
		start = strtoull(at + 1, NULL, 10);
	return start;
}

static unsigned long
namespaces(const struct jail_spec *spec, const struct jail *j)
{
	unsigned long flags = CLONE_PIDFD | SIGCHLD;

	if (spec->way == JAIL_PLAIN || spec->way == JAIL_BARE)
		return flags;
	flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	if (!spec->network && (j->net == NULL || j->net->fd == -1))
		flags |= CLONE_NEWNET;
	if (!spec->user->switches)
		flags |= CLONE_NEWUSER;
	return flags;
}

/* A user namespace owns one of its own: there is no way into another. */
static bool
may_share_net(const struct jail_spec *spec)
{
	return spec->net != NULL && !spec->network && spec->user->switches &&
	       (spec->way == JAIL_COPY || spec->way == JAIL_OVERLAY);
}

/* While it is made ahead the last jail may still be in it. */
static void
choose_net(struct jail *j, const struct jail_spec *spec)
{
	if (!may_share_net(spec))
		return;
	j->net = spec->net;
	if (spec->accept == NULL)
		(void)netns_is_free(j->net);
}

static void
keep_net(struct jail *j, const struct jail_spec *spec)
{
	if (spec->accept != NULL)
		j->net = NULL; /* not in it yet */
	else if (j->net != NULL)
		netns_keep(j->net, j->pid);
}

static void
close_pair(const int fds[2])
{
	int saved = errno;

	for (int i = 0; i < 2; i++) {
		if (fds[i] != -1)
			(void)close(fds[i]);
	}
	errno = saved;
}

static struct limits_usage *
share_usage(void)
{
	struct limits_usage *u = mmap(NULL, sizeof(*u), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return u != MAP_FAILED ? u : NULL;
}

int
jail_start(struct jail *j, const struct jail_spec *spec)
{
	int life[2] = {-1, -1}, report[2] = {-1, -1};

	jail_reset(j);
	choose_net(j, spec);
	if (filter_make(confine_inet(spec)) == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life) == -1 ||
	    pipe2(report, O_CLOEXEC) == -1)
		goto fail;
	j->usage = share_usage();
	if (j->usage == NULL)
		goto fail;
	/* Not clone3(2), which some machines' filters do not let through. */
	j->pid = (pid_t)syscall(SYS_clone, namespaces(spec, j), NULL, &j->pidfd,
	    NULL, 0);
	if (j->pid == 0)
		jail_child(spec, j, life[0], report[1]);
	if (j->pid == -1 || fcntl(report[0], F_SETFL, O_NONBLOCK) == -1)
		goto fail;
	keep_net(j, spec);
	(void)close(life[0]);
	(void)close(report[1]);
	j->lifeline = life[1];
	j->bare = spec->way == JAIL_BARE;
	j->report = report[0];
	return 0;
fail:
	close_pair(life);
	close_pair(report);
	return -1;
}

int
jail_release(struct jail *j)
{
	return send(j->lifeline, "", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

void
jail_kill(struct jail *j)
{
	if (j->lifeline != -1)
		(void)close(j->lifeline);
	j->lifeline = -1;
	if (j->bare)
		return;
	if (j->pidfd != -1 &&
	    syscall(SYS_pidfd_send_signal, j->pidfd, SIGKILL, NULL, 0) == -1 &&
	    errno != ESRCH)
		log_warn("the staging process %ld was not killed",
		    (long)j->pid);
}

int
jail_reap(struct jail *j, int ms, int *status)
{
	struct pollfd fd = {j->pidfd, POLLIN, 0};
	int ready;

	do
		ready = poll(&fd, 1, ms);
	while (ready == -1 && errno == EINTR);
	if (ready <= 0)
		return ready;
	if (waitpid(j->pid, status, 0) != j->pid)
		return -1;
	if (j->net != NULL)
		netns_leave(j->net);
	return 1;
}

bool
jail_was_killed(const struct jail *j, int ms)
{
	struct pollfd fd = {j->pidfd, POLLIN, 0};
	siginfo_t info = {0};

	return poll(&fd, 1, ms) == 1 &&
	       waitid(P_PIDFD, (id_t)j->pidfd, &info, WEXITED | WNOWAIT) == 0 &&
	       info.si_code == CLD_KILLED;
}

void
jail_close(struct jail *j)
{
	int *fds[] = {&j->pidfd, &j->lifeline, &j->report};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] != -1)
			(void)close(*fds[i]);
	}
	if (j->usage != NULL)
		(void)munmap(j->usage, sizeof(*j->usage));
	jail_reset(j);
}
