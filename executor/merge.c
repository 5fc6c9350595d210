/* SPDX-License-Identifier: ISC */
/* Merging: deletions, replacements and additions as splices of the text. */
#include <stdlib.h>
#include <string.h>

#include "executor/jsonput.h"
#include "executor/jsontext.h"
#include "executor/match.h"
#include "executor/merge.h"
#include "executor/utf8.h"

#define SHOWN 200 /* bytes of a line that are quoted */

/* The text so far, and how far the old one is used up. */
struct merge {
	const char *text;
	struct buf *out;
	size_t done;
	struct json_style style;
};

static void merge_object(struct merge *m, const struct json_object *o,
    const json_t *patch);

static void
keep_to(struct merge *m, size_t offset)
{
	if (offset > m->done) {
		buf_add(m->out, m->text + m->done, offset - m->done);
		m->done = offset;
	}
}

/* The value without its nulls: RFC 7396 onto nothing. */
static json_t *
stripped(const json_t *v)
{
	json_t *copy;

	if (!json_is_object(v))
		return json_deep_copy(v);
	copy = json_object();
	for (void *it = json_object_iter((json_t *)(uintptr_t)v); it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
		json_t *value = json_object_iter_value(it);

		if (!json_is_null(value))
			json_object_set_new(copy, json_object_iter_key(it),
			    stripped(value));
	}
	return copy;
}

static const json_t *
patch_of(const json_t *patch, const struct json_member *m)
{
	return json_object_getn(patch, m->name, m->name_len);
}

/* Does the text say this already? Then its bytes stay. */
static bool
is_equal(const struct merge *m, const struct json_member *member,
    const json_t *v)
{
	json_t *old = json_loadb(m->text + member->value,
	    member->value_end - member->value, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	    NULL);
	bool equal = old != NULL && json_equal(old, v);

	json_decref(old);
	return equal;
}

/* The blanks behind the last newline before offset. */
static void
indent_at(const char *text, size_t offset, struct buf *out)
{
	const char *nl = offset > 0 ? memrchr(text, '\n', offset) : NULL;
	size_t start = nl != NULL ? (size_t)(nl - text) + 1 : 0, end = start;

	while (end < offset && (text[end] == ' ' || text[end] == '\t'))
		end++;
	buf_reserve(out, 1);
	buf_add(out, text + start, end - start);
}

static bool
has_newline(const char *text, size_t from, size_t to)
{
	return memchr(text + from, '\n', to - from) != NULL;
}

static void
put_value(struct merge *m, size_t place, const json_t *v, bool lines)
{
	struct buf indent = {0};
	json_t *clean = stripped(v);

	if (lines)
		indent_at(m->text, place, &indent);
	jsonput_value(&m->style, clean, &indent, lines, m->out);
	json_decref(clean);
	buf_free(&indent);
}

static void
change_member(struct merge *m, const struct json_member *old, const json_t *v)
{
	if (v == NULL)
		return;
	if (json_is_object(v) && old->object != NULL) {
		merge_object(m, old->object, v);
		return;
	}
	if (is_equal(m, old, v))
		return;
	keep_to(m, old->value);
	put_value(m, old->key, v, has_newline(m->text, old->lead, old->key));
	m->done = old->value_end;
}

/* The keys of patch that o has. A name that is no text is none of them. */
static json_t *
known_keys(const struct json_object *o, const json_t *patch)
{
	json_t *known = json_object();

	for (size_t i = 0; i < o->count; i++) {
		const struct json_member *m = &o->members[i];

		if (patch_of(patch, m) != NULL)
			json_object_setn_new_nocheck(known, m->name,
			    m->name_len, json_null());
	}
	return known;
}

/* One new member, as its sibling is laid out. */
static void
add_like(struct merge *m, const struct json_member *sibling, const char *key,
    const json_t *v)
{
	bool lines = has_newline(m->text, sibling->lead, sibling->key);

	buf_add(m->out, m->text + sibling->lead, sibling->key - sibling->lead);
	jsonput_key(&m->style, key, strlen(key), m->out);
	put_value(m, sibling->key, v, lines);
}

/* One new member of an object that was written as {}. */
static void
add_first(struct merge *m, const struct json_object *o, const char *key,
    const json_t *v)
{
	struct buf indent = {0};
	json_t *clean = stripped(v);

	indent_at(m->text, o->open, &indent);
	buf_add(&indent, m->style.unit.bytes, m->style.unit.len);
	if (m->style.lines) {
		buf_puts(m->out, m->style.eol);
		buf_add(m->out, indent.bytes, indent.len);
	}
	jsonput_key(&m->style, key, strlen(key), m->out);
	jsonput_value(&m->style, clean, &indent, m->style.lines, m->out);
	json_decref(clean);
	buf_free(&indent);
}

/* What patch adds; some: another member stands before them. */
static bool
add_members(struct merge *m, const struct json_object *o, const json_t *patch,
    const struct json_member *sibling, bool some)
{
	json_t *known = known_keys(o, patch);

	for (void *it = json_object_iter((json_t *)(uintptr_t)patch);
	     it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)patch, it)) {
		const char *key = json_object_iter_key(it);
		const json_t *v = json_object_iter_value(it);

		if (json_is_null(v) || json_object_get(known, key) != NULL)
			continue;
		if (some && sibling == NULL && !m->style.lines)
			buf_puts(m->out, m->style.comma);
		else if (some)
			buf_putc(m->out, ',');
		if (sibling != NULL)
			add_like(m, sibling, key, v);
		else
			add_first(m, o, key, v);
		some = true;
	}
	json_decref(known);
	return some;
}

