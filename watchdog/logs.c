/* SPDX-License-Identifier: ISC */
/* Lines from pipes into files that are bounded in size and number. */
#include <sys/stat.h>
#include <errno.h>
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
	s->bytes = 0;
	s->dropped = 0;
	s->used = 0;
	s->tail_used = 0;
	(void)strlcpy(s->name, name, sizeof s->name);
	s->fd = -1;
}

void
log_sink_close(struct log_sink *s)
{
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
}

static void
sink_name(const struct log_sink *s, int64_t n, char *out, size_t size)
{
	if (n == 0)
		(void)snprintf(out, size, "%s.log", s->name);
	else
		(void)snprintf(out, size, "%s.log.%" PRId64, s->name, n);
}

/* NAME.log.8 to .9, ... NAME.log to .1: keep files in all. A step that fails
 * costs old lines, never new ones. */
static void
shift_files(const struct logs *l, const struct log_sink *s)
{
	char from[96], to[96];
	int64_t n;

	for (n = l->keep - 1; n > 0; n--) {
		sink_name(s, n - 1, from, sizeof from);
		sink_name(s, n, to, sizeof to);
		if (sys_renameat2(l->dir, from, l->dir, to, 0) == -1 &&
		    errno != ENOENT)
			break;
	}
	if (l->keep <= 1) {
		sink_name(s, 0, from, sizeof from);
		(void)sys_unlinkat(l->dir, from, 0);
	}
}

static int
open_file(const struct logs *l, struct log_sink *s)
{
	char name[96];
	struct stat st;

	sink_name(s, 0, name, sizeof name);
	s->fd = sys_openat(l->dir, name,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0640);
	if (s->fd == -1)
		return -1;
	s->bytes = fstat(s->fd, &st) == 0 ? st.st_size : 0;
	return 0;
}

static bool
prepare_file(const struct logs *l, struct log_sink *s)
{
	if (s->fd != -1 && s->bytes >= l->max_bytes) {
		log_sink_close(s);
		shift_files(l, s);
	}
	return s->fd != -1 || open_file(l, s) == 0;
}

/* A pipe that says it is writable takes PIPE_BUF bytes without blocking. */
static bool
stderr_has_room(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static bool
put(const struct logs *l, struct log_sink *s, const char *bytes, size_t len)
{
	bool file = l->dir != -1;
	ssize_t n;

	if (file ? !prepare_file(l, s) : !stderr_has_room())
		return false;
	n = sys_write(file ? s->fd : STDERR_FILENO, bytes, len);
	if (n > 0 && file)
		s->bytes += n;
	return n == (ssize_t)len;
}

static bool
hand_on(struct logs *l, struct log_sink *s, const char *line, size_t len)
{
	return collector_take(&l->collector, s->name, line, len) ||
	       put(l, s, line, len);
}

/* The count of lost lines goes before the next one that fits. */
static void
put_line(struct logs *l, struct log_sink *s)
{
	char note[128];
	int n;

	if (s->dropped > 0) {
		n = snprintf(note, sizeof note,
		    "watchdog: %s: lines lost, count %" PRIu64 "\n", s->name,
		    s->dropped);
		if (hand_on(l, s, note, (size_t)n))
			s->dropped = 0;
	}
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

void
log_sink_adopt_stderr(struct logs *l, struct log_sink *s)
{
	struct stat st;

	if (l->dir == -1)
		return;
	/* log.c writes to fd 2 behind the sink's back: ask for the size. */
	if (s->fd != -1 && fstat(s->fd, &st) == 0)
		s->bytes = st.st_size;
	if (s->fd != -1 && s->bytes < l->max_bytes)
		return;
	if (prepare_file(l, s))
		(void)dup2(s->fd, STDERR_FILENO);
}
