/* SPDX-License-Identifier: ISC */
/*
 * Why text is not JSON. jansson alone decides what is JSON; it says
 * only roughly where and hardly why, so this walks the tokens again, to name
 * the first one that does not belong.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/doc_part.h"

struct walk {
	const char *text;
	size_t len;
	size_t pos;
	struct doc_error *err;
	size_t seen;       /* where jansson stopped */
	size_t last_token; /* start of the last token not behind seen */
};

static void
skip_space(struct walk *w)
{
	while (w->pos < w->len && w->text[w->pos] != '\0' &&
	       strchr(" \t\r\n", w->text[w->pos]) != NULL)
		w->pos++;
}

static char
peek(const struct walk *w)
{
	return w->pos < w->len ? w->text[w->pos] : '\0';
}

static bool
starts(const struct walk *w, const char *s)
{
	size_t n = strlen(s);

	return w->len - w->pos >= n && memcmp(w->text + w->pos, s, n) == 0;
}

/* The token at pos as a person would quote it. */
static void
describe(const struct walk *w, char out[48])
{
	unsigned char c = (unsigned char)peek(w);
	size_t n = 0;
	int r;

	if (w->pos >= w->len) {
		(void)snprintf(out, 48, "the end of the text");
		return;
	}
	if (c == '"') {
		(void)snprintf(out, 48, "a string");
		return;
	}
	while (w->pos + n < w->len && n < 20 &&
	       isalnum((unsigned char)w->text[w->pos + n]))
		n++;
	if (n > 0)
		r = snprintf(out, 48, "'%.*s'", (int)n, w->text + w->pos);
	else if (c >= 0x20 && c < 0x7f)
		r = snprintf(out, 48, "'%c'", c);
	else
		r = snprintf(out, 48, "byte 0x%02x", c);
	if (r < 0)
		out[0] = '\0';
}

static const struct {
	const char *token;
	const char *why;
} habits[] = {
    {"//", "JSON has no comments: remove the // line"},
    {"/*", "JSON has no comments"},
    {"#", "JSON has no comments"},
    {"True", "this is Python: write true"},
    {"False", "this is Python: write false"},
    {"None", "this is Python: write null"},
    {"undefined", "write null"},
    {"NaN", "JSON has no NaN"},
    {"'", "strings stand in double quotes"},
    {"`", "strings stand in double quotes"},
    {"\xe2\x80\x9c", "a typographic quote: use \""},
    {"\xe2\x80\x9d", "a typographic quote: use \""},
    {"\xe2\x80\x98", "a typographic quote: use \""},
    {"\xe2\x80\x99", "a typographic quote: use \""},
    {"\xc2\xa0", "a no-break space: use a plain one"},
    {"...", "something was left out here"},
    {"\xe2\x80\xa6", "something was left out here"},
};

static bool
habit(struct walk *w)
{
	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		if (!starts(w, habits[i].token))
			continue;
		doc_place(w->text, w->len, w->pos, w->err);
		doc_complain(w->err, "found %.20s: %s", habits[i].token,
		    habits[i].why);
		return true;
	}
	return false;
}

static bool
unexpected(struct walk *w, const char *wanted)
{
	char found[48];

	if (habit(w))
		return false;
	describe(w, found);
	doc_place(w->text, w->len, w->pos, w->err);
	doc_complain(w->err, "found %s where %s belongs", found, wanted);
	return false;
}

static bool
complain_at(struct walk *w, size_t pos, const char *reason)
{
	doc_place(w->text, w->len, pos, w->err);
	doc_complain(w->err, "%s", reason);
	return false;
}

static bool
escape(struct walk *w)
{
	size_t at = w->pos++;
	char c = peek(w);

	if (c == 'u') {
		for (int i = 1; i <= 4; i++)
			if (w->pos + (size_t)i >= w->len ||
			    !isxdigit(
				(unsigned char)w->text[w->pos + (size_t)i]))
				return complain_at(w, at,
				    "\\u wants four hex digits");
		if (starts(w, "u0000"))
			return complain_at(w, at,
			    "\\u0000 (NUL) cannot stand in text: give binary "
			    "contents as base64");
		w->pos += 5;
		return true;
	}
	if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
		return complain_at(w, at,
		    c == '\n' ? "a backslash at the line's end does not "
				"continue a JSON string: write \\n"
			      : "a backslash here must be written \\\\");
	w->pos++;
	return true;
}

static bool
string(struct walk *w)
{
	size_t at = w->pos++;

	while (w->pos < w->len) {
		unsigned char c = (unsigned char)w->text[w->pos];

		if (c == '"') {
			w->pos++;
			return true;
		}
		if (c == '\n' || c == '\r')
			return complain_at(w, w->pos,
			    "the line ends inside a string: write \\n, or the "
			    "closing quote is missing");
		if (c < 0x20)
			return complain_at(w, w->pos,
			    c == '\t' ? "a raw tab in a string: write \\t"
				      : "a raw control character in a string");
		if (c != '\\')
			w->pos++;
		else if (!escape(w))
			return false;
	}
	return complain_at(w, at, "this string has no end");
}

