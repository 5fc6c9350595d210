/* SPDX-License-Identifier: ISC */
/* Applying what match.c found. */
#include <string.h>

#include "executor/edit.h"
#include "executor/match.h"
#include "executor/near.h"

#define BOM "\xef\xbb\xbf"

const char *
edit_eol(const char *text, size_t len, size_t offset)
{
	const char *nl = memchr(text + offset, '\n', len - offset);

	if (nl == NULL && offset > 0)
		nl = memrchr(text, '\n', offset);
	return nl != NULL && nl > text && nl[-1] == '\r' ? "\r\n" : "\n";
}

/* Adds s with each "\n" written as eol. */
static void
add_lines(struct buf *out, const char *s, size_t len, const char *eol)
{
	for (size_t i = 0; i < len;) {
		const char *nl = memchr(s + i, '\n', len - i);
		size_t n = nl != NULL ? (size_t)(nl - s) - i : len - i;

		buf_add(out, s + i, n);
		if (nl != NULL)
			buf_puts(out, eol);
		i += n + (nl != NULL);
	}
}

/* The bytes were given exactly; only line ends that the author could not see
 * (a text without any CR going into a CRLF file) are made the file's. */
static void
put_exact(const struct plan_edit *e, const char *eol, struct buf *out)
{
	bool plain = memchr(e->replace.bytes, '\r', e->replace.len) == NULL &&
		     memchr(e->find.bytes, '\r', e->find.len) == NULL &&
		     memchr(e->find.bytes, '\n', e->find.len) == NULL;

	if (plain)
		add_lines(out, e->replace.bytes, e->replace.len, eol);
	else
		buf_add(out, e->replace.bytes, e->replace.len);
}

/* The line end of a place that lies behind the last one asked for: a file of
 * one line is read once, not once for each match. */
struct eols {
	const char *eol; /* NULL: none asked for */
	size_t end;      /* of the line that it is of */
};

static const char *
next_eol(struct eols *e, const char *text, size_t len, size_t offset)
{
	const char *nl;

	if (e->eol != NULL && offset <= e->end)
		return e->eol;
	nl = memchr(text + offset, '\n', len - offset);
	e->end = nl != NULL ? (size_t)(nl - text) : len;
	e->eol = edit_eol(text, len, offset);
	return e->eol;
}

struct splice {
	const struct lines *file; /* behind a BOM */
	struct lines find;
	struct lines replace;
	size_t head; /* lines that find and replace begin with alike */
	size_t tail; /* and end with */
	const char *eol;
	bool open; /* what is matched ends the file without a newline */
};

/* A line end that only one of them has says nothing of the file's. */
static bool
bytes_same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0 &&
	       (a->eol == b->eol || a->eol == 0 || b->eol == 0);
}

/* Lines that are in both are context: the file's own bytes are kept there. */
static void
measure(struct splice *s)
{
	size_t n = s->find.count, m = s->replace.count;
	size_t least = n < m ? n : m;

	while (s->head < least &&
	       bytes_same(&s->find.items[s->head], &s->replace.items[s->head]))
		s->head++;
	if (s->find.terminated != s->replace.terminated)
		return;
	while (s->tail < least - s->head &&
	       bytes_same(&s->find.items[n - 1 - s->tail],
		   &s->replace.items[m - 1 - s->tail]))
		s->tail++;
}

bool
edit_put_line(const struct line *l, const struct match *m, struct buf *out)
{
	size_t skip = 0;

	if (line_trim(l) > 0 && m->indent_len > 0) {
		if (m->deeper)
			buf_add(out, m->indent, m->indent_len);
		else if (l->len >= m->indent_len &&
			 memcmp(l->s, m->indent, m->indent_len) == 0)
			skip = m->indent_len;
		else
			return false;
	}
	buf_add(out, l->s + skip, l->len - skip);
	return true;
}

/* The file's line that stands for line i of the replacement, or NULL. */
static const struct line *
context(const struct splice *s, const struct match *m, size_t i)
{
	if (i < s->head)
		return &s->file->items[m->line + i];
	if (i + s->tail >= s->replace.count)
		return &s->file->items[m->line + s->find.count -
				       (s->replace.count - i)];
	return NULL;
}

static bool
put_spliced(const struct splice *s, const struct match *m, struct buf *out)
{
	bool eols = match_eols(&s->file->items[m->line], &s->find);

	for (size_t i = 0; i < s->replace.count; i++) {
		const struct line *kept = context(s, m, i);
		bool last = i + 1 == s->replace.count;

		if (kept != NULL)
			buf_add(out, kept->s, kept->len);
		else if (!edit_put_line(&s->replace.items[i], m, out))
			return false;
		if (last &&
		    (!s->replace.terminated || (s->find.terminated && s->open)))
			break;
		if (kept != NULL && kept->eol > 0)
			buf_add(out, kept->s + kept->len, kept->eol);
		else if (eols && s->replace.items[i].eol > 0)
			buf_puts(out,
			    s->replace.items[i].eol == 2 ? "\r\n" : "\n");
		else
			buf_puts(out, s->eol);
	}
	return true;
}

