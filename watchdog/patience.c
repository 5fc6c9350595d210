/* SPDX-License-Identifier: ISC */
/* A child goes ahead; we watch it and remain awake. */
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/log.h"
#include "watchdog/patience.h"
#include "watchdog/proc.h"
#include "watchdog/spawn.h"

#define LOCK "watchdog.lock"
#define TELL_STEPS 2 /* before somebody hears of it */
#define STEP_MS 1000
#define LOOK_NS 5000000

/* Whom the lock names; a number that another program has by now is nobody's.
 * One that is just being written is somebody's. */
static bool
is_held_by_somebody(int fd)
{
	char text[16] = "", path[48], name[32] = "";
	struct proc_stat st;
	pid_t pid;

	if (pread(fd, text, sizeof text - 1, 0) <= 0)
		return true;
	pid = (pid_t)strtol(text, NULL, 10);
	if (pid <= 0 || pid == getppid())
		return true;
	if (kill(pid, 0) == -1)
		return errno == EPERM;
	(void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	if (proc_read(path, name, sizeof name) == -1 ||
	    proc_stat(pid, &st) == -1)
		return true;
	return st.state != 'Z' && strcmp(name, "watchdog\n") == 0;
}

static void
wait_for_lock(int run)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	int fd = openat(run, LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1 &&
	       errno == EWOULDBLOCK && !is_held_by_somebody(fd))
		(void)nanosleep(&pause, NULL);
}

/* Whatever is wrong here is told by whoever comes behind us. */
static _Noreturn void
go_ahead(const struct settings *s, int out_fd, pid_t parent)
{
	const char **queues = settings_queue_names(s);
	char why[PATH_MAX] = "";
	struct tree t;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    dup2(out_fd, STDOUT_FILENO) == -1)
		_exit(EXIT_FATAL);
	closefrom(STDERR_FILENO + 1);
	(void)access(s->logs.directory, F_OK);
	if (tree_begin(s->spool, s->user) == 0 &&
	    tree_open(&t, s->spool, queues, s->queue_count, why) == 0 &&
	    write(STDOUT_FILENO, "x", 1) == 1)
		wait_for_lock(t.run);
	_exit(EXIT_DONE);
}

static void
tell(const struct settings *s, int from, int step)
{
	static bool is_open;
	char byte, text[PATH_MAX + 80];

	if (read(from, &byte, 1) == 1)
		is_open = true;
	(void)snprintf(text, sizeof text,
	    is_open ? "%s/run/" LOCK ": held until the records of a killed "
		      "supervisor are written, waiting"
		    : "%s: the disk of spool or logs does not answer, waiting",
	    s->spool);
	if (step == TELL_STEPS)
		log_warnx("%s", text);
	if (step >= TELL_STEPS)
		daemon_waiting(text);
}

static void
await(const struct settings *s, int pidfd, int from)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int step = 0;

	while (poll(&p, 1, STEP_MS) != 1)
		tell(s, from, ++step);
	if (step >= TELL_STEPS)
		log_info("%s: waited for, goes on", s->spool);
}

void
patience(const struct settings *s)
{
	pid_t parent = getpid(), pid;
	int fds[2], pidfd;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1)
		return;
	pid = fork();
	if (pid == 0)
		go_ahead(s, fds[1], parent);
	(void)close(fds[1]);
	pidfd = pid != -1 ? pidfd_open(pid, 0) : -1;
	if (pidfd != -1) {
		await(s, pidfd, fds[0]);
		(void)close(pidfd);
	}
	if (pid != -1)
		spawn_abandon(pid);
	(void)close(fds[0]);
}
