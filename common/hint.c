/* SPDX-License-Identifier: ISC */
/* inotify folded into "look again": what an event says is never used. */
#include <sys/inotify.h>
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

#include "common/hint.h"

#define HINT_EVENTS                                                            \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY |     \
	    IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

static void
on_events(struct loop *l, struct watch *w, short revents)
{
	alignas(struct inotify_event) char events[4096];
	struct hint *h = w->owner;

	(void)revents;
	/* All that is pending is one hint, IN_Q_OVERFLOW and IN_IGNORED too.
	 * The bound keeps a flood from holding the loop. */
	for (int rounds = 0; rounds < 64; rounds++)
		if (read(w->fd, events, sizeof events) <= 0)
			break;
	if (!l->stop)
		h->on(h);
}

int
hint_open(struct hint *h, struct loop *l, void *owner,
    void (*on)(struct hint *))
{
	memset(h, 0, sizeof *h);
	h->on = on;
	h->owner = owner;
	h->watch.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (h->watch.fd == -1)
		return -1;
	h->watch.events = POLLIN;
	h->watch.on = on_events;
	h->watch.owner = h;
	loop_watch(l, &h->watch);
	return 0;
}

int
hint_dir(struct hint *h, const char *path)
{
	if (h->watch.fd == -1) {
		errno = EBADF;
		return -1;
	}
	return inotify_add_watch(h->watch.fd, path,
		   HINT_EVENTS | IN_ONLYDIR | IN_EXCL_UNLINK) == -1
		   ? -1
		   : 0;
}

void
hint_close(struct hint *h, struct loop *l)
{
	int saved = errno;

	loop_unwatch(l, &h->watch);
	if (h->watch.fd != -1)
		(void)close(h->watch.fd);
	h->watch.fd = -1;
	errno = saved;
}
