/* SPDX-License-Identifier: ISC */
/* Heartbeats and log lines of one service. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/channel.h"
#include "watchdog/watchdog.h"

#define MESSAGES_A_TURN 256
#define LOG_READS_A_TURN 4

static void
heed(struct service *s, const struct notify *n, int64_t at_ms)
{
	s->beat_ms = at_ms;
	if (n->has_work)
		s->work = n->work;
	if (n->beat)
		s->busy_ms = n->busy_ms;
	if (n->has_status)
		/* Of one size; no library's page comes into memory for it. */
		memcpy(s->status, n->status, sizeof s->status);
	if (n->ready)
		supervise_feed(s, FSM_EV_READY);
	if (n->beat)
		supervise_feed(s, FSM_EV_BEAT);
}

/* What the kernel says beside a message: who sent it, and when (wall). */
struct stamp {
	pid_t pid;
	int64_t at_us;
};

static struct stamp
read_stamp(struct msghdr *m)
{
	struct stamp st = {0};
	struct cmsghdr *c;
	struct ucred cred;
	struct timeval at;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(c), sizeof cred);
			st.pid = cred.pid;
		} else if (c->cmsg_type == SCM_TIMESTAMP) {
			memcpy(&at, CMSG_DATA(c), sizeof at);
			st.at_us = at.tv_sec * INT64_C(1000000) + at.tv_usec;
		}
	}
	return st;
}

/* 1 a message (heard or not), 0 none is waiting. */
static int
receive(struct service *s)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) +
			   CMSG_SPACE(sizeof(struct timeval))];
	} control;
	char text[NOTIFY_MAX + 1];
	struct iovec iov = {.iov_base = text, .iov_len = sizeof text};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	int64_t now = clock_mono_ms();
	struct notify said;
	struct stamp st;
	ssize_t n;

	/* Descriptors sent along do not fit into control: the kernel drops
	 * them. */
	n = recvmsg(s->notify_watch.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return errno == EINTR;
	/* Only the daemon itself speaks for itself: not its children, and not
	 * the one that had the name before. */
	st = read_stamp(&m);
	if (s->pid != 0 && st.pid == s->pid &&
	    notify_parse(text, (size_t)n, &said))
		heed(s, &said,
		    notify_arrival(now, clock_wall_us() - st.at_us,
			s->listened_ms));
	return 1;
}

void
service_listen(struct service *s)
{
	int limit = MESSAGES_A_TURN;

	while (limit-- > 0 && receive(s) == 1)
		continue;
	s->listened_ms = clock_mono_ms();
}

void
channel_attend(struct service *s)
{
	if (s->fsm.state == FSM_STARTING)
		loop_watch(&s->owner->loop, &s->notify_watch);
	else
		loop_unwatch(&s->owner->loop, &s->notify_watch);
}

static void
on_notify(struct loop *l, struct watch *watch, short revents)
{
	struct service *s = watch->owner;
	struct watchdog *w = s->owner;

	(void)l;
	(void)revents;
	service_listen(s);
	supervise_settle(w);
}

static void
on_log(struct loop *l, struct watch *watch, short revents)
{
	struct service *s = watch->owner;
	char bytes[8192];
	int limit = LOG_READS_A_TURN;
	ssize_t n;

	(void)l;
	(void)revents;
	/* A few reads and then the others: a flood must not hold the loop. */
	while (limit-- > 0) {
		n = read(watch->fd, bytes, sizeof bytes);
		if (n <= 0)
			return;
		log_sink_take(&s->owner->logs, &s->log, bytes, (size_t)n);
	}
}

void
service_read_log(struct service *s)
{
	on_log(&s->owner->loop, &s->log_watch, POLLIN);
}

/*
 * In run/, where only the suite's own users come; through /proc, since an
 * address holds 108 bytes and a spool's path may be longer.
 */
static int
bind_path(struct service *s, int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct tree *t = s->owner->tree;
	char name[80];
	int n;

	(void)snprintf(name, sizeof name, "%s.notify", s->name);
	n = snprintf(s->notify_path, sizeof s->notify_path, "%s/run/%s",
	    t->path, name);
	if (n < 0 || (size_t)n >= sizeof s->notify_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)unlinkat(t->run, name, 0);
	(void)strlcpy(a.sun_path, s->notify_path, sizeof a.sun_path);
	if (bind(fd, (const struct sockaddr *)&a, sizeof a) == -1)
		return -1;
	return fchmodat(t->run, name, 0600, 0);
}

/* For a spool whose path is too long: a name that the kernel chooses. */
static int
bind_abstract(struct service *s, int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa_family_t);
	size_t name;

	if (bind(fd, (const struct sockaddr *)&a, len) == -1)
		return -1;
	len = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		return -1;
	name = (size_t)len - offsetof(struct sockaddr_un, sun_path);
	if (name < 2 || name >= sizeof s->notify_path) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	memcpy(s->notify_path, a.sun_path, name);
	s->notify_path[0] = '@';
	s->notify_path[name] = '\0';
	return 0;
}

static int
open_notify(struct service *s)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd == -1)
		return -1;
	if ((bind_path(s, fd) == -1 && bind_abstract(s, fd) == -1) ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMP, &yes, sizeof yes) == -1) {
		(void)close(fd);
		return -1;
	}
	s->notify_watch.fd = fd;
	return 0;
}

void
channel_resume(struct service *s)
{
	s->notify_watch = (struct watch){.fd = s->notify_watch.fd,
	    .events = POLLIN,
	    .on = on_notify,
	    .owner = s};
	s->log_watch = (struct watch){.fd = s->log_watch.fd,
	    .events = POLLIN,
	    .on = on_log,
	    .owner = s};
	loop_watch(&s->owner->loop, &s->log_watch);
}

int
channel_open(struct service *s)
{
	int fds[2];

	if (open_notify(s) == -1)
		return -1;
	if (pipe2(fds, O_CLOEXEC) == -1 ||
	    fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1) {
		(void)close(s->notify_watch.fd);
		return -1;
	}
	s->log_fd = fds[1];
	s->log_watch.fd = fds[0];
	channel_resume(s);
	return 0;
}

void
channel_give(struct service *s, struct spawn *sp)
{
	uid_t uid = sp->who->numbers.account.uid;

	if (s->notify_path[0] == '@' || s->given_uid == uid)
		return;
	s->given_uid = uid;
	sp->give_dir = s->owner->tree->run;
	sp->give = strrchr(s->notify_path, '/') + 1;
}

void
channel_close(struct service *s)
{
	struct loop *l = &s->owner->loop;
	char name[80];

	/* What the daemon wrote before it died is still in the pipe. */
	service_read_log(s);
	loop_unwatch(l, &s->notify_watch);
	loop_unwatch(l, &s->log_watch);
	(void)close(s->notify_watch.fd);
	(void)close(s->log_watch.fd);
	(void)close(s->log_fd);
	(void)snprintf(name, sizeof name, "%s.notify", s->name);
	if (s->notify_path[0] != '@' && !writer_hangs(s->owner))
		(void)unlinkat(s->owner->tree->run, name, 0);
}
