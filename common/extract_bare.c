/* SPDX-License-Identifier: ISC */
/* Where an un-fenced object ends. extract.h states the rules. */
#include <string.h>

#include "common/extract_part.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One byte outside strings; true when it balances the first bracket. */
static bool
weigh(struct extract_bare *b, char c)
{
	if (c == '"')
		b->quoted = true;
	else if (c == '{' || c == '[')
		b->depth++;
	else if ((c == '}' || c == ']') && b->depth > 0)
		b->depth--;
	else if (c != '}' && c != ']')
		return false;
	return b->depth == 0 && c != '"';
}

/* What follows the last bracket on its line shows whether it was the last:
 * true when c, which does, says so. */
static bool
confirms(struct extract_bare *b, char c)
{
	if (is_space(c))
		return false;
	b->over = c == '\0' || strchr(",}]\":", c) == NULL;
	b->balanced = b->over;
	return b->over;
}

static void
feed_byte(struct extract_bare *b, char c, size_t at)
{
	if (b->first == '\0' && b->depth > 0 && !is_space(c))
		b->first = c;
	if (b->escaped) {
		b->escaped = false;
	} else if (b->quoted) {
		b->escaped = c == '\\';
		b->quoted = c != '"';
	} else if (weigh(b, c)) {
		b->balanced = true;
		b->end = at + 1;
	}
}

void
extract_bare_feed(struct extract_bare *b, const char *bytes, size_t len,
    size_t at)
{
	for (size_t i = 0; i < len && !b->over; i++) {
		if (b->balanced && confirms(b, bytes[i]))
			return;
		if (!b->balanced)
			feed_byte(b, bytes[i], at + i);
	}
}

static void
end_line(struct extract_bare *b)
{
	b->over = b->over || b->balanced;
	/* No string spans lines: a lost quote damages one line only. */
	b->quoted = b->escaped = false;
}

/* An unbalanced object ends before this line at the latest. */
static bool
is_boundary(const struct scan *s, struct extract_open *o, const struct line *l)
{
	struct extract_bare *b = &o->line;
	char author[32], ref[288];
	struct fence f;
	bool alone, fresh;
	char c = extract_line_first(s, l);

	fresh = b->blank && c == '{' && l->column == 0 && l->list == 0;
	b->blank = l->blank;
	if (l->quote < o->quote || fresh || o->at > EXTRACT_BARE_MAX)
		return true;
	if (l->blank)
		return b->first != '"' && b->first != '\0' && o->mark == '{';
	return extract_line_opens_fence(s, l, &f) ||
	       extract_line_is_role(s, l, author, &alone) ||
	       extract_line_marker(s, l, ref) != 0;
}

/* A '[' that no object follows is prose: "[link](…)". */
bool
extract_bare_is_prose(const struct extract_open *o)
{
	char first = o->line.first;

	return o->mark == '[' && first != '\0' && first != '{' && first != '[';
}

bool
extract_may_be_bare(const struct scan *s, const struct line *l)
{
	char c = extract_line_first(s, l);

	return !l->code && l->list == 0 && (c == '{' || c == '[');
}

bool
extract_bare_begin(const struct scan *s, struct extract_open *o,
    const struct line *open)
{
	*o = (struct extract_open){.kind = EXTRACT_IN_BARE,
	    .mark = s->text[open->body],
	    .quote = open->quote,
	    .column = open->column,
	    .at = open->next - open->start};
	extract_bare_feed(&o->line, s->text + open->body,
	    open->end - open->body, open->body - open->start);
	end_line(&o->line);
	return !extract_bare_is_prose(o);
}

bool
extract_bare_line(const struct scan *s, struct extract_open *o,
    const struct line *l)
{
	size_t from = extract_line_unquote(s, l, o->quote);

	if (o->line.over)
		return true;
	if (is_boundary(s, o, l)) {
		o->line.end = o->at;
		return true;
	}
	extract_bare_feed(&o->line, s->text + from, l->end - from,
	    o->at + from - l->start);
	end_line(&o->line);
	o->at += l->next - l->start;
	return o->line.over || extract_bare_is_prose(o);
}

int
extract_bare_end(const struct scan *s, const struct line *open,
    struct extract_open *o, size_t *end, struct line *next)
{
	bool ended = !extract_bare_begin(s, o, open) || o->line.over;
	size_t pos = open->next;
	int number = open->number + 1;

	while (!ended && extract_line_next(s, pos, number, next)) {
		ended = extract_bare_line(s, o, next);
		/* Ended in front of it, it is the one to go on with. */
		pos = open->start + o->at;
		number += pos > next->start;
	}
	if (extract_bare_is_prose(o))
		return -1;
	*next = (struct line){.start = pos, .next = pos, .number = number};
	*end = ended ? open->start + o->line.end : s->len;
	return ended || s->final;
}
