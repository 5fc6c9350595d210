/* SPDX-License-Identifier: ISC */
/* The matching ladder. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/match.h"
#include "executor/seek.h"

#define BOM "\xef\xbb\xbf"

const char *const match_tier_name[MATCH__MAX] = {
    [MATCH_EXACT] = "exact",
    [MATCH_BLANKS] = "trailing-blanks",
    [MATCH_INDENT] = "indentation",
};

void
lines_split(const char *text, size_t len, struct lines *out)
{
	size_t cap = 0;

	memset(out, 0, sizeof(*out));
	for (size_t at = 0; at < len;) {
		const char *nl = memchr(text + at, '\n', len - at);
		size_t end = nl != NULL ? (size_t)(nl - text) : len;
		struct line *l;

		if (out->count == cap) {
			cap = cap * 2 + 64;
			out->items = xreallocarray(out->items, cap, sizeof(*l));
		}
		l = &out->items[out->count++];
		*l = (struct line){text + at, end - at, nl != NULL};
		if (nl != NULL && l->len > 0 && l->s[l->len - 1] == '\r') {
			l->len--;
			l->eol++;
		}
		out->terminated = nl != NULL;
		at = end + 1;
	}
}

void
lines_free(struct lines *l)
{
	free(l->items);
	memset(l, 0, sizeof(*l));
}

size_t
line_trim(const struct line *l)
{
	size_t n = l->len;

	while (n > 0 && strchr(" \t\r", l->s[n - 1]) != NULL &&
	       l->s[n - 1] != '\0')
		n--;
	return n;
}

size_t
line_indent(const struct line *l)
{
	size_t n = 0;

	while (n < l->len && (l->s[n] == ' ' || l->s[n] == '\t'))
		n++;
	return n;
}

bool
line_same(const struct line *a, const struct line *b)
{
	size_t n = line_trim(a);

	return n == line_trim(b) && memcmp(a->s, b->s, n) == 0;
}

bool
line_same_words(const struct line *a, const struct line *b)
{
	size_t ai = line_indent(a), bi = line_indent(b);
	size_t an = line_trim(a), bn = line_trim(b);

	an = an > ai ? an - ai : 0;
	bn = bn > bi ? bn - bi : 0;
	return an == bn && memcmp(a->s + ai, b->s + bi, an) == 0;
}

void
match_add(struct match_list *m, const struct match *found)
{
	/* Grows by powers of two. */
	if ((m->count & (m->count - 1)) == 0)
		m->items = xreallocarray(m->items,
		    m->count == 0 ? 1 : m->count * 2, sizeof(*m->items));
	m->items[m->count++] = *found;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Lines that begin with blanks, found behind other blanks: as lines they are
 * indented more, which a later tier knows how to treat. */
static bool
is_indented(const char *text, const char *at, const struct plan_text *find)
{
	if (!is_blank(find->bytes[0]) ||
	    memchr(find->bytes, '\n', find->len) == NULL)
		return false;
	if (at == text || !is_blank(at[-1]))
		return false;
	while (at > text && is_blank(at[-1]))
		at--;
	return at == text || at[-1] == '\n';
}

static void
find_exact(const char *text, size_t len, const struct plan_text *find,
    struct match_list *out)
{
	const char *at = text;

	while ((at = memmem(at, len - (size_t)(at - text), find->bytes,
		    find->len)) != NULL) {
		struct match m = {.start = (size_t)(at - text)};

		m.end = m.start + find->len;
		if (is_indented(text, at, find)) {
			at++;
			continue;
		}
		match_add(out, &m);
		at += find->len;
	}
}

/* Same contents, other indentation: does it fit what was seen before? */
static bool
same_shift(const struct line *t, const struct line *f, struct match *m)
{
	size_t ti = line_indent(t), fi = line_indent(f);
	size_t more = ti >= fi ? ti - fi : fi - ti;
	const char *indent = ti >= fi ? t->s : f->s;

	if (line_trim(t) - ti != line_trim(f) - fi ||
	    memcmp(t->s + ti, f->s + fi, line_trim(t) - ti) != 0)
		return false;
	/* The deeper indentation must be the extra part and then the other. */
	if (ti >= fi ? memcmp(t->s + more, f->s, fi) != 0
		     : memcmp(f->s + more, t->s, ti) != 0)
		return false;
	if (m->indent == NULL) {
		m->indent = indent;
		m->indent_len = more;
		m->deeper = ti >= fi;
		return true;
	}
	return m->indent_len == more && m->deeper == (ti >= fi) &&
	       memcmp(m->indent, indent, more) == 0;
}

