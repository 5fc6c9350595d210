/* SPDX-License-Identifier: ISC */
/* Lines from pipes, as they come, to where they belong. */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"
#include "common/sys.h"
#include "watchdog/logs.h"

int
logs_open(struct logs *l, const char *directory, int64_t max_bytes,
    int64_t keep)
{
	l->dir = -1;
	l->max_bytes = max_bytes;
	l->keep = keep;
	if (directory == NULL || directory[0] == '\0')
		return 0;
	if (spool_make(AT_FDCWD, directory, 0750) == -1)
		return -1;
	l->dir = spool_dir(AT_FDCWD, directory);
	return l->dir == -1 ? -1 : 0;
}

void
logs_close(struct logs *l)
{
	if (l->dir != -1)
		(void)close(l->dir);
	l->dir = -1;
}

void
log_sink_open(struct log_sink *s, const char *name)
{
	/* Not the line: its page is touched when there is one. */
	s->dropped = 0;
	s->used = 0;
	s->tail_used = 0;
	(void)strlcpy(s->name, name, sizeof s->name);
}

/* A pipe that says it is writable takes PIPE_BUF bytes without blocking. */
static bool
stderr_has_room(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static bool
put(struct logs *l, const char *name, const char *bytes, size_t len)
{
	if (l->dir != -1)
		return l->file(l->file_arg, name, bytes, len);
	return stderr_has_room() &&
	       sys_write(STDERR_FILENO, bytes, len) == (ssize_t)len;
}

static bool
hand_on(struct logs *l, struct log_sink *s, const char *line, size_t len)
{
	return collector_take(&l->collector, s->name, line, len) ||
	       put(l, s->name, line, len);
}

size_t
logs_lost(const char *name, uint64_t count, char line[LOGS_LOST])
{
	int n = snprintf(line, LOGS_LOST,
	    "watchdog: %s: lines lost, count %" PRIu64 "\n", name, count);

	return (size_t)n;
}

/* The count of lost lines goes before the next one that fits. */
static void
put_line(struct logs *l, struct log_sink *s)
{
	char note[LOGS_LOST];

	if (s->dropped > 0 &&
	    hand_on(l, s, note, logs_lost(s->name, s->dropped, note)))
		s->dropped = 0;
	if (s->dropped > 0 || !hand_on(l, s, s->line, s->used))
		s->dropped++;
	s->used = 0;
}

static void
keep_tail(struct log_sink *s, const char *bytes, size_t len)
{
	const size_t room = sizeof s->tail;

	if (len > room) {
		bytes += len - room;
		len = room;
	}
	if (s->tail_used + len > room) {
		size_t gone = s->tail_used + len - room;

		memmove(s->tail, s->tail + gone, s->tail_used - gone);
		s->tail_used -= gone;
	}
	memcpy(s->tail + s->tail_used, bytes, len);
	s->tail_used += len;
}

void
log_sink_take(struct logs *l, struct log_sink *s, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	keep_tail(s, bytes, len);
	while (bytes < end) {
		size_t room = sizeof s->line - 1 - s->used;
		size_t n =
		    (size_t)(end - bytes) < room ? (size_t)(end - bytes) : room;
		const char *nl = memchr(bytes, '\n', n);

		if (nl != NULL)
			n = (size_t)(nl - bytes) + 1;
		memcpy(s->line + s->used, bytes, n);
		s->used += n;
		bytes += n;
		/* A line that does not fit is cut into two. */
		if (nl == NULL && s->used == sizeof s->line - 1)
			s->line[s->used++] = '\n';
		if (s->line[s->used - 1] == '\n')
			put_line(l, s);
	}
}
