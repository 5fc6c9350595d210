/* SPDX-License-Identifier: ISC */
/*
 * YAML text to a value, from libyaml's events. Not its document tree: that
 * takes duplicate keys, expands nothing we could count, and forgets where a
 * value stood.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/buf.h"
#include "common/doc_part.h"

struct load {
	yaml_parser_t parser;
	const char *text;
	size_t len;
	struct doc_error *err;
	json_t *anchors; /* name -> {"value": …, "nodes": n, "bytes": n} */
	size_t nodes;    /* with every alias counted as what it stands for */
	size_t bytes;    /* of words and texts, counted alike */
	bool strict;
};

size_t
doc_byte_of(const char *text, size_t len, size_t chars_before)
{
	size_t pos = 0, chars = 0;

	while (pos < len && chars < chars_before) {
		pos++;
		while (pos < len && ((unsigned char)text[pos] & 0xc0) == 0x80)
			pos++;
		chars++;
	}
	return pos;
}

__attribute__((format(printf, 3, 4))) static json_t *
refuse(struct load *l, const yaml_mark_t *mark, const char *fmt, ...)
{
	char reason[sizeof(l->err->reason)];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	doc_place(l->text, l->len, doc_byte_of(l->text, l->len, mark->index),
	    l->err);
	doc_complain(l->err, "%s", n < 0 ? "" : reason);
	return NULL;
}

/*
 * libyaml says which of its productions failed; whoever mends the document
 * wants to know what to type instead. Found by a part of the sentence, since
 * releases word the rest differently; one that is not here passes as it is.
 */
static const struct {
	const char *problem;
	const char *words;
} problems[] = {
    {"mapping values are not allowed",
	"a ':' where no key can stand: quote the value, or mend the "
	"indentation"},
    {"did not find expected key",
	"no key where one belongs: look at the indentation and at quotes "
	"above"},
    {"could not find expected ':'",
	"no ':' behind this key: look at quotes and indentation above"},
    {"did not find expected '-'",
	"no '-' where one belongs: look at the indentation"},
    {"found unknown escape", "a backslash that YAML does not know: write \\\\"},
    {"found unexpected end of stream", "a quote above is never closed"},
    {"did not find expected <document start>",
	"text behind the document's end"},
    {"did not find expected ',' or '}'", "no ',' or '}' where one belongs"},
    {"did not find expected ',' or ']'", "no ',' or ']' where one belongs"},
    {"found undefined tag handle", "a '!' tag: quote the value"},
    {"did not find expected alphabetic or numeric character",
	"'*' and '&' begin references: quote the value"},
    {"found a tab character", "a tab in the indentation: YAML wants spaces"},
};

static void
explain_token(struct load *l, const yaml_mark_t *mark)
{
	size_t pos = doc_byte_of(l->text, l->len, mark->index);
	char c = pos < l->len ? l->text[pos] : '\0';

	if (c == '\t')
		(void)refuse(l, mark,
		    "a tab in the indentation: YAML wants spaces");
	else
		(void)refuse(l, mark,
		    "a value cannot begin with '%c': quote it", c);
}

static void
explain_reader(struct load *l)
{
	doc_place(l->text, l->len, l->parser.problem_offset, l->err);
	doc_complain(l->err, "a control character (0x%02x) in the text",
	    (unsigned int)l->parser.problem_value & 0xffU);
}

static void
explain(struct load *l)
{
	const char *problem = l->parser.problem;
	const yaml_mark_t *mark = &l->parser.problem_mark;

	if (l->parser.error == YAML_READER_ERROR) {
		explain_reader(l);
		return;
	}
	if (problem == NULL)
		problem = "not YAML";
	if (strstr(problem, "cannot start any token") != NULL) {
		explain_token(l, mark);
		return;
	}
	for (size_t i = 0; i < sizeof(problems) / sizeof(problems[0]); i++)
		if (strstr(problem, problems[i].problem) != NULL) {
			(void)refuse(l, mark, "%s", problems[i].words);
			return;
		}
	(void)refuse(l, mark, "%s", problem);
}

static bool
next(struct load *l, yaml_event_t *event)
{
	if (yaml_parser_parse(&l->parser, event))
		return true;
	if (l->parser.error == YAML_MEMORY_ERROR)
		doc_complain(l->err, "out of memory");
	else
		explain(l);
	return false;
}

static bool
tag_fits(const char *tag, const json_t *v)
{
	static const struct {
		const char *name;
		json_type type;
	} core[] = {{"int", JSON_INTEGER}, {"float", JSON_REAL},
	    {"null", JSON_NULL}, {"bool", JSON_TRUE}, {"bool", JSON_FALSE}};

	for (size_t i = 0; i < sizeof(core) / sizeof(core[0]); i++)
		if (strcmp(tag, core[i].name) == 0 &&
		    json_typeof(v) == core[i].type)
			return true;
	return false;
}

