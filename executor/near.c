/* SPDX-License-Identifier: ISC */
/* Candidates and first divergence of a text that was not found as said. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/digest.h"
#include "executor/near.h"
#include "executor/utf8.h"

#define CANDIDATES 5
#define LEAST_SCORE 0.3
#define SHOWN 200          /* bytes of a line that are quoted */
#define WORK_MAX 40000000u /* line comparisons; beyond, only the first line */

#define QUOTED 40 /* lines of the best candidate that are quoted */
#define LOOK 3    /* lines ahead, for one that came or went */

struct candidate {
	size_t line;
	double score;
};

static json_t *
quote(const struct line *l)
{
	return utf8_json(l->s, l->len < SHOWN ? l->len : SHOWN);
}

/* Common start and end over the longer length. */
static double
likeness(const struct line *a, const struct line *b)
{
	size_t ai = line_indent(a), bi = line_indent(b);
	size_t an = line_trim(a), bn = line_trim(b);
	size_t head = 0, tail = 0, least, most;

	an = an > ai ? an - ai : 0;
	bn = bn > bi ? bn - bi : 0;
	least = an < bn ? an : bn;
	most = an < bn ? bn : an;
	if (least == 0)
		return 0;
	while (head < least && a->s[ai + head] == b->s[bi + head])
		head++;
	while (tail < least - head &&
	       a->s[ai + an - 1 - tail] == b->s[bi + bn - 1 - tail])
		tail++;
	return (double)(head + tail) / (double)most;
}

static double
score(const struct lines *t, size_t at, const struct lines *f)
{
	size_t hits = 0, solid = 0;

	if (f->count == 1 || t->count * f->count > WORK_MAX)
		return likeness(&t->items[at], &f->items[0]);
	for (size_t j = 0; j < f->count; j++) {
		if (line_trim(&f->items[j]) == 0)
			continue;
		solid++;
		if (at + j < t->count &&
		    line_same_words(&t->items[at + j], &f->items[j]))
			hits++;
	}
	if (hits == 0)
		return likeness(&t->items[at], &f->items[0]) /
		       (double)(solid + 1);
	return (double)hits / (double)solid;
}

/* Keeps best sorted, the highest score first; earlier lines win ties. */
static void
offer(struct candidate best[CANDIDATES], size_t line, double s)
{
	size_t at = CANDIDATES;

	while (at > 0 && best[at - 1].score < s)
		at--;
	if (at == CANDIDATES)
		return;
	memmove(&best[at + 1], &best[at],
	    (CANDIDATES - at - 1) * sizeof(best[0]));
	best[at] = (struct candidate){line, s};
}

/* How many of f's lines come in order from at on, with a few between. */
static size_t
in_order(const struct lines *t, size_t at, const struct lines *f)
{
	size_t hits = 0;

	for (size_t j = 0; j < f->count; j++) {
		size_t i = at;

		while (i < t->count && i < at + LOOK &&
		       !line_same_words(&t->items[i], &f->items[j]))
			i++;
		if (i < t->count && i < at + LOOK) {
			hits += line_trim(&f->items[j]) > 0 ? 2 : 1;
			at = i + 1;
		}
	}
	return hits;
}

/* Line by line the score prefers the longer part around a line that came or
 * went: where does the whole begin? */
static size_t
refine(const struct lines *t, size_t line, const struct lines *f)
{
	size_t best = line, most = 0;
	size_t from = line >= LOOK - 1 ? line - (LOOK - 1) : 0;

	if (f->count < 2)
		return line;
	for (size_t i = from; i < t->count && i < line + LOOK; i++) {
		/* The first line where it should be is worth one more. */
		size_t hits = 2 * in_order(t, i, f) +
			      line_same_words(&t->items[i], &f->items[0]);

		if (hits > most) {
			most = hits;
			best = i;
		}
	}
	return best;
}

/* The best candidate as it stands in the file, so that it can be copied. */
static json_t *
quote_all(const struct lines *t, size_t line, size_t count)
{
	struct buf b = {0};
	json_t *text;

	for (size_t i = line; i < t->count && i < line + count; i++) {
		const struct line *l = &t->items[i];

		buf_add(&b, l->s, l->len < SHOWN ? l->len : SHOWN);
		buf_putc(&b, '\n');
	}
	text = utf8_json(b.bytes, b.len);
	buf_free(&b);
	return text;
}

