/* SPDX-License-Identifier: ISC */
/* A scanner of JSON that remembers places. */
#include <stdlib.h>
#include <string.h>

#include "executor/jsontext.h"
#include "executor/utf8.h"

#define DEPTH_MAX 512

struct scan {
	const char *text;
	size_t len;
	size_t at;
	int depth;
	struct json_trouble *trouble;
};

static bool value(struct scan *s, struct json_object **object);

static bool
fail(struct scan *s, const char *what)
{
	if (s->trouble->what == NULL)
		*s->trouble = (struct json_trouble){s->at, what};
	return false;
}

static int
peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
blanks(struct scan *s)
{
	int c;

	while ((c = peek(s)) == ' ' || c == '\t' || c == '\n' || c == '\r')
		s->at++;
	if (c == '/' || c == '#')
		return fail(s, "a comment, which JSON does not have");
	return true;
}

static bool
digits(struct scan *s)
{
	if (!is_digit(peek(s)))
		return fail(s, "a digit is missing in a number");
	while (is_digit(peek(s)))
		s->at++;
	return true;
}

static bool
number(struct scan *s)
{
	if (peek(s) == '-')
		s->at++;
	if (peek(s) == '0')
		s->at++;
	else if (!digits(s))
		return false;
	if (is_digit(peek(s)))
		return fail(s, "a number begins with 0");
	if (peek(s) == '.') {
		s->at++;
		if (!digits(s))
			return false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		return digits(s);
	}
	return true;
}

/* Four hexadecimal digits at at, or -1. */
static long
hex4(const struct scan *s, size_t at)
{
	char digits_of[5] = "", *end;
	long n;

	if (at + 4 > s->len)
		return -1;
	memcpy(digits_of, s->text + at, 4);
	if (strspn(digits_of, "0123456789abcdefABCDEF") != 4)
		return -1;
	n = strtol(digits_of, &end, 16);
	return *end == '\0' ? n : -1;
}

static void
put_code(struct buf *out, long c)
{
	if (c < 0x80) {
		buf_putc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_putc(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_putc(out, (char)(0xe0 | c >> 12));
		} else {
			buf_putc(out, (char)(0xf0 | c >> 18));
			buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(out, (char)(0x80 | (c & 0x3f)));
}

static bool
unicode(struct scan *s, struct buf *out)
{
	long c = hex4(s, s->at), low;

	if (c == -1)
		return fail(s, "\\u without four hexadecimal digits");
	s->at += 4;
	if (c >= 0xd800 && c <= 0xdbff && s->at + 2 <= s->len &&
	    memcmp(s->text + s->at, "\\u", 2) == 0) {
		low = hex4(s, s->at + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			s->at += 6;
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
		}
	}
	put_code(out, c);
	return true;
}

static bool
escape(struct scan *s, struct buf *out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	int c = peek(s);
	const char *at = c > 0 ? strchr(names, c) : NULL;

	if (c == 'u') {
		s->at++;
		return unicode(s, out);
	}
	if (at == NULL)
		return fail(s, "an escape that JSON does not have");
	s->at++;
	buf_putc(out, bytes[at - names]);
	return true;
}

/* A string at its opening quote; decoded into out. */
static bool
string(struct scan *s, struct buf *out)
{
	int c;

	if (peek(s) != '"')
		return fail(s, "a text in double quotes is missing");
	s->at++;
	while ((c = peek(s)) != '"') {
		if (c == -1)
			return fail(s, "a text without its closing quote");
		if (c < 0x20)
			return fail(s, "a raw control character in a text");
		s->at++;
		if (c != '\\')
			buf_putc(out, (char)c);
		else if (!escape(s, out))
			return false;
	}
	s->at++;
	return true;
}

static bool
word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (s->at + n <= s->len &&
		    memcmp(s->text + s->at, words[i], n) == 0) {
			s->at += n;
			return true;
		}
	}
	return fail(s, "a value is missing");
}

static bool
array(struct scan *s)
{
	struct json_object *inner = NULL;
	bool good;

	s->at++;
	if (!blanks(s))
		return false;
	if (peek(s) == ']') {
		s->at++;
		return true;
	}
	for (;;) {
		good = blanks(s) && value(s, &inner) && blanks(s);
		jsontext_free(inner);
		inner = NULL;
		if (!good)
			return false;
		if (peek(s) == ']')
			break;
		if (peek(s) != ',')
			return fail(s, "a comma or ] is missing");
		s->at++;
	}
	s->at++;
	return true;
}

