/* SPDX-License-Identifier: ISC */
/* inotify folded into "look again": what an event says is never used. */
#include <sys/inotify.h>
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/hint.h"

#define HINT_EVENTS                                                            \
	(IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |    \
	    IN_DELETE_SELF | IN_MOVE_SELF)
#define HINT_LEFT (IN_MOVED_FROM | IN_DELETE)

#define HINT_GONE (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)

static int
watch_dir(const struct hint *h, const char *path)
{
	uint32_t mask = HINT_EVENTS | IN_ONLYDIR | IN_EXCL_UNLINK |
			(h->arrivals ? 0 : HINT_LEFT);

	return inotify_add_watch(h->watch.fd, path, mask) == -1 ? -1 : 0;
}

/* A directory that was watched has another name now, or none. */
static bool
some_gone(const char *events, size_t len)
{
	struct inotify_event e;

	for (size_t at = 0; at + sizeof e <= len; at += sizeof e + e.len) {
		memcpy(&e, events + at, sizeof e);
		if ((e.mask & HINT_GONE) != 0)
			return true;
	}
	return false;
}

static void
on_events(struct loop *l, struct watch *w, short revents)
{
	alignas(struct inotify_event) char events[4096];
	struct hint *h = w->owner;
	bool gone = false;

	(void)revents;
	/* All that is pending is one hint, IN_Q_OVERFLOW and IN_IGNORED too.
	 * The bound keeps a flood from holding the loop. */
	for (int rounds = 0; rounds < 64; rounds++) {
		ssize_t len = read(w->fd, events, sizeof events);

		if (len <= 0)
			break;
		gone = gone || some_gone(events, (size_t)len);
	}
	/* A directory may have been replaced under its name (tree_renew):
	 * those that are still watched are not watched twice. */
	for (size_t i = 0; gone && i < h->path_count; i++)
		(void)watch_dir(h, h->paths[i]);
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
	if (watch_dir(h, path) == -1)
		return -1;
	for (size_t i = 0; i < h->path_count; i++)
		if (strcmp(h->paths[i], path) == 0)
			return 0;
	h->paths =
	    xreallocarray(h->paths, h->path_count + 1, sizeof h->paths[0]);
	h->paths[h->path_count++] = xstrdup(path);
	return 0;
}

void
hint_close(struct hint *h, struct loop *l)
{
	int saved = errno;

	loop_unwatch(l, &h->watch);
	if (h->watch.fd != -1)
		(void)close(h->watch.fd);
	h->watch.fd = -1;
	for (size_t i = 0; i < h->path_count; i++)
		free(h->paths[i]);
	free(h->paths);
	h->paths = NULL;
	h->path_count = 0;
	errno = saved;
}