static json_t *
show_candidates(const struct lines *t, const struct candidate *best,
    const struct lines *f)
{
	json_t *list = json_array();
	size_t wide = f->count < QUOTED - LOOK ? f->count + LOOK - 1 : QUOTED;

	for (size_t i = 0; i < CANDIDATES && best[i].score >= LEAST_SCORE; i++)
		json_array_append_new(list,
		    json_pack("{s:I,s:f,s:o}", "line",
			(json_int_t)best[i].line + 1, "score", best[i].score,
			"text",
			i == 0 && f->count > 1
			    ? quote_all(t, best[i].line, wide)
			    : quote(&t->items[best[i].line])));
	return list;
}

static json_t *
divergence(const struct lines *t, size_t at, const struct lines *f)
{
	static const struct line none = {"", 0, 0};
	size_t j = 0;

	while (j < f->count && at + j < t->count &&
	       line_same(&t->items[at + j], &f->items[j]))
		j++;
	if (j == f->count)
		j = 0; /* the lines are there, the bytes between are not */
	return json_pack("{s:I,s:I,s:o,s:o}", "find_line", (json_int_t)j + 1,
	    "file_line", (json_int_t)(at + j) + 1, "expected",
	    quote(&f->items[j]), "actual",
	    quote(at + j < t->count ? &t->items[at + j] : &none));
}

static void
explain_absent(const struct lines *t, const struct lines *f, json_t *doc)
{
	struct candidate best[CANDIDATES] = {{0, 0}};

	for (size_t i = 0; i < t->count; i++)
		offer(best, i, score(t, i, f));
	if (best[0].score >= LEAST_SCORE)
		best[0].line = refine(t, best[0].line, f);
	json_object_set_new(doc, "candidates", show_candidates(t, best, f));
	if (best[0].score < LEAST_SCORE) {
		json_object_set_new(doc, "hint",
		    json_string("nothing in the file is like this text: look "
				"at the file again, it may be another one"));
		return;
	}
	json_object_set_new(doc, "first_divergence",
	    divergence(t, best[0].line, f));
	json_object_set_new(doc, "hint",
	    json_string(
		f->count > 1 && best[0].score > 0.99
		    ? "the lines are there, but their indentation differs: "
		      "copy them from the file"
		    : "copy the text from the file: it differs first where "
		      "first_divergence says"));
}

static void
explain_count(const char *text, const struct lines *t,
    const struct match_list *m, json_t *doc)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->count && i < CANDIDATES; i++) {
		size_t line = match_line(text, m->items[i].start);

		json_array_append_new(list,
		    json_pack("{s:I,s:f,s:o}", "line", (json_int_t)line,
			"score", 1.0, "text", quote(&t->items[line - 1])));
	}
	json_object_set_new(doc, "candidates", list);
	json_object_set_new(doc, "hint",
	    json_string("add neighbouring lines to find until it is unique, "
			"or set count to the number found"));
}

static void
explain_applied(const char *text, const struct lines *t, const char *at,
    json_t *doc)
{
	size_t line = match_line(text, (size_t)(at - text));

	json_object_set_new(doc, "candidates",
	    json_pack("[{s:I,s:f,s:o}]", "line", (json_int_t)line, "score", 1.0,
		"text", quote(&t->items[line - 1])));
	json_object_set_new(doc, "hint",
	    json_string("the replacement is already in the file: leave this "
			"edit out"));
}

/* The replacement's only occurrence, NULL where there is none or more. */
static const char *
applied(const char *text, size_t len, const struct plan_text *replace)
{
	const char *at;

	if (replace->len == 0)
		return NULL;
	at = memmem(text, len, replace->bytes, replace->len);
	if (at == NULL || memmem(at + 1, len - (size_t)(at + 1 - text),
			      replace->bytes, replace->len) != NULL)
		return NULL;
	return at;
}

json_t *
near_explain(const char *text, size_t len, const struct plan_edit *e,
    const struct match_list *m)
{
	const char *there =
	    m->count == 0 ? applied(text, len, &e->replace) : NULL;
	const char *code = m->count > 0    ? "ambiguous"
			   : there != NULL ? "already-applied"
					   : "not-found";
	char digest[DIGEST_SIZE];
	struct lines t, f;
	json_t *doc;

	digest_bytes(text, len, digest);
	doc = json_pack("{s:s,s:s,s:I,s:I,s:s}", "code", code, "tier_reached",
	    match_tier_name[m->count > 0 ? m->tier : MATCH_INDENT], "found",
	    (json_int_t)m->count, "wanted", (json_int_t)e->count, "file_sha256",
	    digest);
	lines_split(text, len, &t);
	lines_split(e->find.bytes, e->find.len, &f);
	if (m->count > 0)
		explain_count(text, &t, m, doc);
	else if (there != NULL)
		explain_applied(text, &t, there, doc);
	else
		explain_absent(&t, &f, doc);
	lines_free(&t);
	lines_free(&f);
	return doc;
}
