/* SPDX-License-Identifier: ISC */
/*
 * Files that are appended to, truncated, rotated, replaced and copied behind
 * our back. The content before the cursor decides, not the inode: a file with
 * the same beginning is the same chat, one without it is another.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/transcript.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define TRANSCRIPT_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define ROTATED_LOOKS 65536 /* names in the folder, at most */

static int
read_exactly(int fd, char *bytes, size_t len, off_t at)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n =
		    pread(fd, bytes + have, len - have, at + (off_t)have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return 0;
}

int
transcript_print(int fd, off_t offset, char out[DIGEST_SIZE])
{
	char bytes[2 * TRANSCRIPT_PRINT];
	off_t len = offset < TRANSCRIPT_PRINT ? offset : TRANSCRIPT_PRINT;
	size_t n = (size_t)len;

	if (read_exactly(fd, bytes, n, 0) == -1 ||
	    read_exactly(fd, bytes + n, n, offset - len) == -1)
		return -1;
	digest_bytes(bytes, 2 * n, out);
	return 0;
}

static bool
fits(int fd, const struct stat *st, const struct cursor *c)
{
	char print[DIGEST_SIZE];

	return st->st_size >= c->offset &&
	       transcript_print(fd, c->offset, print) == 0 &&
	       strcmp(print, c->print) == 0;
}

static bool
same_file(const struct stat *st, const struct cursor *c)
{
	return st->st_dev == c->dev && st->st_ino == c->ino;
}

/* The cursor's file under the name that entry has; -1. */
static int
open_candidate(int dir, const char *name, const struct source *s,
    struct stat *st)
{
	int fd = openat(dir, name, TRANSCRIPT_FLAGS | O_NOFOLLOW);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	    same_file(st, &s->cursor) && fits(fd, st, &s->cursor))
		return fd;
	(void)close(fd);
	return -1;
}

/* After a restart: a rotated transcript that kept its inode and stayed in its
 * folder. */
static int
find_in_folder(const struct source *s, struct stat *st)
{
	const char *slash = strrchr(s->set->path, '/');
	char *folder =
	    slash == NULL || slash == s->set->path
		? xstrdup(slash == NULL ? "." : "/")
		: xstrndup(s->set->path, (size_t)(slash - s->set->path));
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int fd = -1;

	free(folder);
	if (dir == NULL)
		return -1;
	for (int i = 0; fd == -1 && i < ROTATED_LOOKS; i++) {
		entry = readdir(dir);
		if (entry == NULL)
			break;
		if (entry->d_ino == s->cursor.ino)
			fd = open_candidate(dirfd(dir), entry->d_name, s, st);
	}
	(void)closedir(dir);
	return fd;
}

/* The cursor's file under whatever name, or none: moved elsewhere or deleted,
 * the descriptor still has its rest. */
static int
find_rotated(const struct source *s, struct stat *st)
{
	if (s->kept != -1 && fstat(s->kept, st) == 0 &&
	    same_file(st, &s->cursor) && fits(s->kept, st, &s->cursor))
		return fcntl(s->kept, F_DUPFD_CLOEXEC, 0);
	return find_in_folder(s, st);
}

static void
start_over(struct source *s, struct desk *k, const char *event)
{
	log_info("%s: %s, offset %lld, read from the start", s->label, event,
	    (long long)s->cursor.offset);
	journal_write(&k->journal, event,
	    json_pack("{s:s, s:I}", "source", s->label, "offset",
		(json_int_t)s->cursor.offset));
	source_rewind(s);
}

static void
report_missing(struct source *s, struct desk *k, bool once)
{
	int64_t now = clock_mono_ms();
	char *why;

	if (s->missed_ms == 0)
		s->missed_ms = now;
	s->idle = false;
	/* A rotation leaves a gap between rename and create: no news yet. */
	if (!once && s->cursor.ino != 0 &&
	    now - s->missed_ms < k->set->bridge.poll)
		return;
	why = xasprintf("%s does not exist; it is taken up when it appears",
	    s->set->path);
	source_troubled(s, k, SOURCE_MISSING, why);
	free(why);
}

