/* SPDX-License-Identifier: ISC */
/*
 * Journals. Every failure is swallowed here and nowhere else: a full disk
 * may cost us the view of what happened, never the work.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/journal.h"
#include "common/sys.h"

#define FILE_NAME_SIZE (sizeof(((struct journal *)0)->name) + 16)

static void
file_name(const struct journal *j, int generation, char *out)
{
	if (generation == 0)
		(void)snprintf(out, FILE_NAME_SIZE, "%s.log", j->name);
	else
		(void)snprintf(out, FILE_NAME_SIZE, "%s.log.%d", j->name,
		    generation);
}

/* A crash or a full disk may have left half a line: end it, so that the next
 * one is whole. */
static void
end_torn_line(int fd)
{
	struct stat st;
	char last;

	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		(void)sys_write(fd, "\n", 1);
}

static int
reopen(struct journal *j)
{
	char name[FILE_NAME_SIZE];

	if (j->fd != -1)
		(void)close(j->fd);
	file_name(j, 0, name);
	j->fd = sys_openat(j->dir, name,
	    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0640);
	if (j->fd != -1)
		end_torn_line(j->fd);
	return j->fd == -1 ? -1 : 0;
}

int
journal_open(struct journal *j, int dir, const char *name, int64_t max_bytes,
    int keep)
{
	*j = (struct journal){.dir = dir,
	    .fd = -1,
	    .max_bytes = max_bytes,
	    .keep = keep};
	if (strlcpy(j->name, name, sizeof(j->name)) >= sizeof(j->name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return reopen(j);
}

/* NAME.log -> NAME.log.1 -> ... ; the one beyond keep is overwritten. */
static void
rotate(struct journal *j)
{
	char from[FILE_NAME_SIZE], to[FILE_NAME_SIZE];

	for (int i = j->keep; i > 0; i--) {
		file_name(j, i - 1, from);
		file_name(j, i, to);
		(void)sys_renameat2(j->dir, from, j->dir, to, 0);
	}
	if (j->keep == 0) {
		file_name(j, 0, from);
		(void)sys_unlinkat(j->dir, from, 0);
	}
	(void)reopen(j);
}

/* A file that somebody moved away or that grew to its size is left. */
static void
freshen(struct journal *j)
{
	struct stat st;

	if (j->fd == -1 || fstat(j->fd, &st) == -1 || st.st_nlink == 0)
		(void)reopen(j);
	else if (j->max_bytes > 0 && st.st_size >= j->max_bytes)
		rotate(j);
}

static char *
line_at(int64_t at_us, const char *event, json_t *fields, size_t *len)
{
	char at[ISO_TIME_SIZE];
	json_t *doc;
	char *line;

	clock_iso(at_us, at);
	doc = json_pack("{s:s,s:s}", "at", at, "event", event);
	if (json_is_object(fields))
		(void)json_object_update_missing(doc, fields);
	line = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	json_decref(fields);
	if (line == NULL)
		return NULL;
	*len = strlen(line) + 1;
	line[*len - 1] = '\n'; /* where the NUL was: one write, one line */
	return line;
}

char *
journal_line(const char *event, json_t *fields, size_t *len)
{
	return line_at(clock_wall_us(), event, fields, len);
}

void
journal_append(struct journal *j, const char *line, size_t len)
{
	int saved = errno;
	ssize_t n;

	freshen(j);
	if (j->fd != -1) {
		n = sys_write(j->fd, line, len);
		if (n >= 0 && (size_t)n != len)
			end_torn_line(j->fd);
	}
	errno = saved;
}

void
journal_write_at(struct journal *j, int64_t at_us, const char *event,
    json_t *fields)
{
	int saved = errno;
	size_t len = 0;
	char *line = line_at(at_us, event, fields, &len);

	if (line != NULL)
		journal_append(j, line, len);
	free(line);
	errno = saved;
}

void
journal_write(struct journal *j, const char *event, json_t *fields)
{
	journal_write_at(j, clock_wall_us(), event, fields);
}

void
journal_close(struct journal *j)
{
	if (j->fd != -1)
		(void)close(j->fd);
	j->fd = -1;
}
