/* SPDX-License-Identifier: ISC */
/* Children with a deadline. */
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/log.h"
#include "watchdog/errand.h"
#include "watchdog/watchdog.h"

static void
let_go(struct errand *h)
{
	loop_unwatch(&h->owner->loop, &h->exit);
	loop_cancel(&h->owner->loop, &h->deadline);
	TAILQ_REMOVE(&h->owner->errands, h, link);
	(void)close(h->pidfd);
	(void)close(h->out_fd);
	h->pid = 0;
}

/* The pipe holds more than we keep, so nobody waits for us to read it. */
static void
read_output(struct errand *h)
{
	ssize_t n;

	do {
		n = read(h->out_fd, h->output + h->used,
		    ERRAND_OUTPUT - h->used);
		if (n > 0)
			h->used += (size_t)n;
	} while (n > 0 && h->used < ERRAND_OUTPUT);
	h->output[h->used] = '\0';
}

static void
on_exit_seen(struct loop *l, struct watch *watch, short revents)
{
	struct errand *h = watch->owner;
	siginfo_t si = {0};
	bool told = h->late;

	(void)l;
	(void)revents;
	if (waitid(P_PIDFD, (id_t)h->pidfd, &si, WEXITED | WNOHANG) == 0 &&
	    si.si_pid == 0)
		return;
	read_output(h);
	let_go(h);
	h->owner->check.spent = h->owner->rests = true;
	if (!told)
		h->done(h, si.si_code == CLD_EXITED ? si.si_status
						    : 128 + si.si_status);
}

static void
on_deadline(struct loop *l, struct timer *t)
{
	struct errand *h = t->owner;

	(void)l;
	(void)pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0);
	read_output(h);
	h->late = true;
	h->done(h, ERRAND_LATE);
}

static void
hold(struct errand *h, const struct spawned *made, int64_t limit_ms)
{
	struct loop *l = &h->owner->loop;

	h->pid = made->pid;
	h->pidfd = made->pidfd;
	h->late = false;
	h->used = 0;
	h->output[0] = '\0';
	h->exit = (struct watch){.fd = h->pidfd,
	    .events = POLLIN,
	    .on = on_exit_seen,
	    .owner = h};
	h->deadline.on = on_deadline;
	h->deadline.owner = h;
	TAILQ_INSERT_TAIL(&h->owner->errands, h, link);
	loop_watch(l, &h->exit);
	loop_after(l, &h->deadline, limit_ms);
}

/* 0 with both ends of the output's pipe, or -1 with errno. */
static int
open_output(struct errand *h, int fds[2])
{
	if (h->pid != 0) {
		errno = EBUSY;
		return -1;
	}
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

static int
give_up(const int fds[2])
{
	int saved = errno;

	(void)close(fds[0]);
	(void)close(fds[1]);
	errno = saved;
	return -1;
}

int
errand_run(struct errand *h, struct spawn *sp, int64_t limit_ms)
{
	struct spawned made;
	int fds[2];

	if (open_output(h, fds) == -1)
		return -1;
	sp->out_fd = fds[1];
	if (spawn_start(sp, &made) == -1)
		return give_up(fds);
	(void)close(fds[1]);
	/* Why an exec failed is told by the exit status: 126. */
	(void)close(made.error_fd);
	h->out_fd = fds[0];
	hold(h, &made, limit_ms);
	return 0;
}

static void
close_one(int fd)
{
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

void
errand_let_go(struct watchdog *w)
{
	const struct service *s;
	const struct errand *h;
	size_t i;

	close_one(w->control.listen.fd);
	for (i = 0; i < CONTROL_CLIENTS; i++)
		close_one(w->control.clients[i].watch.fd);
	close_one(w->loop.signal_fd);
	TAILQ_FOREACH (s, &w->services, link) {
		close_one(s->pidfd);
		close_one(s->error_fd);
		close_one(s->notify_watch.fd);
		close_one(s->log_watch.fd);
		close_one(s->log_fd);
	}
	TAILQ_FOREACH (h, &w->errands, link) {
		close_one(h->pidfd);
		close_one(h->out_fd);
	}
}

static void
close_rest(struct errand *h)
{
	if (!h->in_tree) {
		closefrom(STDERR_FILENO + 1);
		return;
	}
	errand_let_go(h->owner);
	close_one(h->owner->opts->lock_fd);
}

static _Noreturn void
run_work(struct errand *h, int (*work)(void *, int), void *arg, pid_t parent)
{
	/* Should the kernel hold it for long, it holds no lock of ours. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent ||
	    dup2(h->out_fd, STDOUT_FILENO) == -1)
		_exit(EXIT_FATAL);
	close_rest(h);
	_exit(work(arg, STDOUT_FILENO));
}

int
errand_fork(struct errand *h, int (*work)(void *arg, int out_fd), void *arg,
    int64_t limit_ms)
{
	struct spawned made;
	pid_t parent = getpid();
	int fds[2];

	if (open_output(h, fds) == -1)
		return -1;
	h->out_fd = fds[1];
	made.pid = fork();
	if (made.pid == 0)
		run_work(h, work, arg, parent);
	if (made.pid == -1)
		return give_up(fds);
	made.pidfd = pidfd_open(made.pid, 0);
	if (made.pidfd == -1) {
		spawn_abandon(made.pid);
		return give_up(fds);
	}
	(void)close(fds[1]);
	h->out_fd = fds[0];
	hold(h, &made, limit_ms);
	return 0;
}

void
errand_end(struct errand *h)
{
	siginfo_t si = {0};

	if (h->pid == 0)
		return;
	/* Not waited for longer than it takes one that can die: the kernel
	 * may hold it for hours, and init inherits it then. */
	(void)pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0);
	(void)poll(&(struct pollfd){.fd = h->pidfd, .events = POLLIN}, 1, 100);
	(void)waitid(P_PIDFD, (id_t)h->pidfd, &si, WEXITED | WNOHANG);
	let_go(h);
}
