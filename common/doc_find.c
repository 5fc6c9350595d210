/* SPDX-License-Identifier: ISC */
/* Where in YAML text the value at a path stands. */
#include <string.h>
#include <yaml.h>

#include "common/doc_part.h"

/* The position of a path: how far into the wanted steps this node lies. */
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
