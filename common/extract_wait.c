/* SPDX-License-Identifier: ISC */
/*
 * A block that is open, or a long line without its end, from one reading to
 * the next. Each byte is looked at a bounded number of times however small
 * the pieces are: once as it comes, once with its line when that is whole, and
 * once by extract_text when the block is.
 */
#include <string.h>

#include "common/buf.h"
#include "common/extract_part.h"

void
extract_wait_rest(struct extract_open *o, const char *text, size_t len)
{
	size_t known = o->seen > o->at ? o->seen - o->at : 0;

	if (known == 0)
		o->byte = o->line;
	if (o->kind != EXTRACT_IN_FENCE && o->mark != '\0' && len > known)
		extract_bare_feed(&o->byte, text + known, len - known,
		    o->at + known);
	o->seen = o->at + len;
}

/* A short line is looked at again: what it is shows in its first bytes. */
void
extract_wait_line(const struct scan *s, struct extract_result *out)
{
	struct scan whole = *s;
	struct extract_open *o = &out->waiting;
	struct line l;

	whole.final = true;
	if (s->len - s->pos <= EXTRACT_TAIL_MAX ||
	    !extract_line_next(&whole, s->pos, 1, &l))
		return;
	*o = (struct extract_open){.kind = EXTRACT_IN_LINE};
	if (extract_may_be_bare(&whole, &l)) {
		o->mark = s->text[l.body];
		extract_bare_feed(&o->byte, s->text + l.body, s->len - l.body,
		    l.body - s->pos);
	}
	o->seen = s->len - s->pos;
	out->waits = true;
}

bool
extract_peek(struct extract_open *o, const char *bytes, size_t len)
{
	if (memchr(bytes, '\n', len) != NULL)
		return true;
	if (o->seen <= o->at)
		o->byte = o->line;
	if (o->kind != EXTRACT_IN_FENCE && o->mark != '\0')
		extract_bare_feed(&o->byte, bytes, len, o->seen);
	o->seen += len;
	return false;
}

bool
extract_ended(struct extract_open *o, const struct extract_state *st,
    const char *text, size_t len)
{
	struct extract_state inside = *st;
	struct scan s = {.text = text, .len = len, .st = &inside};
	struct line l;
	size_t pos = 0;
	bool closed;

	inside.begun = true;
	while (extract_line_next(&s, pos, 1, &l)) {
		if (o->kind == EXTRACT_IN_LINE)
			return true;
		if (o->kind == EXTRACT_IN_BARE
			? extract_bare_line(&s, o, &l)
			: extract_fence_line(&s, o, &l, &closed))
			return true;
		pos = l.next;
	}
	extract_wait_rest(o, text + pos, len - pos);
	return false;
}

bool
extract_tail_ends(const struct extract_open *o, const struct extract_state *st,
    const char *line)
{
	struct extract_open copy = *o;
	struct buf text = {0};
	bool ends;

	if (o->seen == o->at)
		return false;
	if (o->kind == EXTRACT_IN_LINE || line == NULL)
		return o->byte.balanced || o->byte.over;
	buf_add(&text, line, o->seen - o->at);
	buf_putc(&text, '\n');
	ends = extract_ended(&copy, st, text.bytes, text.len);
	buf_free(&text);
	return ends;
}
