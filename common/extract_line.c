/* SPDX-License-Identifier: ISC */
/* One line of chat text: its prefixes, and what it may begin or end. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/extract_part.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Moves at over blanks and returns the column reached, tabs every 4. */
static int
skip_blanks(const char *text, size_t end, size_t *at, int column)
{
	while (*at < end && is_blank(text[*at])) {
		column = text[*at] == '\t' ? (column / 4 + 1) * 4 : column + 1;
		(*at)++;
	}
	return column;
}

/* Behind at most max "> " markers; *depth is how many there were. */
static size_t
skip_quotes(const char *text, size_t at, size_t end, int max, int *depth)
{
	for (*depth = 0; *depth < max; (*depth)++) {
		size_t p = at;

		while (p < end && p - at < 3 && text[p] == ' ')
			p++;
		if (p == end || text[p] != '>')
			break;
		at = p + 1;
		if (at < end && text[at] == ' ')
			at++;
	}
	return at;
}

/* Length of a list marker at at, 0 where there is none. */
static size_t
marker_length(const char *text, size_t at, size_t end)
{
	size_t p = at;

	if (strchr("-+*", text[at]) != NULL && text[at] != '\0') {
		p++;
	} else {
		while (p < end && p - at < 9 && isdigit((unsigned char)text[p]))
			p++;
		if (p == at || p == end || (text[p] != '.' && text[p] != ')'))
			return 0;
		p++;
	}
	return p == end || is_blank(text[p]) ? p - at : 0;
}

char
extract_line_first(const struct scan *s, const struct line *l)
{
	return l->body < l->end ? s->text[l->body] : '\0';
}

static void
take_markers(const struct scan *s, struct line *l)
{
	size_t width;

	while (l->body < l->end &&
	       (width = marker_length(s->text, l->body, l->end)) > 0) {
		int after = l->column + (int)width;
		size_t at = l->body + width;
		int column = skip_blanks(s->text, l->end, &at, after);

		l->list =
		    column - after > 4 || at == l->end ? after + 1 : column;
		l->column = column;
		l->body = at;
	}
}

bool
extract_line_next(const struct scan *s, size_t pos, int number, struct line *l)
{
	const char *nl;

	if (pos >= s->len)
		return false;
	nl = memchr(s->text + pos, '\n', s->len - pos);
	if (nl == NULL && !s->final)
		return false;
	*l = (struct line){.start = pos, .number = number};
	l->end = nl == NULL ? s->len : (size_t)(nl - s->text);
	l->next = nl == NULL ? s->len : l->end + 1;
	if (l->end > pos && s->text[l->end - 1] == '\r')
		l->end--;
	if (pos == 0 && !s->st->begun && l->end >= 3 &&
	    memcmp(s->text, "\xef\xbb\xbf", 3) == 0)
		pos = 3;
	l->rest = skip_quotes(s->text, pos, l->end, 64, &l->quote);
	l->body = l->rest;
	l->column = skip_blanks(s->text, l->end, &l->body, 0);
	l->blank = l->body == l->end;
	l->code = l->column > s->st->list + 3;
	if (!l->code)
		take_markers(s, l);
	return true;
}

size_t
extract_line_unquote(const struct scan *s, const struct line *l, int depth)
{
	size_t at = l->start;
	int found;

	if (at == 0 && l->rest >= 3 && l->quote == 0)
		return l->rest;
	return skip_quotes(s->text, at, l->end, depth, &found);
}

size_t
extract_line_skip(const struct scan *s, const struct line *l,
    const struct line *open, int *pad)
{
	size_t at = extract_line_unquote(s, l, open->quote);
	int column = 0;

	while (at < l->end && column < open->column && is_blank(s->text[at])) {
		column =
		    s->text[at] == '\t' ? (column / 4 + 1) * 4 : column + 1;
		at++;
	}
	*pad = column > open->column ? column - open->column : 0;
	return at;
}

static size_t
run_length(const struct scan *s, const struct line *l, char mark)
{
	size_t n = 0;

	while (l->body + n < l->end && s->text[l->body + n] == mark)
		n++;
	return n;
}

bool
extract_line_opens_fence(const struct scan *s, const struct line *l,
    struct fence *f)
{
	char c = extract_line_first(s, l);

	if (l->code || (c != '`' && c != '~'))
		return false;
	f->mark = c;
	f->length = run_length(s, l, c);
	f->info = l->body + f->length;
	if (f->length < 3)
		return false;
	/* "```a``` b" is a code span. */
	return c == '~' ||
	       memchr(s->text + f->info, '`', l->end - f->info) == NULL;
}

