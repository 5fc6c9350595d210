/* SPDX-License-Identifier: ISC */
/* Text to blocks: the walk over the lines. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/extract_part.h"

/* Content of the lines from first on, up to end, without their prefixes. */
static void
collect(const struct scan *s, const struct line *open, size_t from, size_t end,
    struct buf *out)
{
	struct line l;
	size_t pos = from;
	int pad;

	if (open->quote == 0 && open->column == 0) {
		buf_add(out, s->text + from, end - from);
		return;
	}
	while (pos < end && extract_line_next(s, pos, 0, &l)) {
		size_t at = pos, stop = l.next < end ? l.next : end;

		/* The object's own first line begins behind its prefix. */
		if (pos != open->body) {
			at = extract_line_skip(s, &l, open, &pad);
			for (; pad > 0; pad--)
				buf_putc(out, ' ');
		}
		if (at < stop)
			buf_add(out, s->text + at, stop - at);
		pos = l.next;
	}
}

static void
copy_info(const struct scan *s, size_t at, size_t end, char out[static 64])
{
	size_t n = 0;

	while (at < end && (s->text[at] == ' ' || s->text[at] == '\t'))
		at++;
	while (
	    end > at && (s->text[end - 1] == ' ' || s->text[end - 1] == '\t'))
		end--;
	for (; at < end && n < 63; at++) {
		unsigned char c = (unsigned char)s->text[at];

		out[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	out[n] = '\0';
}

static struct extract_block *
push(const struct scan *s, const struct line *open, size_t from, size_t end)
{
	struct extract_result *r = s->out;
	struct extract_block *b;
	struct buf text = {0};

	if ((r->count & (r->count + 1)) == 0)
		r->blocks = xreallocarray(r->blocks, 2 * r->count + 1,
		    sizeof(*r->blocks));
	b = &r->blocks[r->count++];
	*b = (struct extract_block){.offset = from,
	    .end = end,
	    .indent = open->column};
	collect(s, open, from, end, &text);
	b->len = text.len;
	b->text = buf_take(&text);
	(void)strlcpy(b->author, s->st->author, sizeof(b->author));
	b->quoted = open->quote > 0 || s->st->in_summary;
	return b;
}

static void
advance(struct scan *s, size_t pos, int number)
{
	if (s->st->in_summary) {
		s->st->summary_bytes += pos - s->pos;
		if (s->st->summary_bytes > EXTRACT_SUMMARY_MAX)
			s->st->in_summary = false;
	}
	s->pos = pos;
	s->number = number;
}

/* Keeps track of the list we are in, which says how deep a fence may stand. */
static void
note_line(struct scan *s, const struct line *l)
{
	struct extract_state *st = s->st;

	if (!l->blank) {
		if (l->list > 0)
			st->list = l->list;
		else if (l->column < 2 && st->blank)
			st->list = 0;
	}
	st->blank = l->blank;
}

struct ending {
	size_t content; /* where the content ends */
	size_t next;    /* where the next line begins */
	int number;
};

static bool
says_document(const char *info)
{
	return strncasecmp(info, "json", 4) == 0 ||
	       strncasecmp(info, "yaml", 4) == 0 ||
	       strncasecmp(info, "yml", 3) == 0;
}

/* A line that no fence goes on behind, closing or not. */
static bool
cuts_fence(const struct scan *s, const struct line *l, const struct line *open,
    bool document)
{
	char ref[288], author[32];
	bool alone;
	int marker;

	if (l->quote < open->quote)
		return true;
	marker = extract_line_marker(s, l, ref);
	if (marker == 1)
		return !s->st->in_summary;
	if (marker == -1)
		return s->st->in_summary &&
		       strcmp(ref, s->st->summary_ref) == 0;
	return document && extract_line_is_role(s, l, author, &alone) && alone;
}

bool
extract_fence_line(const struct scan *s, struct extract_open *o,
    const struct line *l, bool *closed)
{
	const struct line open = {.quote = o->quote, .column = o->column};
	const struct fence f = {.mark = o->mark, .length = o->marks};

	*closed = extract_line_closes_fence(s, l, &open, &f);
	if (*closed)
		return true;
	if (!o->begun && !l->blank) {
		o->document = o->document || extract_line_first(s, l) == '{';
		o->begun = true;
	}
	if (cuts_fence(s, l, &open, o->document))
		return true;
	o->at += l->next - l->start;
	return false;
}

/* False while the end is not there yet: o is what waits. */
static bool
fence_end(const struct scan *s, const struct line *open, struct extract_open *o,
    struct ending *e)
{
	struct line l = *open;
	bool closed;

	o->at = open->next - open->start;
	while (extract_line_next(s, l.next, l.number + 1, &l)) {
		if (!extract_fence_line(s, o, &l, &closed))
			continue;
		*e = (struct ending){l.start, l.start, l.number};
		if (closed)
			*e = (struct ending){l.start, l.next, l.number + 1};
		return true;
	}
	*e = (struct ending){s->len, s->len, l.number + 1};
	return s->final;
}

/* What is open at s->pos is carried on from where this text ends. */
static void
wait_here(struct scan *s, const struct extract_open *o)
{
	struct extract_open *w = &s->out->waiting;

	*w = *o;
	extract_wait_rest(w, s->text + s->pos + w->at, s->len - s->pos - w->at);
	s->out->waits = true;
}

static bool
take_fence(struct scan *s, const struct line *open, const struct fence *f)
{
	struct extract_open o = {.kind = EXTRACT_IN_FENCE,
	    .mark = f->mark,
	    .marks = f->length,
	    .quote = open->quote,
	    .column = open->column};
	struct extract_block *b;
	struct ending e;
	char info[64];

	copy_info(s, f->info, open->end, info);
	o.document = says_document(info);
	if (!fence_end(s, open, &o, &e)) {
		wait_here(s, &o);
		return false;
	}
	b = push(s, open, open->next, e.content);
	b->kind = EXTRACT_FENCED;
	b->end = e.next;
	b->line = open->number + 1;
	(void)strlcpy(b->info, info, sizeof(b->info));
	note_line(s, open);
	advance(s, e.next, e.number);
	return true;
}

/* 1 taken, 0 still open, -1 none. */
static int
take_bare(struct scan *s, const struct line *open)
{
	struct extract_open o;
	struct extract_block *b;
	struct line next;
	size_t end;
	int r = extract_bare_end(s, open, &o, &end, &next);

	if (r == 0)
		wait_here(s, &o);
	if (r != 1)
		return r;
	b = push(s, open, open->body, end);
	b->kind = EXTRACT_BARE;
	b->end = next.start;
	b->line = open->number;
	note_line(s, open);
	advance(s, next.start, next.number);
	return 1;
}

/*
 * In an aider history each line of the user begins with "#### " and each of
 * the tool with "> ", so that every block in it is the assistant's.
 */
static void
note_author(struct scan *s, const struct line *l)
{
	static const char aider[] = "# aider chat started";
	const char *text = s->text + l->body;
	size_t len = l->end - l->body;
	struct extract_state *st = s->st;
	char author[32];
	bool alone;

	if (l->quote > 0 || l->blank)
		return;
	if (len >= strlen(aider) && memcmp(text, aider, strlen(aider)) == 0) {
		st->aider = true;
		(void)strlcpy(st->author, "assistant", sizeof(st->author));
	} else if (!st->aider && extract_line_is_role(s, l, author, &alone)) {
		(void)strlcpy(st->author, author, sizeof(st->author));
	}
}

/* Enters or leaves a summary; false where the line is no marker of ours. */
static bool
take_marker(struct scan *s, const struct line *l)
{
	struct extract_state *st = s->st;
	char ref[288];
	int which = extract_line_marker(s, l, ref);

	if (which == 1 && !st->in_summary) {
		st->in_summary = true;
		st->summary_bytes = 0;
		(void)strlcpy(st->summary_ref, ref, sizeof(st->summary_ref));
		return true;
	}
	if (which == -1 && st->in_summary &&
	    strcmp(ref, st->summary_ref) == 0) {
		st->in_summary = false;
		st->summary_ref[0] = '\0';
		st->list = 0;
		return true;
	}
	return false;
}

/* One line or block; false where its end is not there yet. */
static bool
step(struct scan *s, const struct line *l)
{
	struct fence f;
	int r;

	if (!take_marker(s, l)) {
		if (extract_line_opens_fence(s, l, &f))
			return take_fence(s, l, &f);
		r = extract_may_be_bare(s, l) ? take_bare(s, l) : -1;
		if (r != -1)
			return r == 1;
		if (!s->st->in_summary)
			note_author(s, l);
		note_line(s, l);
	}
	advance(s, l->next, l->number + 1);
	return true;
}

void
extract_text(const char *text, size_t len, bool final, struct extract_state *st,
    struct extract_result *out)
{
	struct scan s = {.text = text,
	    .len = len,
	    .final = final,
	    .st = st,
	    .out = out,
	    .number = 1};
	struct line l;

	*out = (struct extract_result){0};
	while (extract_line_next(&s, s.pos, s.number, &l)) {
		struct extract_state before = *st;

		if (!step(&s, &l)) {
			*st = before;
			out->open = true;
			break;
		}
		st->begun = true;
	}
	out->consumed = s.pos;
	if (!out->open && s.pos < len)
		extract_wait_line(&s, out);
}

void
extract_free(struct extract_result *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->blocks[i].text);
	free(r->blocks);
	*r = (struct extract_result){0};
}
