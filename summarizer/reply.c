/* SPDX-License-Identifier: ISC */
/*
 * A summary appended to a reply file between its markers, exactly once.
 *
 * One write with O_APPEND, then fsync, then a look at the bytes. What a crash
 * or a full disk cut short is found by its begin marker: at the end of the
 * file it is completed by the bytes that are missing; nothing is ever cut
 * off, because others write to that file too. Where somebody else has written
 * behind the torn passage, the whole one follows, and its end marker closes
 * both.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/extract.h"
#include "common/sys.h"
#include "summarizer/summarizer.h"

#define REPLY_MODE 0644
#define REF_MAX 287 /* what the bridge's extractor keeps */

/* Anything shorter that looks like our marker may be somebody's own. */
#define TORN_MIN (sizeof "<!-- p" - 1)

/* ID@QUEUE,N where the id can stand in a marker, else its slug and hash. */
static void
make_ref(const struct parcel *p, char ref[REF_MAX + 1])
{
	const char *id = json_string_value(json_object_get(p->front, "id"));
	const char *key = json_string_value(json_object_get(p->front, "key"));
	int attempt =
	    (int)json_integer_value(json_object_get(p->front, "attempt"));
	const char *slug = key == NULL ? NULL : strchr(key, '-');

	if (id == NULL || strpbrk(id, " <>@,\t") != NULL ||
	    strlen(id) > SLUG_MAX * 2)
		id = slug == NULL ? p->name : slug + 1;
	(void)snprintf(ref, REF_MAX + 1, "%s@%s,%d", id, p->queue->name,
	    attempt);
}

static void
make_block(const struct parcel *p, const char *ref, struct buf *block)
{
	buf_printf(block, EXTRACT_MARK_BEGIN "%s" MARK_CLOSE "\n", ref);
	buf_add(block, p->bytes, p->len);
	if (p->len > 0 && p->bytes[p->len - 1] != '\n')
		buf_putc(block, '\n');
	buf_printf(block, EXTRACT_MARK_END "%s" MARK_CLOSE "\n", ref);
}

/* How many bytes of block the file has from start on; -1 when what is there
 * is not the beginning of block. */
