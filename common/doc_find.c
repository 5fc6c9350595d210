/* SPDX-License-Identifier: ISC */
/* Where in accepted text the value at a path stands. */
#include <string.h>
#include <yaml.h>

#include "common/doc_part.h"

/* In YAML: by libyaml's events, up to the wanted one. */
struct find {
	yaml_parser_t parser;
	const char *path;
	size_t best; /* in characters */
};

static bool find_node(struct find *f, const yaml_event_t *e, const char *path);

/* Children until the wanted one; the rest of the text is not read. */
static bool
find_child(struct find *f, bool map, const char *path)
{
	struct doc_step step;
	bool wanted = path != NULL && doc_path_next(&path, &step) == 1;
	yaml_event_t e;

	for (long i = 0; yaml_parser_parse(&f->parser, &e); i++) {
		bool end = e.type == YAML_MAPPING_END_EVENT ||
			   e.type == YAML_SEQUENCE_END_EVENT;
		bool hit = false, found;

		/* Behind the end libyaml answers with no event for ever. */
		if (e.type == YAML_NO_EVENT)
			return true;
		if (wanted && !map)
			hit = step.index == i;
		if (!end && map) {
			hit = wanted && step.index < 0 &&
			      e.type == YAML_SCALAR_EVENT &&
			      strcmp((const char *)e.data.scalar.value,
				  step.key) == 0;
			yaml_event_delete(&e);
			if (!yaml_parser_parse(&f->parser, &e))
				return true;
		}
		found = end || find_node(f, &e, hit ? path : NULL) || hit;
		yaml_event_delete(&e);
		if (found)
			return !end;
	}
	return true;
}

/* True when the search is over. path is NULL off the wanted line. */
static bool
find_node(struct find *f, const yaml_event_t *e, const char *path)
{
	if (path != NULL)
		f->best = e->start_mark.index;
	if (e->type == YAML_MAPPING_START_EVENT)
		return find_child(f, true, path) || path != NULL;
	if (e->type == YAML_SEQUENCE_START_EVENT)
		return find_child(f, false, path) || path != NULL;
	return path != NULL;
}

size_t
doc_yaml_find(const char *text, size_t len, const char *path)
{
	struct find f = {.path = path};
	yaml_event_t e;
	bool over = false;

	if (!yaml_parser_initialize(&f.parser))
		return 0;
	yaml_parser_set_encoding(&f.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&f.parser, (const unsigned char *)text,
	    len);
	while (!over && yaml_parser_parse(&f.parser, &e)) {
		over =
		    e.type == YAML_STREAM_END_EVENT || e.type == YAML_NO_EVENT;
		if (e.type != YAML_STREAM_START_EVENT &&
		    e.type != YAML_DOCUMENT_START_EVENT && !over)
			over = find_node(&f, &e, path) || true;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&f.parser);
	return doc_byte_of(text, len, f.best);
}

/* A walk over JSON that jansson accepted; it ends in any other text too. */
struct walk {
	const char *text;
	size_t len;
	size_t pos;
};

static char
peek(const struct walk *w)
{
	return w->pos < w->len ? w->text[w->pos] : '\0';
}

static void
skip_space(struct walk *w)
{
	while (peek(w) != '\0' && strchr(" \t\r\n", peek(w)) != NULL)
		w->pos++;
}

/* Over a string and its quotes. */
static void
skip_string(struct walk *w)
{
	for (w->pos++; w->pos < w->len && peek(w) != '"'; w->pos++)
		w->pos += peek(w) == '\\';
	w->pos = w->pos < w->len ? w->pos + 1 : w->len;
}

/* Over one value, nested or not, up to the ',' or bracket behind it. */
static void
skip_value(struct walk *w)
{
	size_t depth = 0;

	while (w->pos < w->len) {
		char c = peek(w);

		if (c == '"') {
			skip_string(w);
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		w->pos++;
	}
}

/* Onto the value of the member that begins here, if key is its key. */
static bool
enter_member(struct walk *w, const char *key)
{
	size_t from = w->pos + 1, want = strlen(key);
	bool hit;

	if (peek(w) != '"') {
		w->pos = w->len;
		return false;
	}
	skip_string(w);
	hit =
	    w->pos - 1 - from == want && memcmp(w->text + from, key, want) == 0;
	skip_space(w);
	w->pos += peek(w) == ':';
	skip_space(w);
	return hit;
}

/* Moves onto the child that step names; false where there is none. */
static bool
descend(struct walk *w, const struct doc_step *step)
{
	bool object = peek(w) == '{';

	if (object != (step->index < 0) || (!object && peek(w) != '['))
		return false;
	w->pos++;
	for (long i = 0; w->pos < w->len; i++) {
		bool hit = i == step->index;

		skip_space(w);
		if (peek(w) == '}' || peek(w) == ']')
			return false;
		if (object)
			hit = enter_member(w, step->key);
		if (hit)
			return w->pos < w->len;
		skip_value(w);
		if (peek(w) != ',')
			return false;
		w->pos++;
	}
	return false;
}

size_t
doc_json_find(const char *text, size_t len, const char *path)
{
	struct walk w = {.text = text, .len = len};
	struct doc_step step;
	size_t found;

	skip_space(&w);
	found = w.pos;
	while (doc_path_next(&path, &step) == 1 && descend(&w, &step))
		found = w.pos;
	return found < len ? found : 0;
}
