/* SPDX-License-Identifier: ISC */
/*
 * What waits behind the cursor (an open block, a long line) from one scan to
 * the next: its text is not held, only how far it was looked at. When it ends
 * it is read once as a whole, so that what is handed in is one reading of the
 * file, whatever was changed in it meanwhile.
 */
#include <string.h>
#include <unistd.h>

#include "bridge/reading.h"

#define LINE_SHORT 512

static bool
fetch(const struct reading *r, size_t from, char *out, size_t len)
{
	off_t at = r->s->cursor.offset + (off_t)from;

	return pread(r->t.fd, out, len, at) == (ssize_t)len;
}

void
resume_begin(struct reading *r)
{
	struct source *s = r->s;
	char last[SOURCE_LAST];
	size_t seen = s->waiting.seen;

	if (!s->waits)
		return;
	s->waits = r->t.st.st_size >= s->cursor.offset + (off_t)seen &&
		   fetch(r, seen - s->last_len, last, s->last_len) &&
		   memcmp(last, s->last, s->last_len) == 0;
	if (!s->waits)
		return;
	/* A short beginning of a line is rather read again than twice. */
	r->base = seen - s->waiting.at <= LINE_SHORT ? s->waiting.at : seen;
	r->open = s->waiting.kind != EXTRACT_IN_LINE;
}

void
resume_end(struct reading *r)
{
	struct source *s = r->s;
	size_t seen = s->waiting.seen;

	s->last_len = seen < SOURCE_LAST ? seen : SOURCE_LAST;
	if (r->failed || r->more ||
	    (s->waits && !fetch(r, seen - s->last_len, s->last, s->last_len)))
		s->waits = false;
}

bool
resume_whole(struct reading *r)
{
	if (r->base == 0)
		return false;
	r->need = r->base + r->text.len;
	r->base = 0;
	r->s->waits = false;
	buf_clear(&r->text);
	return true;
}

/* Drops what lies before offset from; text may end before it. */
static void
drop(struct reading *r, size_t from)
{
	size_t len = from - r->base;

	if (r->base == 0)
		return;
	buf_shift(&r->text, len < r->text.len ? len : r->text.len);
	r->base = from;
}

/* The rest of a line that was seen in part: true while it has no end. */
static bool
line_goes_on(struct reading *r)
{
	struct extract_open *w = &r->s->waiting;
	size_t have = r->base + r->text.len;

	if (have <= w->seen)
		return true;
	r->s->looked += have - w->seen;
	if (!extract_peek(w, r->text.bytes + (w->seen - r->base),
		have - w->seen)) {
		drop(r, w->seen);
		return true;
	}
	if (r->base <= w->at)
		return false;
	/* It is judged as a whole: from its beginning again. */
	buf_clear(&r->text);
	r->base = w->at;
	return true;
}

bool
resume_goes_on(struct reading *r)
{
	struct extract_open *w = &r->s->waiting;
	const struct extract_state *st = &r->s->cursor.extract;
	size_t len;

	if (w->seen > w->at && line_goes_on(r))
		return true;
	len = r->base + r->text.len - w->at;
	r->s->looked += len;
	if (!extract_ended(w, st, r->text.bytes + (w->at - r->base), len)) {
		drop(r, w->at);
		return true;
	}
	return resume_whole(r);
}

bool
resume_tail_ends(struct reading *r)
{
	const struct extract_open *w = &r->s->waiting;
	char line[EXTRACT_TAIL_MAX];
	size_t len = w->seen - w->at;
	bool small = len <= sizeof line && fetch(r, w->at, line, len);

	return extract_tail_ends(w, &r->s->cursor.extract, small ? line : NULL);
}