static struct json_member *
new_member(struct json_object *o)
{
	/* Grows by powers of two. */
	if ((o->count & (o->count - 1)) == 0)
		o->members = xreallocarray(o->members,
		    o->count == 0 ? 1 : o->count * 2, sizeof(*o->members));
	memset(&o->members[o->count], 0, sizeof(*o->members));
	return &o->members[o->count++];
}

/* At what stands behind the { or comma; ends at the comma or }. */
static bool
member(struct scan *s, struct json_object *o)
{
	struct json_member *m = new_member(o);
	struct buf name = {0};
	struct json_object *inner = NULL;
	bool good;

	m->lead = s->at;
	if (!blanks(s))
		return false;
	m->key = s->at;
	good = string(s, &name);
	m->name_len = name.len;
	m->name = buf_take(&name);
	if (!good)
		return false;
	m->key_end = s->at;
	if (!blanks(s))
		return false;
	if (peek(s) != ':')
		return fail(s, "a colon is missing");
	s->at++;
	if (!blanks(s))
		return false;
	m->value = s->at;
	good = value(s, &inner);
	m->object = inner;
	m->value_end = s->at;
	if (!good || !blanks(s))
		return false;
	m->comma = s->at;
	return true;
}

static int
by_name(const void *x, const void *y)
{
	const struct json_member *a = *(const struct json_member *const *)x;
	const struct json_member *b = *(const struct json_member *const *)y;
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order = memcmp(a->name, b->name, n);

	return order != 0
		   ? order
		   : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static bool
unique(struct scan *s, const struct json_object *o)
{
	const struct json_member **sorted =
	    xcalloc(o->count + 1, sizeof(const struct json_member *));
	const struct json_member *again = NULL;

	for (size_t i = 0; i < o->count; i++)
		sorted[i] = &o->members[i];
	qsort(sorted, o->count, sizeof(const struct json_member *), by_name);
	for (size_t i = 1; i < o->count && again == NULL; i++)
		if (by_name(&sorted[i - 1], &sorted[i]) == 0)
			again = sorted[i - 1] > sorted[i] ? sorted[i - 1]
							  : sorted[i];
	free(sorted);
	if (again == NULL)
		return true;
	s->at = again->key;
	return fail(s, "a key that the object has already");
}

static bool
object(struct scan *s, struct json_object *o)
{
	o->open = s->at++;
	if (!blanks(s))
		return false;
	o->close = s->at;
	if (peek(s) != '}')
		s->at = o->open;
	while (peek(s) != '}') {
		s->at++; /* the brace or the comma */
		if (!member(s, o))
			return false;
		if (peek(s) != ',' && peek(s) != '}')
			return fail(s, "a comma or } is missing");
	}
	o->close = s->at++;
	return unique(s, o);
}

static bool
value(struct scan *s, struct json_object **out)
{
	bool good;
	int c = peek(s);
	struct buf unused = {0};

	if (c == '"') {
		good = string(s, &unused);
		buf_free(&unused);
		return good;
	}
	if (c == '-' || is_digit(c))
		return number(s);
	if (c != '{' && c != '[')
		return word(s);
	if (s->depth == DEPTH_MAX)
		return fail(s, "more than 512 levels");
	s->depth++;
	if (c == '{') {
		*out = xcalloc(1, sizeof(**out));
		good = object(s, *out);
	} else {
		good = array(s);
	}
	s->depth--;
	return good;
}

struct json_object *
jsontext_read(const char *text, size_t len, struct json_trouble *t)
{
	struct scan s = {.text = text, .len = len, .trouble = t};
	struct json_object *root = NULL;
	bool good;

	memset(t, 0, sizeof(*t));
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.at = 3;
	if (!utf8_valid(text, len, &t->offset)) {
		t->what = "bytes that are not UTF-8";
		return NULL;
	}
	good = blanks(&s);
	t->offset = good ? s.at : t->offset; /* where it is no object */
	good = good && value(&s, &root) && blanks(&s);
	if (good && s.at < len)
		good = fail(&s, "more text behind the value");
	if (good && root != NULL)
		return root;
	jsontext_free(root);
	return NULL;
}

void
jsontext_free(struct json_object *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->count; i++) {
		free(o->members[i].name);
		jsontext_free(o->members[i].object);
	}
	free(o->members);
	free(o);
}