static bool
put_all(const char *text, size_t len, const struct plan_edit *e,
    const struct match_list *ms, struct buf *out)
{
	struct splice s = {0};
	struct eols eols = {NULL, 0};
	struct lines file = {0};
	size_t bom = match_bom(text, len, &e->find);
	size_t done = 0;
	bool fits = true;

	/* Exact bytes need no lines, and a large file has many. */
	if (ms->tier != MATCH_EXACT) {
		lines_split(text + bom, len - bom, &file);
		s.file = &file;
		lines_split(e->find.bytes, e->find.len, &s.find);
		lines_split(e->replace.bytes, e->replace.len, &s.replace);
		measure(&s);
	}
	for (size_t i = 0; i < ms->count && fits; i++) {
		const struct match *m = &ms->items[i];

		buf_add(out, text + done, m->start - done);
		s.eol = next_eol(&eols, text, len, m->start);
		s.open = m->end == len && text[len - 1] != '\n';
		if (ms->tier == MATCH_EXACT)
			put_exact(e, s.eol, out);
		else
			fits = put_spliced(&s, m, out);
		done = m->end;
	}
	buf_add(out, text + done, len - done);
	lines_free(&file);
	lines_free(&s.find);
	lines_free(&s.replace);
	return fits;
}

int
edit_replace(const char *text, size_t len, const struct plan_edit *e,
    struct buf *out, json_t **error)
{
	struct match_list ms;
	size_t mark = out->len;
	bool good;

	match_find(text, len, &e->find, &ms);
	if (e->count == 1 && ms.count == 1)
		match_overlap(text, len, &e->find, &ms);
	good = ms.count > 0 && (e->count == 0 || ms.count == (size_t)e->count);
	if (good && !put_all(text, len, e, &ms, out)) {
		/* The replacement is indented less than what it replaces. */
		out->len = mark;
		ms.count = 0;
		good = false;
	}
	if (!good)
		*error = near_explain(text, len, e, &ms);
	match_free(&ms);
	return good ? 0 : -1;
}

/* contents as whole lines at offset, which is a line's start or the end. */
static void
put_at(const char *text, size_t len, size_t offset, const struct plan_step *s,
    struct buf *out)
{
	bool crlf = memchr(s->text.bytes, '\r', s->text.len) != NULL;
	const char *eol = edit_eol(text, len, offset < len ? offset : 0);
	bool open = offset > 0 && text[offset - 1] != '\n';

	if (offset == 3 && memcmp(text, BOM, 3) == 0)
		open = false;
	buf_add(out, text, offset);
	if (open)
		buf_puts(out, eol);
	add_lines(out, s->text.bytes, s->text.len, crlf ? "\n" : eol);
	if (offset < len && s->text.len > 0 &&
	    s->text.bytes[s->text.len - 1] != '\n')
		buf_puts(out, eol);
	buf_add(out, text + offset, len - offset);
}

static size_t
line_start(const char *text, size_t offset)
{
	const char *nl = offset > 0 ? memrchr(text, '\n', offset) : NULL;
	size_t start = nl != NULL ? (size_t)(nl - text) + 1 : 0;

	if (start == 0 && offset >= 3 && memcmp(text, BOM, 3) == 0)
		start = 3;
	return start;
}

static size_t
line_end(const char *text, size_t len, size_t offset)
{
	const char *nl;

	if (offset > 0 && text[offset - 1] == '\n')
		return offset; /* the anchor ends with its line */
	nl = memchr(text + offset, '\n', len - offset);
	return nl != NULL ? (size_t)(nl - text) + 1 : len;
}

int
edit_insert(const char *text, size_t len, const struct plan_step *s,
    struct buf *out, json_t **error)
{
	struct plan_edit e = {.find = s->anchor, .count = 1};
	struct match_list ms;
	size_t offset = 0;
	int answer = 0;

	if (s->place == PLACE_APPEND) {
		put_at(text, len, len, s, out);
		return 0;
	}
	if (s->place == PLACE_PREPEND) {
		offset = len >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0;
		put_at(text, len, offset, s, out);
		return 0;
	}
	match_find(text, len, &s->anchor, &ms);
	if (ms.count == 1)
		match_overlap(text, len, &s->anchor, &ms);
	if (ms.count != 1) {
		*error = near_explain(text, len, &e, &ms);
		answer = -1;
	} else {
		offset = s->place == PLACE_AFTER
			     ? line_end(text, len, ms.items[0].end)
			     : line_start(text, ms.items[0].start);
		put_at(text, len, offset, s, out);
	}
	match_free(&ms);
	return answer;
}
