/* SPDX-License-Identifier: ISC */
/*
 * The file channel: one line an alert, one write, synced. The line ends with
 * the delivery's id, which is looked for in the file's tail first: a line
 * that was written before a crash is not written again.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/sys.h"
#include "common/utf8.h"

#define FILE_MODE 0640
#define TAIL_BYTES (1024 * 1024)

static void
make_line(const struct delivery *d, struct buf *line)
{
	message_words(d, SIZE_MAX, line);
	/* One line: what is no text becomes a blank. */
	utf8_blank_controls(line->bytes, line->len);
	buf_putc(line, '\n');
}

/* Is the id in the last part of the file? 1, 0, -1. *torn: the file does not
 * end with a newline. */
static int
look(int fd, const char *id, bool *torn)
{
	char needle[DELIVERY_ID_SIZE + 16];
	struct stat st;
	off_t start;
	ssize_t n;
	char *tail;
	int found;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(needle, sizeof needle, "[delivery %s]\n", id);
	start = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	tail = xmalloc(TAIL_BYTES);
	n = pread(fd, tail, TAIL_BYTES, start);
	found = n <= 0
		    ? (int)n
		    : memmem(tail, (size_t)n, needle, strlen(needle)) != NULL;
	*torn = n > 0 && tail[n - 1] != '\n';
	free(tail);
	return found;
}

static int
write_line(int fd, const struct delivery *d)
{
	struct buf line = {0};
	bool torn = false;
	int found = look(fd, d->id, &torn);
	int r = 0;

	if (found == -1)
		return -1;
	if (found == 0) {
		if (torn)
			buf_putc(&line, '\n');
		make_line(d, &line);
		r = spool_write(fd, line.bytes, line.len);
		buf_free(&line);
	}
	return r == -1 ? -1 : sys_fsync(fd);
}

/* The directory is made when only its last level is missing. */
static int
open_file(const char *path)
{
	const int flags =
	    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = sys_openat(AT_FDCWD, path, flags, FILE_MODE);
	char *dir, *slash;

	if (fd != -1 || errno != ENOENT)
		return fd;
	dir = xstrdup(path);
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		if (sys_mkdirat(AT_FDCWD, dir, 0750) == 0)
			fd = sys_openat(AT_FDCWD, path, flags, FILE_MODE);
	}
	free(dir);
	return fd;
}

void
channel_file_send(struct channel *c, const struct delivery *d, struct result *r)
{
	int fd = open_file(c->settings->path);

	r->answer = ANSWER_LATER;
	if (fd != -1 && write_line(fd, d) == 0)
		r->answer = ANSWER_OK;
	else
		(void)snprintf(r->error, sizeof r->error, "%.120s: %s",
		    c->settings->path, strerror(errno));
	if (fd != -1)
		(void)close(fd);
}