static void
report_unreadable(struct source *s, struct desk *k, const char *why)
{
	char *text = xasprintf("%s: %s", s->set->path, why);

	s->idle = false;
	source_troubled(s, k, SOURCE_UNREADABLE, text);
	free(text);
}

static bool
unchanged(const struct source *s, const struct stat *st)
{
	const struct stat *seen = &s->seen;

	return s->idle && st->st_dev == seen->st_dev &&
	       st->st_ino == seen->st_ino && st->st_size == seen->st_size &&
	       st->st_mtim.tv_sec == seen->st_mtim.tv_sec &&
	       st->st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
	       st->st_ctim.tv_sec == seen->st_ctim.tv_sec &&
	       st->st_ctim.tv_nsec == seen->st_ctim.tv_nsec;
}

static bool
has_news(const struct source *s, const struct stat *st)
{
	return st->st_size > s->cursor.offset &&
	       (s->tail || st->st_size != s->seen.st_size);
}

/* Where the path leads nowhere, what was renamed away is read on. */
static int
open_missing(struct source *s, struct desk *k, bool once, struct transcript *t)
{
	report_missing(s, k, once);
	if (s->cursor.ino == 0)
		return 0;
	t->fd = find_rotated(s, &t->st);
	if (t->fd == -1)
		return 0;
	if (has_news(s, &t->st))
		return 1;
	(void)close(t->fd);
	t->fd = -1;
	return 0;
}

static void
read_instead(struct transcript *t, int fd, const struct stat *st)
{
	(void)close(t->fd);
	t->fd = fd;
	t->st = *st;
}

/* Another file is at the path: the rest of the former one comes first, and
 * more of it may come while its writer has not begun the new one. */
static bool
replace(struct source *s, struct desk *k, struct transcript *t)
{
	struct stat st;
	int old = find_rotated(s, &st);

	if (old != -1 && t->st.st_size == 0) {
		read_instead(t, old, &st);
		return has_news(s, &st);
	}
	if (old != -1 && st.st_size > s->cursor.offset) {
		read_instead(t, old, &st);
		t->replaced = true;
		return true;
	}
	if (old == -1 && s->seen.st_size > s->cursor.offset)
		log_warnx("%s: replaced, %lld bytes behind the last whole "
			  "block are gone",
		    s->label, (long long)(s->seen.st_size - s->cursor.offset));
	if (old != -1)
		(void)close(old);
	start_over(s, k, "source-replaced");
	return true;
}

/* False: there is nothing new to read. */
static bool
settle_on(struct source *s, struct desk *k, struct transcript *t)
{
	struct cursor *c = &s->cursor;
	bool same = same_file(&t->st, c);

	if (c->ino != 0 && (same || c->offset > 0) && fits(t->fd, &t->st, c))
		return true;
	if (c->ino == 0 && c->offset == 0)
		return true;
	if (!same)
		return replace(s, k, t);
	start_over(s, k, "source-truncated");
	return true;
}

int
transcript_open(struct source *s, struct desk *k, bool once,
    struct transcript *t)
{
	memset(t, 0, sizeof *t);
	t->fd = -1;
	if (stat(s->set->path, &t->st) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return open_missing(s, k, once, t);
		report_unreadable(s, k, strerror(errno));
		return 0;
	}
	if (unchanged(s, &t->st))
		return 0;
	/* Not opened at all: opening a FIFO is seen by its writer. */
	if (!S_ISREG(t->st.st_mode)) {
		report_unreadable(s, k, "is not a regular file");
		return 0;
	}
	t->fd = open(s->set->path, TRANSCRIPT_FLAGS);
	if (t->fd == -1 || fstat(t->fd, &t->st) == -1) {
		report_unreadable(s, k, strerror(errno));
		if (t->fd != -1)
			(void)close(t->fd);
		return 0;
	}
	s->missed_ms = 0;
	source_troubled(s, k, SOURCE_FINE, "");
	if (settle_on(s, k, t))
		return 1;
	(void)close(t->fd);
	t->fd = -1;
	return 0;
}