static ssize_t
prefix_at(int fd, off_t start, const struct buf *block)
{
	char *bytes = xmalloc(block->len);
	size_t got = 0;
	ssize_t n;

	while (got < block->len) {
		n = pread(fd, bytes + got, block->len - got,
		    start + (off_t)got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	n = memcmp(bytes, block->bytes, got) == 0 ? (ssize_t)got : -1;
	free(bytes);
	return n;
}

/* Does the passage hold a summary of this outcome, in whatever words? One of
 * an earlier life of the spool may carry the same ref; and the same key, where
 * retention had taken the attempts that gave the number before. */
static bool
passage_is_of(int fd, const struct passage *a, const struct parcel *p)
{
	const char *sha =
	    json_string_value(json_object_get(p->front, "outcome_sha256"));
	size_t len = (size_t)(a->end - a->start);
	char *bytes = xmalloc(len);
	bool is = false;

	if (sha != NULL && pread(fd, bytes, len, a->start) == (ssize_t)len)
		is = memmem(bytes, len, sha, strlen(sha)) != NULL;
	free(bytes);
	return is;
}

/* What is to be appended, and to what. */
struct letter {
	int fd;
	off_t size; /* of the file when it was looked at */
	const struct parcel *parcel;
	char ref[REF_MAX + 1];
	struct buf block; /* the summary between its markers */
};

enum found { NOT_THERE, WHOLE, TORN_AT_END, TORN_INSIDE };

struct finding {
	enum found found;
	off_t start;
	size_t have; /* bytes of the block that are there already */
};

static void
judge_passage(const struct letter *l, const struct passage *a,
    struct finding *out)
{
	ssize_t have = prefix_at(l->fd, a->start, &l->block);

	if (have == (ssize_t)l->block.len ||
	    (a->end != 0 && passage_is_of(l->fd, a, l->parcel))) {
		out->found = WHOLE;
		out->start = a->start;
		return;
	}
	if (a->end != 0)
		return;
	out->found = TORN_INSIDE;
	out->start = a->start;
	if (have > 0 && a->start + (off_t)have == l->size) {
		out->found = TORN_AT_END;
		out->have = (size_t)have;
	}
}

/* A last line without its newline that is the beginning of our marker. */
static void
judge_last_line(const struct letter *l, off_t start, struct finding *out)
{
	ssize_t have;

	if (start >= l->size)
		return;
	have = prefix_at(l->fd, start, &l->block);
	if (have >= (ssize_t)TORN_MIN && start + (off_t)have == l->size) {
		out->found = TORN_AT_END;
		out->start = start;
		out->have = (size_t)have;
	}
}

static void
find_block(const struct letter *l, const struct reply *r, struct finding *out)
{
	size_t i;

	memset(out, 0, sizeof *out);
	for (i = r->count; i > 0 && out->found == NOT_THERE; i--)
		if (strcmp(r->passages[i - 1].ref, l->ref) == 0)
			judge_passage(l, &r->passages[i - 1], out);
	if (out->found == NOT_THERE)
		judge_last_line(l, r->scanned, out);
}

/* One blank line before the marker: what stands before it is not ours. */
static void
add_gap(int fd, off_t size, struct buf *out)
{
	char last[2] = {'\n', '\n'};
	size_t n = size < 2 ? (size_t)size : 2;

	if (n == 0 || pread(fd, last + 2 - n, n, size - (off_t)n) != (ssize_t)n)
		return;
	if (last[1] != '\n')
		buf_putc(out, '\n');
	if (last[1] != '\n' || last[0] != '\n')
		buf_putc(out, '\n');
}

/*
 * Appends bytes in one write. A short one is carried on at once when there is
 * room; if not, the next attempt finds the torn passage. *end is the offset
 * behind the last byte.
 */
static int
append_bytes(int fd, const char *bytes, size_t len, off_t *end)
{
	if (spool_write(fd, bytes, len) == -1 || sys_fsync(fd) == -1)
		return -1;
	*end = lseek(fd, 0, SEEK_CUR);
	return *end == -1 ? -1 : 0;
}

/* Writes what find_block says is missing. 0, or -1. */
static int
write_missing(const struct letter *l, const struct finding *f)
{
	const struct buf *block = &l->block;
	struct buf text = {0};
	off_t start = f->start;
	off_t end;
	int r;

	if (f->found == TORN_AT_END) {
		buf_add(&text, block->bytes + f->have, block->len - f->have);
	} else {
		add_gap(l->fd, l->size, &text);
		buf_add(&text, block->bytes, block->len);
	}
	r = append_bytes(l->fd, text.bytes, text.len, &end);
	buf_free(&text);
	if (r == -1)
		return -1;
	if (f->found != TORN_AT_END)
		start = end - (off_t)block->len;
	if (prefix_at(l->fd, start, block) == (ssize_t)block->len)
		return 0;
	/* Somebody wrote between the halves of a short write. */
	errno = EAGAIN;
	return -1;
}

/* A file that did not exist is durable only with its directory entry. */
static int
sync_parent(const char *path)
{
	char *copy = xstrdup(path);
	char *slash = strrchr(copy, '/');
	int r = -1;
	int fd;

	if (slash == NULL) {
		free(copy);
		return 0;
	}
	slash[slash == copy] = '\0';
	fd = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		r = sys_fsync(fd);
		(void)close(fd);
	}
	free(copy);
	return r;
}

/* Two suites on one reply file take turns; whoever else writes to it does
 * not know of the lock, and O_APPEND is what protects those. */
static int
open_reply(const char *path)
{
	const int flags =
	    O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = sys_openat(AT_FDCWD, path, flags, 0);

	if (fd == -1 && errno == ENOENT) {
		fd = sys_openat(AT_FDCWD, path, flags | O_CREAT, REPLY_MODE);
		if (fd != -1 && (sys_fchmod(fd, REPLY_MODE) == -1 ||
				    sync_parent(path) == -1)) {
			(void)close(fd);
			return -1;
		}
	}
	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1) {
		(void)close(fd);
		errno = EWOULDBLOCK;
		return -1;
	}
	return fd;
}

static int
deliver_letter(struct destination *d, struct letter *l)
{
	struct finding f;
	struct stat st;

	if (reply_look(&d->reply, l->fd, &st) == -1)
		return -1;
	l->size = st.st_size;
	make_block(l->parcel, l->ref, &l->block);
	find_block(l, &d->reply, &f);
	/* Ours in the middle of a block would spoil both. */
	if (f.found == NOT_THERE && reply_is_busy(&d->reply, l->fd, &st) == 1) {
		errno = EBUSY;
		return -1;
	}
	/* Found whole, it may still be in memory only. */
	return f.found == WHOLE ? sys_fsync(l->fd) : write_missing(l, &f);
}

enum delivery
reply_append(struct destination *d, struct parcel *p)
{
	const char *path = d->settings->path;
	struct letter l = {.parcel = p};
	int r = -1;

	l.fd = open_reply(path);
	if (l.fd != -1) {
		make_ref(p, l.ref);
		r = deliver_letter(d, &l);
	}
	if (r == -1)
		parcel_explain(p, path);
	else
		(void)snprintf(p->where, sizeof p->where, "%s#%s", path, l.ref);
	if (l.fd != -1)
		(void)close(l.fd);
	buf_free(&l.block);
	return r == 0 ? DELIVERED : LATER;
}
