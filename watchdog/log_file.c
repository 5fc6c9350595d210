/* SPDX-License-Identifier: ISC */
/* Lines into files that are bounded in size and number. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/sys.h"
#include "watchdog/log_file.h"
#include "watchdog/logs.h"

void
log_file_open(struct log_file *f, const char *name)
{
	(void)strlcpy(f->name, name, sizeof f->name);
	f->fd = -1;
	f->bytes = 0;
	f->dropped = 0;
}

void
log_file_close(struct log_file *f)
{
	if (f->fd != -1)
		(void)close(f->fd);
	f->fd = -1;
}

static void
file_name(const struct log_file *f, int64_t n, char *out, size_t size)
{
	if (n == 0)
		(void)snprintf(out, size, "%s.log", f->name);
	else
		(void)snprintf(out, size, "%s.log.%" PRId64, f->name, n);
}

/* NAME.log.8 to .9, ... NAME.log to .1: keep files in all. A step that fails
 * costs old lines, never new ones. */
static void
shift_files(const struct logs *l, const struct log_file *f)
{
	char from[96], to[96];
	int64_t n;

	for (n = l->keep - 1; n > 0; n--) {
		file_name(f, n - 1, from, sizeof from);
		file_name(f, n, to, sizeof to);
		if (sys_renameat2(l->dir, from, l->dir, to, 0) == -1 &&
		    errno != ENOENT)
			break;
	}
	if (l->keep <= 1) {
		file_name(f, 0, from, sizeof from);
		(void)sys_unlinkat(l->dir, from, 0);
	}
}

static int
open_file(const struct logs *l, struct log_file *f)
{
	char name[96];
	struct stat st;

	file_name(f, 0, name, sizeof name);
	f->fd = sys_openat(l->dir, name,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
	    0640);
	if (f->fd == -1)
		return -1;
	f->bytes = fstat(f->fd, &st) == 0 ? st.st_size : 0;
	return 0;
}

static bool
prepare_file(const struct logs *l, struct log_file *f)
{
	if (f->fd != -1 && f->bytes >= l->max_bytes) {
		log_file_close(f);
		shift_files(l, f);
	}
	return f->fd != -1 || open_file(l, f) == 0;
}

static bool
put(const struct logs *l, struct log_file *f, const char *bytes, size_t len)
{
	ssize_t n;

	if (!prepare_file(l, f))
		return false;
	n = sys_write(f->fd, bytes, len);
	if (n > 0)
		f->bytes += n;
	return n == (ssize_t)len;
}

void
log_file_take(const struct logs *l, struct log_file *f, const char *line,
    size_t len)
{
	char note[LOGS_LOST];

	if (f->dropped > 0 &&
	    put(l, f, note, logs_lost(f->name, f->dropped, note)))
		f->dropped = 0;
	if (f->dropped > 0 || !put(l, f, line, len))
		f->dropped++;
}