/* The tag's name in the core schema; "" none, NULL for a foreign one. */
static const char *
core_tag(const yaml_char_t *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	const char *s = (const char *)tag;

	if (s == NULL)
		return "";
	if (strcmp(s, "!") == 0)
		return "str";
	if (strncmp(s, prefix, sizeof(prefix) - 1) == 0)
		return s + sizeof(prefix) - 1;
	return NULL;
}

static json_t *
tagged(struct load *l, const yaml_event_t *e, const char *tag)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	json_t *v;

	if (tag == NULL || strcmp(tag, "binary") == 0)
		return refuse(l, &e->start_mark,
		    "the tag %.80s is not known here",
		    (const char *)e->data.scalar.tag);
	if (strcmp(tag, "str") == 0)
		return json_stringn(s, len);
	v = doc_yaml_plain(s, len);
	if (v != NULL && tag_fits(tag, v))
		return v;
	json_decref(v);
	return refuse(l, &e->start_mark, "this value is no !!%.40s", tag);
}

/* Bytes in a plain scalar that show a quote gone wrong. */
static bool
holds_quote(const char *s)
{
	return strchr(s, '"') != NULL || strstr(s, "\xe2\x80\x9c") != NULL ||
	       strstr(s, "\xe2\x80\x9d") != NULL;
}

/* See strict in doc_part.h: what YAML would take and nobody meant. */
static bool
is_careless(const struct load *l, const yaml_event_t *e)
{
	if (!l->strict)
		return false;
	if (e->start_mark.line != e->end_mark.line)
		return true;
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       holds_quote((const char *)e->data.scalar.value);
}

static json_t *
scalar(struct load *l, const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	json_t *v;

	if (memchr(s, '\0', len) != NULL)
		return refuse(l, &e->start_mark,
		    "\\0 (NUL) cannot stand in text: give binary contents as "
		    "base64");
	if (is_careless(l, e))
		return refuse(l, &e->start_mark, "neither JSON nor YAML");
	if (e->data.scalar.tag != NULL)
		return tagged(l, e, core_tag(e->data.scalar.tag));
	if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_stringn(s, len);
	v = doc_yaml_plain(s, len);
	if (v == NULL)
		return refuse(l, &e->start_mark,
		    "this number is out of range: quote it");
	return v;
}

static json_t *node(struct load *l, const yaml_event_t *e, int depth);

/*
 * An alias shares its value but counts as all of it: ten lines of aliases to
 * aliases would else be a billion values for whoever walks them, and a long
 * text with a thousand of them as many times its bytes for whoever writes it.
 */
static json_t *
alias(struct load *l, const yaml_event_t *e)
{
	json_t *known =
	    json_object_get(l->anchors, (const char *)e->data.alias.anchor);

	if (known == NULL)
		return refuse(l, &e->start_mark, "*%.80s stands for nothing",
		    (const char *)e->data.alias.anchor);
	l->nodes += (size_t)json_integer_value(json_object_get(known, "nodes"));
	l->bytes += (size_t)json_integer_value(json_object_get(known, "bytes"));
	return json_incref(json_object_get(known, "value"));
}

static bool
is_merge(const yaml_event_t *e)
{
	return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       strcmp((const char *)e->data.scalar.value, "<<") == 0;
}

static bool
key(struct load *l, const json_t *map, const yaml_event_t *e)
{
	const char *s = (const char *)e->data.scalar.value;

	if (e->type != YAML_SCALAR_EVENT)
		(void)refuse(l, &e->start_mark, "a key must be one word");
	else if (strlen(s) != e->data.scalar.length)
		(void)refuse(l, &e->start_mark, "a NUL in a key");
	else if (is_merge(e))
		(void)refuse(l, &e->start_mark,
		    "merge keys (<<) are not part of YAML 1.2");
	else if (is_careless(l, e))
		(void)refuse(l, &e->start_mark, "neither JSON nor YAML");
	else if (json_object_get(map, s) != NULL)
		(void)refuse(l, &e->start_mark,
		    "the key \"%.80s\" stands twice", s);
	else
		return true;
	return false;
}

static json_t *
mapping(struct load *l, int depth)
{
	json_t *map = json_object(), *v;
	yaml_event_t k, e;

	while (map != NULL) {
		bool ok;

		if (!next(l, &k))
			break;
		if (k.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&k);
			return map;
		}
		v = NULL;
		if (key(l, map, &k) && next(l, &e)) {
			l->bytes += k.data.scalar.length;
			v = node(l, &e, depth);
			yaml_event_delete(&e);
		}
		ok =
		    v != NULL && json_object_set_new(map,
				     (const char *)k.data.scalar.value, v) == 0;
		yaml_event_delete(&k);
		if (!ok)
			break;
	}
	json_decref(map);
	return NULL;
}