static size_t
digits(struct walk *w)
{
	size_t from = w->pos;

	while (isdigit((unsigned char)peek(w)))
		w->pos++;
	return w->pos - from;
}

static bool
number(struct walk *w)
{
	size_t at = w->pos;
	bool zero;

	if (peek(w) == '-')
		w->pos++;
	zero = peek(w) == '0';
	if (zero && w->pos + 1 < w->len &&
	    isdigit((unsigned char)w->text[w->pos + 1]))
		return complain_at(w, at,
		    "a number cannot start with 0: quote a mode or version");
	if (digits(w) == 0)
		return unexpected(w, "a digit");
	if (peek(w) == '.') {
		w->pos++;
		if (digits(w) == 0)
			return unexpected(w, "a digit");
	}
	if (peek(w) == 'e' || peek(w) == 'E') {
		w->pos++;
		if (peek(w) == '+' || peek(w) == '-')
			w->pos++;
		if (digits(w) == 0)
			return unexpected(w, "a digit");
	}
	return true;
}

static bool value(struct walk *w, int depth);

static bool
member(struct walk *w, int depth)
{
	if (peek(w) != '"')
		return unexpected(w, "a key in double quotes");
	if (w->pos < w->seen)
		w->last_token = w->pos;
	if (!string(w))
		return false;
	skip_space(w);
	if (peek(w) != ':')
		return unexpected(w, "':'");
	w->pos++;
	return value(w, depth);
}

/* Between two elements: 1 another one follows, 0 the end, -1 neither. */
static int
separator(struct walk *w, char close)
{
	size_t comma = w->pos;

	if (peek(w) == close) {
		w->pos++;
		return 0;
	}
	if (peek(w) != ',') {
		(void)unexpected(w, close == '}' ? "',' or '}'" : "',' or ']'");
		if (comma > 0 && isalnum((unsigned char)peek(w)) &&
		    w->text[comma - 1] == '"')
			(void)complain_at(w, comma,
			    "text behind a string's end: a quote inside a "
			    "string is written \\\"");
		return -1;
	}
	w->pos++;
	skip_space(w);
	if (peek(w) == close) {
		(void)complain_at(w, comma,
		    "a comma before the closing bracket: remove it");
		return -1;
	}
	return 1;
}

static bool
container(struct walk *w, char close, int depth)
{
	int more = 1;

	w->pos++;
	skip_space(w);
	if (peek(w) == close) {
		w->pos++;
		return true;
	}
	while (more == 1) {
		if (close == '}' ? !member(w, depth) : !value(w, depth))
			return false;
		skip_space(w);
		more = separator(w, close);
	}
	return more == 0;
}

static bool
value(struct walk *w, int depth)
{
	static const char *const words[] = {"true", "false", "null"};

	skip_space(w);
	if (w->pos < w->seen)
		w->last_token = w->pos;
	if (depth > DOC_DEPTH)
		return complain_at(w, w->pos, "nested too deep");
	if (peek(w) == '{')
		return container(w, '}', depth + 1);
	if (peek(w) == '[')
		return container(w, ']', depth + 1);
	if (peek(w) == '"')
		return string(w);
	if (peek(w) == '-' || isdigit((unsigned char)peek(w)))
		return number(w);
	for (size_t i = 0; i < 3; i++)
		if (starts(w, words[i])) {
			w->pos += strlen(words[i]);
			return true;
		}
	return unexpected(w, "a value");
}

/* The grammar is right: what jansson dislikes is the last token it saw. */
static void
retell(struct walk *w, const char *what)
{
	struct walk key = *w;

	doc_place(w->text, w->len, w->last_token, w->err);
	key.pos = w->last_token;
	if (strstr(what, "duplicate") != NULL && peek(&key) == '"' &&
	    string(&key))
		doc_complain(w->err, "the key %.*s stands twice",
		    (int)(key.pos - w->last_token < 80 ? key.pos - w->last_token
						       : 80),
		    w->text + w->last_token);
	else if (strstr(what, "too big integer") != NULL ||
		 strstr(what, "too big negative") != NULL ||
		 strstr(what, "overflow") != NULL)
		doc_complain(w->err, "this number is out of range: quote it");
	else if (strstr(what, "Unicode") != NULL)
		doc_complain(w->err,
		    "half a surrogate pair (\\ud8xx) in a string");
	else
		doc_complain(w->err, "%.200s", what);
}

void
doc_json_explain(const char *text, size_t len, size_t seen, const char *what,
    struct doc_error *err)
{
	struct walk w = {.text = text, .len = len, .err = err, .seen = seen};

	skip_space(&w);
	if (w.pos == len) {
		doc_complain(err, "the text is empty");
		return;
	}
	if (!value(&w, 0))
		return;
	skip_space(&w);
	if (w.pos == len) {
		retell(&w, what);
		return;
	}
	if (peek(&w) == '}' || peek(&w) == ']') {
		(void)complain_at(&w, w.pos,
		    "one closing bracket too many, or one opening bracket too "
		    "few before");
		return;
	}
	(void)unexpected(&w, "the end of the document");
}
