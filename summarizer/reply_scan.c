/* SPDX-License-Identifier: ISC */
/* Which marked passages a reply file has; only what is new is read. */
#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/extract.h"
#include "summarizer/summarizer.h"

#define CHUNK (256u * 1024)
#define OPEN_MS 60000 /* an open block that nobody goes on with by then */
#define LINE_MS 2000  /* a line without its end */
#define TEXT_MAX (64 << 20)

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
int
reply_look(struct reply *r, int fd, struct stat *st)
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

/* All of the file from offset from on; 0, or -1. */
static int
read_rest(int fd, off_t from, struct buf *text)
{
	ssize_t n;

	do {
		buf_reserve(text, CHUNK + 1);
		n = pread(fd, text->bytes + text->len, CHUNK,
		    from + (off_t)text->len);
		if (n > 0)
			text->len += (size_t)n;
	} while (n > 0 || (n == -1 && errno == EINTR));
	return n == -1 ? -1 : 0;
}

static bool
changed_within(const struct stat *st, int64_t ms)
{
	int64_t changed_ms =
	    (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
	int64_t age_ms = clock_wall_us() / 1000 - changed_ms;

	return age_ms >= 0 && age_ms < ms;
}

int
reply_is_busy(struct reply *r, int fd, const struct stat *st)
{
	struct extract_result found;
	struct buf text = {0};
	bool half_line, open;

	if (!changed_within(st, OPEN_MS) || st->st_size - r->decided > TEXT_MAX)
		return 0;
	if (read_rest(fd, r->decided, &text) == -1) {
		buf_free(&text);
		return -1;
	}
	half_line = text.len > 0 && text.bytes[text.len - 1] != '\n';
	extract_text(text.len > 0 ? text.bytes : "", text.len, false,
	    &r->blocks, &found);
	open = found.open;
	r->decided += (off_t)found.consumed;
	extract_free(&found);
	buf_free(&text);
	return open || (half_line && changed_within(st, LINE_MS));
}
