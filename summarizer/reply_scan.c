/* SPDX-License-Identifier: ISC */
/* Which marked passages a reply file has; only what is new is read. */
#include <sys/stat.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/extract.h"
#include "summarizer/summarizer.h"

#define CHUNK (256u * 1024)

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