static bool
fits(const struct line *t, const struct line *f, enum match_tier tier,
    struct match *m)
{
	if (tier == MATCH_EXACT)
		return t->len == f->len && t->eol == f->eol &&
		       memcmp(t->s, f->s, t->len) == 0;
	if (tier == MATCH_BLANKS)
		return line_same(t, f);
	if (line_trim(f) == 0 || line_trim(t) == 0)
		return line_trim(f) == line_trim(t);
	return same_shift(t, f, m);
}

bool
match_window(const struct line *t, const struct lines *find,
    enum match_tier tier, struct match *m)
{
	bool solid = tier == MATCH_EXACT;

	for (size_t j = 0; j < find->count; j++) {
		if (!fits(&t[j], &find->items[j], tier, m))
			return false;
		solid |= line_trim(&find->items[j]) > 0;
	}
	return solid; /* blank lines alone are everywhere */
}

size_t
match_bom(const char *text, size_t len, const struct plan_text *find)
{
	bool shown = find->len >= 3 && memcmp(find->bytes, BOM, 3) == 0;

	return !shown && len >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0;
}

bool
match_eols(const struct line *t, const struct lines *find)
{
	bool some = false;

	for (size_t j = 0; j < find->count; j++) {
		if (find->items[j].eol > 0 && find->items[j].eol != t[j].eol)
			return false;
		some |= find->items[j].eol > 0;
	}
	return some;
}

static void
find_lines(const char *text, const struct lines *t, const struct lines *find,
    enum match_tier tier, struct match_list *out)
{
	struct match m;
	struct seek s;

	seek_open(&s, t, 0, find, tier);
	while (seek_next(&s, &m)) {
		const struct line *last = &t->items[m.line + find->count - 1];

		m.start = (size_t)(t->items[m.line].s - text);
		m.end = (size_t)(last->s - text) + last->len;
		if (find->terminated)
			m.end += last->eol;
		match_add(out, &m);
		seek_skip(&s);
	}
	if (seek_gave_up(&s))
		out->count = 0;
	seek_close(&s);
}

void
match_find(const char *text, size_t len, const struct plan_text *find,
    struct match_list *out)
{
	struct lines t, f;
	size_t bom = match_bom(text, len, find);

	memset(out, 0, sizeof(*out));
	out->tier = MATCH_EXACT;
	find_exact(text, len, find, out);
	if (out->count > 0)
		return;
	lines_split(text + bom, len - bom, &t);
	lines_split(find->bytes, find->len, &f);
	for (int tier = MATCH_BLANKS; tier < MATCH__MAX && out->count == 0;
	     tier++) {
		out->tier = (enum match_tier)tier;
		find_lines(text, &t, &f, out->tier, out);
	}
	lines_free(&t);
	lines_free(&f);
}

static void
overlap_lines(const char *text, size_t len, const struct plan_text *find,
    struct match_list *out)
{
	size_t bom = match_bom(text, len, find), most;
	struct lines t, f;
	struct match m;
	struct seek s;

	lines_split(text + bom, len - bom, &t);
	lines_split(find->bytes, find->len, &f);
	most = out->items[0].line + 2 * f.count - 1;
	t.count = t.count < most ? t.count : most;
	seek_open(&s, &t, out->items[0].line + 1, &f, out->tier);
	if (t.count > 0 && seek_next(&s, &m)) {
		m.start = (size_t)(t.items[m.line].s - text);
		match_add(out, &m);
	}
	seek_close(&s);
	lines_free(&t);
	lines_free(&f);
}

void
match_overlap(const char *text, size_t len, const struct plan_text *find,
    struct match_list *out)
{
	struct match m = {.start = out->items[0].start + 1};
	size_t end = out->items[0].end + find->len - 1;
	const char *at;

	if (out->tier != MATCH_EXACT) {
		overlap_lines(text, len, find, out);
		return;
	}
	end = end < len ? end : len;
	at = memmem(text + m.start, end - m.start, find->bytes, find->len);
	if (at == NULL)
		return;
	m.start = (size_t)(at - text);
	match_add(out, &m);
}

void
match_free(struct match_list *m)
{
	free(m->items);
	memset(m, 0, sizeof(*m));
}

size_t
match_line(const char *text, size_t offset)
{
	size_t line = 1;

	for (const char *at = text;
	     (at = memchr(at, '\n', offset - (size_t)(at - text))) != NULL;
	     at++)
		line++;
	return line;
}