/* All members go, or there were none; what is added makes it anew. */
static void
refill(struct merge *m, const struct json_object *o, const json_t *patch)
{
	const struct json_member *first = o->count > 0 ? o->members : NULL;
	const struct json_member *last =
	    o->count > 0 ? &o->members[o->count - 1] : NULL;
	struct buf indent = {0};
	size_t mark;

	keep_to(m, o->open + 1);
	mark = m->out->len;
	if (!add_members(m, o, patch, first, false)) {
		if (o->count == 0)
			return; /* whatever blanks stand between the braces */
		m->out->len = mark;
	} else if (last != NULL) {
		buf_add(m->out, m->text + last->value_end,
		    o->close - last->value_end);
	} else if (m->style.lines) {
		indent_at(m->text, o->open, &indent);
		buf_puts(m->out, m->style.eol);
		buf_add(m->out, indent.bytes, indent.len);
	}
	m->done = o->close;
	buf_free(&indent);
}

/* The last member that stays, o->count where none does. */
static size_t
last_kept(const struct json_object *o, const json_t *patch)
{
	for (size_t i = o->count; i-- > 0;)
		if (!json_is_null(patch_of(patch, &o->members[i])))
			return i;
	return o->count;
}

static void
merge_object(struct merge *m, const struct json_object *o, const json_t *patch)
{
	size_t last = last_kept(o, patch);
	const struct json_member *sibling;

	if (last == o->count) {
		refill(m, o, patch);
		return;
	}
	for (size_t i = 0; i <= last; i++) {
		const struct json_member *old = &o->members[i];
		const json_t *v = patch_of(patch, old);

		if (!json_is_null(v)) {
			change_member(m, old, v);
			continue;
		}
		keep_to(m, old->lead);
		m->done = old->comma + 1;
	}
	sibling = &o->members[last];
	keep_to(m, sibling->value_end);
	(void)add_members(m, o, patch, sibling, true);
	m->done = o->members[o->count - 1].value_end;
}

/* How the text is laid out, by its first members. */
static void
learn(struct json_style *s, const char *text, const struct json_object *root)
{
	const struct json_member *first = root->members;
	const char *nl;

	*s = (struct json_style){.lines = true, .eol = "\n", .comma = ", "};
	nl = memchr(text, '\n', root->close);
	if (nl != NULL && nl > text && nl[-1] == '\r')
		s->eol = "\r\n";
	if (root->count == 0) {
		buf_puts(&s->colon, ": ");
		buf_puts(&s->unit, "  ");
		return;
	}
	buf_add(&s->colon, text + first->key_end,
	    first->value - first->key_end);
	s->lines = has_newline(text, first->lead, first->key);
	buf_reserve(&s->unit, 1);
	if (s->lines)
		indent_at(text, first->key, &s->unit);
	if (root->count > 1 ? root->members[1].key == root->members[1].lead
			    : s->colon.bytes[s->colon.len - 1] == ':')
		s->comma = ",";
}

static json_t *
not_json(const char *text, size_t len, const struct json_trouble *t)
{
	bool root = t->what == NULL;
	size_t line = match_line(text, t->offset);
	const char *nl = t->offset > 0 ? memrchr(text, '\n', t->offset) : NULL;
	const char *start = nl != NULL ? nl + 1 : text;
	const char *end = memchr(start, '\n', len - (size_t)(start - text));
	size_t n = (size_t)((end != NULL ? end : text + len) - start);

	return json_pack("{s:s, s:s, s:{s:I, s:I, s:s, s:o}, s:s}", "code",
	    "not-json", "tier_reached", "merge", "first_divergence",
	    "file_line", (json_int_t)line, "file_column",
	    (json_int_t)(t->offset - (size_t)(start - text)) + 1, "expected",
	    root ? "an object" : "JSON", "actual",
	    utf8_json(start, n < SHOWN ? n : SHOWN), "hint",
	    root ? "the file is JSON, but no object: a merge would replace all "
		   "of it; use contents"
		 : t->what);
}

int
merge_apply(const char *text, size_t len, const json_t *patch, struct buf *out,
    json_t **error)
{
	struct merge m = {.text = text, .out = out};
	struct json_trouble trouble;
	struct json_object *root = jsontext_read(text, len, &trouble);

	if (root == NULL) {
		*error = not_json(text, len, &trouble);
		return -1;
	}
	learn(&m.style, text, root);
	merge_object(&m, root, patch);
	keep_to(&m, len);
	buf_free(&m.style.unit);
	buf_free(&m.style.colon);
	jsontext_free(root);
	return 0;
}

void
merge_create(const json_t *patch, struct buf *out)
{
	static const char empty[] = "{}\n";
	json_t *error = NULL;

	(void)merge_apply(empty, sizeof(empty) - 1, patch, out, &error);
	json_decref(error);
}
