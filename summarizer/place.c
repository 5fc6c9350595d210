/* SPDX-License-Identifier: ISC */
/*
 * Summaries as files outside the spool: in a directory destination, and as
 * the copy that final.summaryFile asks for. Whole or not at all: a hidden
 * file beside it, synced, then renamed.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"
#include "summarizer/summarizer.h"

#define PLACED_MODE 0644 /* summaries are for whoever may see the directory */

void
parcel_explain(struct parcel *p, const char *what)
{
	int saved = errno;
	char *text = xasprintf("%s: %s", what, strerror(saved));

	(void)strlcpy(p->why, text, sizeof p->why);
	free(text);
	errno = saved;
}

/* A synced file; what an earlier crash left under the name is replaced. */
static int
write_hidden(int dir, const char *hidden, const struct parcel *p)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = sys_openat(dir, hidden, flags, PLACED_MODE);
	int saved;

	if (fd == -1 && errno == EEXIST && sys_unlinkat(dir, hidden, 0) == 0)
		fd = sys_openat(dir, hidden, flags, PLACED_MODE);
	if (fd == -1)
		return -1;
	if (sys_fchmod(fd, PLACED_MODE) == -1 ||
	    spool_write(fd, p->bytes, p->len) == -1 || sys_fsync(fd) == -1) {
		saved = errno;
		(void)close(fd);
		(void)sys_unlinkat(dir, hidden, 0);
		errno = saved;
		return -1;
	}
	return sys_close(fd);
}

/* 1: name holds p's bytes; 0: other ones; -1: cannot be read. */
static int
holds_same(int dir, const char *name, const struct parcel *p)
{
	struct spool_file file;
	int r = spool_read(dir, name, SPOOL_FILE_MAX, true, &file);

	if (r == -1 && (errno == EFBIG || errno == EPERM))
		return 0;
	if (r != 1)
		return -1;
	r = file.len == p->len && memcmp(file.bytes, p->bytes, p->len) == 0;
	spool_file_free(&file);
	return r;
}

/* Is what stands at name a summary of ours, whole, that may be replaced? */
static bool
holds_summary(int dir, const char *name)
{
	struct parcel old = {0};
	bool ours = summary_load(dir, name, &old) == 1;

	parcel_free(&old);
	return ours;
}

/*
 * Nobody overwrites what is not ours: 1 the bytes are there already, 0 the
 * name is free to be taken, -1 (EEXIST) it holds something else.
 */
static int
may_place(int dir, const char *name, const struct parcel *p, bool replace)
{
	int same;

	if (!spool_exists(dir, name))
		return 0;
	same = holds_same(dir, name, p);
	if (same != 0)
		return same;
	if (replace && holds_summary(dir, name))
		return 0;
	errno = EEXIST;
	return -1;
}

/* Hidden file, rename, directory sync, and a look at what is there then. */
static int
put_whole(int dir, const char *name, const struct parcel *p, bool replace)
{
	char hidden[NAME_MAX + 1];
	int saved;

	if (snprintf(hidden, sizeof hidden, ".%s.part", name) >=
	    (int)sizeof hidden) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (write_hidden(dir, hidden, p) == -1)
		return -1;
	if (sys_renameat2(dir, hidden, dir, name,
		replace ? 0 : RENAME_NOREPLACE) == -1) {
		saved = errno;
		(void)sys_unlinkat(dir, hidden, 0);
		errno = saved;
		return -1;
	}
	if (sys_fsync(dir) == -1)
		return -1;
	if (holds_same(dir, name, p) == 1)
		return 0;
	errno = EIO;
	return -1;
}

int
place_file(int dir, const char *name, const struct parcel *p, bool replace)
{
	int r = may_place(dir, name, p, replace);

	if (r == 1)
		return sys_fsync(dir);
	return r == 0 ? put_whole(dir, name, p, replace) : -1;
}

/* The directory, made when only its last level is missing: a missing parent
 * is more likely an unmounted disk. */
static int
open_directory(const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = open(path, flags);

	if (fd == -1 && errno == ENOENT &&
	    sys_mkdirat(AT_FDCWD, path, 0755) == 0)
		fd = open(path, flags);
	return fd;
}

/*
 * Another queue's summary of the same id, or one of an earlier life of the
 * spool, may have the name: this one then carries its queue and KEY's time.
 */
static void
other_name(const struct parcel *p, char *out, size_t size)
{
	const char *key = json_string_value(json_object_get(p->front, "key"));
	size_t stem = strlen(p->name) - strlen(".md");

	(void)snprintf(out, size, "%.*s-%s-%.16s.md", (int)stem, p->name,
	    p->queue->name, key == NULL ? "" : key);
}

enum delivery
place_directory(struct destination *d, struct parcel *p)
{
	char name[NAME_MAX + 1];
	int dir = open_directory(d->settings->path);
	enum delivery answer;
	int r;

	if (dir == -1) {
		parcel_explain(p, d->settings->path);
		return LATER;
	}
	(void)strlcpy(name, p->name, sizeof name);
	r = place_file(dir, name, p, false);
	if (r == -1 && errno == EEXIST) {
		other_name(p, name, sizeof name);
		r = place_file(dir, name, p, false);
	}
	answer = r == 0 ? DELIVERED : errno == EEXIST ? REFUSED : LATER;
	if (r == -1)
		parcel_explain(p, name);
	else
		(void)snprintf(p->where, sizeof p->where, "%s/%s",
		    d->settings->path, name);
	(void)close(dir);
	return answer;
}
