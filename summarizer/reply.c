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
#define CHUNK (256u * 1024)
#define MARK_CLOSE " -->"
#define REF_MAX 287 /* what the bridge's extractor keeps */

/* Anything shorter that looks like our marker may be somebody's own. */
#define TORN_MIN (sizeof "<!-- p" - 1)

void
reply_forget(struct reply *r)
{
	while (r->count > 0)
		free(r->passages[--r->count].ref);
	free(r->passages);
	memset(r, 0, sizeof *r);
}

/* The ref of a marker line; NULL when line is none. */
static char *
ref_of_line(const char *line, size_t len, const char *mark)
{
	size_t begin = strlen(mark);
	size_t close_len = strlen(MARK_CLOSE);

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len <= begin + close_len || memcmp(line, mark, begin) != 0 ||
	    memcmp(line + len - close_len, MARK_CLOSE, close_len) != 0)
		return NULL;
	return xstrndup(line + begin, len - begin - close_len);
}

static void
add_passage(struct reply *r, char *ref, off_t start)
{
	if (r->count == r->cap) {
		r->cap = r->cap == 0 ? 64 : r->cap * 2;
		r->passages =
		    xreallocarray(r->passages, r->cap, sizeof *r->passages);
	}
	r->passages[r->count++] = (struct passage){.ref = ref, .start = start};
}

/* line begins at offset at; next is the offset behind its newline. */
static void
take_line(struct reply *r, const char *line, size_t len, off_t at, off_t next)
{
	struct passage *last =
	    r->count == 0 ? NULL : &r->passages[r->count - 1];
	char *ref;

	if (len < sizeof "<!--" || line[0] != '<')
		return;
	ref = ref_of_line(line, len, EXTRACT_MARK_BEGIN);
	if (ref != NULL) {
		add_passage(r, ref, at);
		return;
	}
	ref = ref_of_line(line, len, EXTRACT_MARK_END);
	if (ref != NULL && last != NULL && last->end == 0 &&
	    strcmp(last->ref, ref) == 0)
		last->end = next;
	free(ref);
}