static json_t *
sequence(struct load *l, int depth)
{
	json_t *list = json_array(), *v;
	yaml_event_t e;

	while (list != NULL && next(l, &e)) {
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			return list;
		}
		v = node(l, &e, depth);
		yaml_event_delete(&e);
		if (v == NULL || json_array_append_new(list, v) == -1)
			break;
	}
	json_decref(list);
	return NULL;
}

static json_t *
collection(struct load *l, const yaml_event_t *e, int depth)
{
	bool map = e->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *given =
	    map ? e->data.mapping_start.tag : e->data.sequence_start.tag;
	const char *tag = core_tag(given);

	if (depth >= DOC_DEPTH)
		return refuse(l, &e->start_mark, "nested deeper than %d levels",
		    DOC_DEPTH);
	if (tag == NULL ||
	    (*tag != '\0' && strcmp(tag, map ? "map" : "seq") != 0))
		return refuse(l, &e->start_mark,
		    "the tag %.80s is not known here", (const char *)given);
	return map ? mapping(l, depth + 1) : sequence(l, depth + 1);
}

static const char *
anchor_of(const yaml_event_t *e)
{
	if (e->type == YAML_SCALAR_EVENT)
		return (const char *)e->data.scalar.anchor;
	if (e->type == YAML_MAPPING_START_EVENT)
		return (const char *)e->data.mapping_start.anchor;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return (const char *)e->data.sequence_start.anchor;
	return NULL;
}

/* After the value is whole, so that nothing can contain itself. */
static bool
remember(struct load *l, const char *anchor, json_t *v, size_t nodes,
    size_t bytes)
{
	json_t *entry = json_pack("{s:O, s:I, s:I}", "value", v, "nodes",
	    (json_int_t)nodes, "bytes", (json_int_t)bytes);

	return entry != NULL &&
	       json_object_set_new(l->anchors, anchor, entry) == 0;
}

static json_t *
node(struct load *l, const yaml_event_t *e, int depth)
{
	size_t before = l->nodes++, bytes = l->bytes;
	json_t *v;

	if (e->type == YAML_ALIAS_EVENT)
		v = alias(l, e);
	else if (e->type == YAML_SCALAR_EVENT)
		v = scalar(l, e);
	else
		v = collection(l, e, depth);
	if (e->type == YAML_SCALAR_EVENT)
		l->bytes += e->data.scalar.length;
	if (v == NULL)
		return NULL;
	if (l->nodes > DOC_NODES || l->bytes > DOC_BYTES) {
		json_decref(v);
		return refuse(l, &e->start_mark, "more than %d %s",
		    l->nodes > DOC_NODES ? DOC_NODES : DOC_BYTES,
		    l->nodes > DOC_NODES ? "values" : "bytes of text");
	}
	if (anchor_of(e) != NULL && !remember(l, anchor_of(e), v,
					l->nodes - before, l->bytes - bytes)) {
		json_decref(v);
		return NULL;
	}
	return v;
}

/* Reads up to the first event of a kind that matters. */
static bool
skip_to_root(struct load *l, yaml_event_t *e)
{
	while (next(l, e)) {
		if (e->type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(e);
			doc_complain(l->err, "the text is empty");
			return false;
		}
		if (e->type != YAML_STREAM_START_EVENT &&
		    e->type != YAML_DOCUMENT_START_EVENT)
			return true;
		yaml_event_delete(e);
	}
	return false;
}

static bool
ends_here(struct load *l)
{
	yaml_event_t e;
	bool end;

	if (!next(l, &e))
		return false;
	yaml_event_delete(&e);
	if (!next(l, &e))
		return false;
	end = e.type == YAML_STREAM_END_EVENT;
	if (!end)
		(void)refuse(l, &e.start_mark,
		    "a second document (---): one at a time");
	yaml_event_delete(&e);
	return end;
}

static json_t *
load(struct load *l)
{
	yaml_event_t e;
	json_t *v;

	if (!skip_to_root(l, &e))
		return NULL;
	v = node(l, &e, 0);
	yaml_event_delete(&e);
	if (v != NULL && !ends_here(l)) {
		json_decref(v);
		return NULL;
	}
	return v;
}

json_t *
doc_yaml_parse(const char *text, size_t len, bool strict, struct doc_error *err)
{
	struct load l = {.text = text,
	    .len = len,
	    .err = err,
	    .strict = strict};
	json_t *v = NULL;

	l.anchors = json_object();
	if (l.anchors != NULL && yaml_parser_initialize(&l.parser)) {
		yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&l.parser,
		    (const unsigned char *)text, len);
		v = load(&l);
		yaml_parser_delete(&l.parser);
	}
	json_decref(l.anchors);
	if (v == NULL && err->reason[0] == '\0')
		doc_complain(err, "out of memory");
	return v;
}