bool
extract_line_closes_fence(const struct scan *s, const struct line *l,
    const struct line *open, const struct fence *f)
{
	size_t n;

	if (l->quote != open->quote || l->list != 0 || l->blank ||
	    l->column > open->column + 3 || extract_line_first(s, l) != f->mark)
		return false;
	n = run_length(s, l, f->mark);
	if (n < f->length)
		return false;
	n += l->body;
	(void)skip_blanks(s->text, l->end, &n, 0);
	return n == l->end;
}

/* plain: the word may also stand as "User: text", without any emphasis. */
static const struct {
	const char *word;
	const char *author;
	bool plain;
} roles[] = {
    {"user", "user", true},
    {"human", "user", true},
    {"you", "user", false},
    {"assistant", "assistant", true},
    {"ai", "assistant", false},
    {"chatgpt", "assistant", true},
    {"claude", "assistant", false},
    {"gemini", "assistant", false},
    {"copilot", "assistant", false},
    {"cursor", "assistant", false},
    {"system", "system", false},
    {"developer", "developer", false},
};

static int
find_role(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strlen(roles[i].word) == len &&
		    strncasecmp(roles[i].word, word, len) == 0)
			return (int)i;
	return -1;
}

/* Over the bytes of set, and over anything that is not ASCII (emoji). */
static size_t
skip_any(const struct scan *s, const struct line *l, size_t at, const char *set)
{
	while (at < l->end && s->text[at] != '\0' &&
	       ((unsigned char)s->text[at] >= 0x80 ||
		   strchr(set, s->text[at]) != NULL))
		at++;
	return at;
}

/* Behind the word: emphasis, "said", a colon. */
static size_t
skip_ornament(const struct scan *s, const struct line *l, size_t at,
    bool *colon)
{
	size_t from;

	if (l->end - at >= 5 && strncasecmp(s->text + at, " said", 5) == 0)
		at += 5;
	from = at;
	at = skip_any(s, l, at, "*_:");
	*colon = memchr(s->text + from, ':', at - from) != NULL;
	return skip_any(s, l, at, " \t");
}

bool
extract_line_is_role(const struct scan *s, const struct line *l,
    char out[static 32], bool *alone)
{
	size_t hash = l->body, word, end, rest;
	bool strong, colon, bare;
	int role;

	*alone = false;
	if (l->quote > 0 || l->code || l->list > 0 || l->blank)
		return false;
	while (hash < l->end && s->text[hash] == '#')
		hash++;
	word = skip_any(s, l, hash, " *_");
	strong = hash > l->body || memchr(s->text + hash, '*', word - hash) ||
		 memchr(s->text + hash, '_', word - hash);
	for (end = word; end < l->end && isalpha((unsigned char)s->text[end]);)
		end++;
	role = find_role(s->text + word, end - word);
	if (role == -1 || (!strong && l->column > 0))
		return false;
	rest = skip_ornament(s, l, end, &colon);
	bare = rest == l->end;
	/* A time may follow: "## User (12:00)". */
	*alone = strong && (bare || strchr("([-", s->text[rest]) != NULL ||
			       isdigit((unsigned char)s->text[rest]));
	if (!*alone && !(colon && (bare || roles[role].plain)))
		return false;
	(void)strlcpy(out, roles[role].author, 32);
	return true;
}

/* Text that JSON can hold: the reference is kept in a state file. */
static bool
is_text(const char *s, size_t len)
{
	json_t *v = json_stringn(s, len);
	bool text = v != NULL && memchr(s, '\0', len) == NULL;

	json_decref(v);
	return text;
}

int
extract_line_marker(const struct scan *s, const struct line *l,
    char ref[static 288])
{
	static const char tail[] = " -->";
	const char *text = s->text + l->start;
	size_t len = l->end - l->start, head, n;
	int which;

	if (len > sizeof(EXTRACT_MARK_BEGIN) &&
	    strncmp(text, EXTRACT_MARK_BEGIN, strlen(EXTRACT_MARK_BEGIN)) ==
		0) {
		which = 1;
		head = strlen(EXTRACT_MARK_BEGIN);
	} else if (len > sizeof(EXTRACT_MARK_END) &&
		   strncmp(text, EXTRACT_MARK_END, strlen(EXTRACT_MARK_END)) ==
		       0) {
		which = -1;
		head = strlen(EXTRACT_MARK_END);
	} else {
		return 0;
	}
	if (len < head + strlen(tail) + 1 ||
	    memcmp(text + len - strlen(tail), tail, strlen(tail)) != 0)
		return 0;
	n = len - head - strlen(tail);
	if (n >= 288 || !is_text(text + head, n))
		return 0;
	memcpy(ref, text + head, n);
	ref[n] = '\0';
	return which;
}
