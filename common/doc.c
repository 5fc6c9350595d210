/* SPDX-License-Identifier: ISC */
/* Documents of either format: which one it is, JSON by jansson, places. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc_part.h"
#include "common/utf8.h"

#define BOM "\xef\xbb\xbf"

static size_t
bom_length(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, BOM, 3) == 0 ? 3 : 0;
}

enum doc_format
doc_guess(const char *text, size_t len)
{
	size_t i = bom_length(text, len);

	while (i < len && strchr(" \t\r\n", text[i]) != NULL && text[i] != '\0')
		i++;
	if (i == len)
		return DOC_YAML;
	if (text[i] == '{' || text[i] == '[')
		return DOC_JSON;
	/* A comment on top of what was meant as JSON. */
	if (text[i] == '/' && i + 1 < len &&
	    (text[i + 1] == '/' || text[i + 1] == '*'))
		return DOC_JSON;
	return DOC_YAML;
}

void
doc_complain(struct doc_error *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	if (n < 0)
		err->reason[0] = '\0';
}

void
doc_place(const char *text, size_t len, size_t pos, struct doc_error *err)
{
	const char *p = text, *stop, *nl;

	if (pos > len)
		pos = len;
	stop = text + pos;
	err->line = 1;
	while ((nl = memchr(p, '\n', (size_t)(stop - p))) != NULL) {
		if (err->line < INT32_MAX)
			err->line++;
		p = nl + 1;
	}
	err->column = stop - p < INT32_MAX ? (int)(stop - p) + 1 : INT32_MAX;
}

/* False, with the place of the first byte that is not UTF-8. */
static bool
is_utf8(const char *text, size_t len, struct doc_error *err)
{
	size_t i = 0, n;

	while (i < len) {
		n = utf8_sequence(text + i, len - i);
		if (n == 0) {
			doc_place(text, len, i, err);
			doc_complain(err, "byte 0x%02x is not UTF-8",
			    (unsigned)(unsigned char)text[i]);
			return false;
		}
		i += n;
	}
	return true;
}

/* Bounds depth and size before jansson builds anything. */
static bool
is_bounded(const char *text, size_t len, struct doc_error *err)
{
	size_t depth = 0, nodes = 0, i;
	bool quoted = false;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		quoted = c == '"';
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if ((c == '{' || c == '[' || c == ',') && nodes++ == DOC_NODES)
			break;
		if (depth > DOC_DEPTH)
			break;
	}
	if (i >= len)
		return true;
	doc_place(text, len, i, err);
	if (depth > DOC_DEPTH)
		doc_complain(err, "nested deeper than %d levels", DOC_DEPTH);
	else
		doc_complain(err, "more than %d values", DOC_NODES);
	return false;
}

static json_t *
parse_json(const char *text, size_t len, struct doc_error *err)
{
	json_error_t e;
	json_t *doc;
	size_t seen;

	if (!is_bounded(text, len, err))
		return NULL;
	doc =
	    json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (doc != NULL)
		return doc;
	seen = e.position > 0 ? (size_t)e.position : 0;
	doc_json_explain(text, len, seen, e.text, err);
	return NULL;
}

static json_t *
parse(const char *text, size_t len, enum doc_format format, bool strict,
    struct doc_error *err)
{
	size_t bom = bom_length(text, len);
	json_t *doc;

	*err = (struct doc_error){0};
	if (!is_utf8(text, len, err))
		return NULL;
	if (format == DOC_JSON)
		doc = parse_json(text + bom, len - bom, err);
	else
		doc = doc_yaml_parse(text + bom, len - bom, strict, err);
	if (doc == NULL && err->line == 1)
		err->column += (int)bom;
	return doc;
}

json_t *
doc_parse(const char *text, size_t len, enum doc_format format,
    struct doc_error *err)
{
	return parse(text, len, format, false, err);
}

json_t *
doc_parse_any(const char *text, size_t len, enum doc_format *format,
    struct doc_error *err)
{
	struct doc_error second;
	json_t *doc;

	*format = doc_guess(text, len);
	doc = parse(text, len, *format, false, err);
	if (doc != NULL || *format == DOC_YAML)
		return doc;
	doc = parse(text, len, DOC_YAML, true, &second);
	if (doc == NULL)
		return NULL;
	if (!json_is_object(doc) && !json_is_array(doc)) {
		json_decref(doc);
		return NULL;
	}
	*format = DOC_YAML;
	return doc;
}

static int
quoted_key(const char **path, struct doc_step *step)
{
	const char *p = *path + 2;
	size_t n = 0;

	while (*p != '\0' && *p != '"') {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (n + 1 < sizeof(step->key))
			step->key[n++] = *p;
		p++;
	}
	step->key[n] = '\0';
	if (*p == '"')
		p++;
	*path = *p == ']' ? p + 1 : p;
	return 1;
}

int
doc_path_next(const char **path, struct doc_step *step)
{
	const char *p = *path;
	size_t n;
	char *end;

	*step = (struct doc_step){.index = -1};
	if (*p == '.')
		p++;
	if (*p == '\0')
		return 0;
	*path = p;
	if (p[0] == '[' && p[1] == '"')
		return quoted_key(path, step);
	if (p[0] == '[') {
		step->index = strtol(p + 1, &end, 10);
		*path = *end == ']' ? end + 1 : end;
		return step->index >= 0 && *path != p + 1;
	}
	n = strcspn(p, ".[");
	if (n >= sizeof(step->key))
		return 0;
	memcpy(step->key, p, n);
	*path = p + n;
	return 1;
}

void
doc_locate(const char *text, size_t len, enum doc_format format,
    const char *path, struct doc_error *err)
{
	size_t bom = bom_length(text, len);
	size_t pos = format == DOC_JSON
			 ? doc_json_find(text + bom, len - bom, path)
			 : doc_yaml_find(text + bom, len - bom, path);

	doc_place(text, len, bom + pos, err);
}
