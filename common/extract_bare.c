/* SPDX-License-Identifier: ISC */
/* Where an un-fenced object ends. extract.h states the rules. */
#include <string.h>

#include "common/extract_part.h"

struct bare {
	const struct scan *s;
	const struct line *open;
	int depth;
	bool quoted; /* in a string */
	char first;  /* first byte behind the opening bracket that prints */
	bool blank;  /* the line before was blank */
	size_t end;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One byte outside strings; true when it balances the first bracket. */
static bool
weigh(struct bare *b, char c)
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

/* What follows the last bracket on its line shows whether it was the last. */
static bool
is_last(const struct bare *b, size_t at, size_t end)
{
	while (at < end && is_space(b->s->text[at]))
		at++;
	return at >= end || b->s->text[at] == '\0' ||
	       strchr(",}]\":", b->s->text[at]) == NULL;
}

/* True when the object ends in this line, at b->end. */
static bool
scan_line(struct bare *b, size_t at, size_t end)
{
	const char *text = b->s->text;

	/* No string spans lines: a lost quote damages one line only. */
	b->quoted = false;
	for (; at < end; at++) {
		char c = text[at];

		if (b->first == '\0' && b->depth > 0 && !is_space(c))
			b->first = c;
		if (b->quoted) {
			if (c == '\\')
				at++;
			else if (c == '"')
				b->quoted = false;
		} else if (weigh(b, c) && is_last(b, at + 1, end)) {
			b->end = at + 1;
			return true;
		}
	}
	return false;
}

/* An unbalanced object ends before this line at the latest. */
static bool
is_boundary(struct bare *b, const struct line *l)
{
	char author[32], ref[288];
	struct fence f;
	bool alone, fresh;
	char c = extract_line_first(b->s, l);

	fresh = b->blank && c == '{' && l->column == 0 && l->list == 0;
	b->blank = l->blank;
	if (l->quote < b->open->quote || fresh ||
	    l->start - b->open->start > EXTRACT_BARE_MAX)
		return true;
	if (l->blank)
		return b->first != '"' && b->first != '\0' &&
		       b->s->text[b->open->body] == '{';
	return extract_line_opens_fence(b->s, l, &f) ||
	       extract_line_is_role(b->s, l, author, &alone) ||
	       extract_line_marker(b->s, l, ref) != 0;
}

/* A '[' that no object follows is prose: "[link](…)". */
static bool
is_prose(const struct bare *b)
{
	return b->s->text[b->open->body] == '[' && b->first != '\0' &&
	       b->first != '{' && b->first != '[';
}

int
extract_bare_end(const struct scan *s, const struct line *open, size_t *end,
    struct line *next)
{
	struct bare b = {.s = s, .open = open};
	bool over = scan_line(&b, open->body, open->end);

	*next = *open;
	while (!is_prose(&b)) {
		size_t pos = next->next;
		int number = next->number + 1;
		bool more;

		*end = over ? b.end : s->len;
		more = extract_line_next(s, pos, number, next);
		if (!more)
			*next = (struct line){.start = pos,
			    .next = pos,
			    .number = number};
		if (over)
			return 1;
		if (!more)
			return s->final ? 1 : 0;
		if (is_boundary(&b, next)) {
			*end = next->start;
			return 1;
		}
		over = scan_line(&b, extract_line_unquote(s, next, open->quote),
		    next->end);
	}
	return -1;
}