/* Looks at all whole lines behind r->scanned; 0, or -1. */
static int
scan(struct reply *r, int fd)
{
	struct buf text = {0};
	size_t used;
	char *nl;
	ssize_t n;

	for (;;) {
		buf_reserve(&text, CHUNK + 1);
		n = pread(fd, text.bytes + text.len, CHUNK,
		    r->scanned + (off_t)text.len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text.len += (size_t)n;
		used = 0;
		while ((nl = memchr(text.bytes + used, '\n',
			    text.len - used)) != NULL) {
			size_t len = (size_t)(nl - (text.bytes + used));
			off_t at = r->scanned + (off_t)used;

			take_line(r, text.bytes + used, len, at,
			    at + (off_t)len + 1);
			used += len + 1;
		}
		buf_shift(&text, used);
		r->scanned += (off_t)used;
	}
	buf_free(&text);
	return (int)n;
}

/* A file that was replaced or became shorter is read from its beginning. */
static int
look(struct reply *r, int fd, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (st->st_dev != r->dev || st->st_ino != r->ino ||
	    st->st_size < r->scanned)
		reply_forget(r);
	r->dev = st->st_dev;
	r->ino = st->st_ino;
	return scan(r, fd);
}

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

/* Does the passage hold a summary with this key? One of an earlier life of
 * the spool may carry the same ref. */
static bool
passage_has_key(int fd, const struct passage *a, const struct parcel *p)
{
	const char *key = json_string_value(json_object_get(p->front, "key"));
	size_t len = (size_t)(a->end - a->start);
	char *bytes = xmalloc(len);
	bool has = false;

	if (key != NULL && pread(fd, bytes, len, a->start) == (ssize_t)len)
		has = memmem(bytes, len, key, strlen(key)) != NULL;
	free(bytes);
	return has;
}

enum found { NOT_THERE, WHOLE, TORN_AT_END, TORN_INSIDE };

struct finding {
	enum found found;
	off_t start;
	size_t have; /* bytes of the block that are there already */
};

static void
judge_passage(int fd, const struct passage *a, const struct parcel *p,
    const struct buf *block, struct finding *out)
{
	ssize_t have = prefix_at(fd, a->start, block);
	struct stat st;

	if (have == (ssize_t)block->len ||
	    (a->end != 0 && passage_has_key(fd, a, p))) {
		out->found = WHOLE;
		out->start = a->start;
		return;
	}
	if (a->end != 0)
		return;
	out->found = TORN_INSIDE;
	out->start = a->start;
	if (have > 0 && fstat(fd, &st) == 0 &&
	    a->start + (off_t)have == st.st_size) {
		out->found = TORN_AT_END;
		out->have = (size_t)have;
	}
}

/* A last line without its newline that is the beginning of our marker. */
static void
judge_last_line(int fd, const struct reply *r, off_t size,
    const struct buf *block, struct finding *out)
{
	ssize_t have;

	if (r->scanned >= size)
		return;
	have = prefix_at(fd, r->scanned, block);
	if (have >= (ssize_t)TORN_MIN && r->scanned + (off_t)have == size) {
		out->found = TORN_AT_END;
		out->start = r->scanned;
		out->have = (size_t)have;
	}
}

static void
find_block(int fd, const struct reply *r, off_t size, const struct parcel *p,
    const char *ref, const struct buf *block, struct finding *out)
{
	size_t i;

	memset(out, 0, sizeof *out);
	for (i = r->count; i > 0 && out->found == NOT_THERE; i--)
		if (strcmp(r->passages[i - 1].ref, ref) == 0)
			judge_passage(fd, &r->passages[i - 1], p, block, out);
	if (out->found == NOT_THERE)
		judge_last_line(fd, r, size, block, out);
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
	ssize_t n;

	while (len > 0) {
		n = sys_write(fd, bytes, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	if (sys_fsync(fd) == -1)
		return -1;
	*end = lseek(fd, 0, SEEK_CUR);
	return *end == -1 ? -1 : 0;
}

/* Writes what find_block says is missing. 0, or -1. */
static int
write_missing(int fd, off_t size, const struct buf *block,
    const struct finding *f)
{
	struct buf text = {0};
	off_t start = f->start;
	off_t end;
	int r;

	if (f->found == TORN_AT_END) {
		buf_add(&text, block->bytes + f->have, block->len - f->have);
	} else {
		add_gap(fd, size, &text);
		buf_add(&text, block->bytes, block->len);
	}
	r = append_bytes(fd, text.bytes, text.len, &end);
	buf_free(&text);
	if (r == -1)
		return -1;
	if (f->found != TORN_AT_END)
		start = end - (off_t)block->len;
	if (prefix_at(fd, start, block) == (ssize_t)block->len)
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
deliver_block(struct destination *d, int fd, const struct parcel *p,
    const char *ref)
{
	struct buf block = {0};
	struct finding f;
	struct stat st;
	int r = -1;

	make_block(p, ref, &block);
	if (look(&d->reply, fd, &st) == 0) {
		find_block(fd, &d->reply, st.st_size, p, ref, &block, &f);
		/* Found whole, it may still be in memory only. */
		r = f.found == WHOLE
			? sys_fsync(fd)
			: write_missing(fd, st.st_size, &block, &f);
	}
	buf_free(&block);
	return r;
}

enum delivery
reply_append(struct destination *d, struct parcel *p)
{
	const char *path = d->settings->path;
	char ref[REF_MAX + 1];
	int fd = open_reply(path);
	int r;

	if (fd == -1) {
		parcel_explain(p, path);
		return LATER;
	}
	make_ref(p, ref);
	r = deliver_block(d, fd, p, ref);
	if (r == -1)
		parcel_explain(p, path);
	else
		(void)snprintf(p->where, sizeof p->where, "%s#%s", path, ref);
	(void)close(fd);
	return r == 0 ? DELIVERED : LATER;
}
