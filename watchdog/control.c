/* SPDX-License-Identifier: ISC */
/* The control socket's clients: connect, one line, one answer, gone. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

#define SOCKET_NAME "control.sock"
#define ACCEPT_PAUSE_MS 200

static void
drop(struct client *c)
{
	struct loop *l = &c->owner->loop;

	loop_unwatch(l, &c->watch);
	loop_cancel(l, &c->timer);
	(void)close(c->watch.fd);
	free(c->answer);
	c->answer = NULL;
	c->watch.fd = -1;
}

/* Takes the answer over. */
static void
begin_answer(struct client *c, char *answer)
{
	c->answer = answer;
	c->answer_len = strlen(answer);
	c->answer_sent = 0;
	c->watch.events = POLLOUT;
	loop_after(&c->owner->loop, &c->timer, CONTROL_CLIENT_MS);
}

static void
send_some(struct client *c)
{
	ssize_t n = send(c->watch.fd, c->answer + c->answer_sent,
	    c->answer_len - c->answer_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->answer_sent += (size_t)n;
	if (n <= 0 || c->answer_sent == c->answer_len)
		drop(c);
}

/* True when the request is whole (its newline is now a NUL). */
static bool
read_some(struct client *c)
{
	ssize_t n = recv(c->watch.fd, c->line + c->used,
	    sizeof c->line - 1 - c->used, MSG_DONTWAIT);
	char *end;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		drop(c);
		return false;
	}
	c->used += (size_t)n;
	c->line[c->used] = '\0';
	end = memchr(c->line, '\n', c->used);
	if (end != NULL) {
		*end = '\0';
		return true;
	}
	/* Too long for any request of ours. */
	if (c->used == sizeof c->line - 1)
		drop(c);
	return false;
}

/* False while its request is not whole; it may be gone then. */
static bool
serve(struct client *c)
{
	if (c->answer == NULL) {
		if (!read_some(c))
			return false;
		begin_answer(c, verb_answer(c->owner, c, c->line));
	}
	send_some(c);
	return true;
}

static void
on_client(struct loop *l, struct watch *watch, short revents)
{
	(void)l;
	(void)revents;
	(void)serve(watch->owner);
}

/* We may be the one who is late: what it has said in its time is still to be
 * heard. */
static void
on_client_late(struct loop *l, struct timer *t)
{
	struct client *c = t->owner;

	(void)l;
	if ((c->answer != NULL || !serve(c)) && c->watch.fd != -1)
		drop(c);
}

static size_t
places_of(const struct control *ctl, uid_t uid)
{
	size_t i, n = 0;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		n += ctl->clients[i].watch.fd != -1 &&
		     ctl->clients[i].uid == uid;
	return n;
}

/* A free place, or one of whoever has most of them, the oldest first: a crowd
 * of one user's crowds out itself and not the others. */
static struct client *
make_place(struct watchdog *w)
{
	struct control *ctl = &w->control;
	struct client *victim = &ctl->clients[0];
	size_t i, most = 0;

	for (i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *c = &ctl->clients[i];
		size_t places;

		if (c->watch.fd == -1)
			return c;
		places = places_of(ctl, c->uid);
		if (places < most ||
		    (places == most && c->timer.at_ms >= victim->timer.at_ms))
			continue;
		victim = c;
		most = places;
	}
	drop(victim);
	return victim;
}

static void
attend(struct client *c, int fd)
{
	struct loop *l = &c->owner->loop;

	c->watch = (struct watch){.fd = fd,
	    .events = POLLIN,
	    .on = on_client,
	    .owner = c};
	c->timer.on = on_client_late;
	c->timer.owner = c;
	loop_watch(l, &c->watch);
	loop_after(l, &c->timer, CONTROL_CLIENT_MS);
}

static void
seat(struct watchdog *w, int fd)
{
	struct client *c = make_place(w);
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof cred;

	memset(c, 0, sizeof *c);
	c->owner = w;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		log_warn("control: peer not known");
	c->uid = cred.uid;
	c->pid = cred.pid;
	attend(c, fd);
}

void
control_resume_client(struct watchdog *w, const struct client *was)
{
	struct client *c = make_place(w);

	memset(c, 0, sizeof *c);
	c->owner = w;
	c->uid = was->uid;
	c->pid = was->pid;
	c->used = strlcpy(c->line, was->line, sizeof c->line);
	attend(c, was->watch.fd);
}

static void
on_pause_over(struct loop *l, struct timer *t)
{
	struct watchdog *w = t->owner;

	loop_watch(l, &w->control.listen);
}

static void
on_connect(struct loop *l, struct watch *watch, short revents)
{
	struct watchdog *w = watch->owner;
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)revents;
	if (fd != -1) {
		seat(w, fd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* No descriptors: poll would say "ready" at once again, for ever. */
	loop_unwatch(l, watch);
	loop_after(l, &w->control.pause, ACCEPT_PAUSE_MS);
}

/* Through the directory's descriptor: an address holds 108 bytes only. The
 * umask makes it 0660 from its first moment. */
static int
bind_in_run(struct watchdog *w, int fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc;

	(void)unlinkat(w->tree->run, SOCKET_NAME, 0);
	(void)snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/%s",
	    w->tree->run, SOCKET_NAME);
	mask = umask(0117);
	rc = bind(fd, (const struct sockaddr *)&a, sizeof a);
	(void)umask(mask);
	return rc;
}

void
control_resume(struct watchdog *w, int listen_fd)
{
	struct control *ctl = &w->control;
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		ctl->clients[i].watch.fd = -1;
	ctl->listen = (struct watch){.fd = listen_fd,
	    .events = POLLIN,
	    .on = on_connect,
	    .owner = w};
	ctl->pause.on = on_pause_over;
	ctl->pause.owner = w;
	loop_watch(&w->loop, &ctl->listen);
}

int
control_open(struct watchdog *w)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (bind_in_run(w, fd) == -1 || listen(fd, 128) == -1) {
		(void)close(fd);
		return -1;
	}
	control_resume(w, fd);
	return 0;
}

bool
control_is_quiet(const struct watchdog *w)
{
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (w->control.clients[i].watch.fd != -1 &&
		    w->control.clients[i].answer != NULL)
			return false;
	return true;
}

void
control_close(struct watchdog *w)
{
	struct control *ctl = &w->control;
	size_t i;

	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (ctl->clients[i].watch.fd != -1)
			drop(&ctl->clients[i]);
	loop_cancel(&w->loop, &ctl->pause);
	loop_unwatch(&w->loop, &ctl->listen);
	if (ctl->listen.fd == -1)
		return;
	(void)close(ctl->listen.fd);
	ctl->listen.fd = -1;
	(void)unlinkat(w->tree->run, SOCKET_NAME, 0);
}
