/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/pathjson.h"
#include "executor/utf8.h"

static char *
hex_of(const char *path)
{
	struct buf hex = {0};

	for (; *path != '\0'; path++)
		buf_printf(&hex, "%02x", (unsigned)(unsigned char)*path);
	return buf_take(&hex);
}

static bool
is_exact(const char *path)
{
	size_t bad;

	return utf8_valid(path, strlen(path), &bad);
}

void
pathjson_put(json_t *doc, const char *path)
{
	char *hex;

	json_object_set_new(doc, "path", utf8_string(path));
	if (is_exact(path))
		return;
	hex = hex_of(path);
	json_object_set_new(doc, "hex", json_string(hex));
	free(hex);
}

static char *
bytes_of(const char *hex)
{
	struct buf out = {0};

	for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
		char two[3] = {hex[0], hex[1], '\0'};

		buf_putc(&out, (char)strtoul(two, NULL, 16));
	}
	return buf_take(&out);
}

char *
pathjson_take(const json_t *doc)
{
	const char *hex = json_string_value(json_object_get(doc, "hex"));
	const char *s = json_string_value(json_object_get(doc, "path"));

	if (hex != NULL)
		return bytes_of(hex);
	return s != NULL ? xstrdup(s) : NULL;
}

/* No path in a workspace begins with a slash. */
char *
pathjson_key(const char *path)
{
	char *hex, *key;

	if (is_exact(path))
		return xstrdup(path);
	hex = hex_of(path);
	key = xasprintf("/%s", hex);
	free(hex);
	return key;
}

bool
pathjson_is(const json_t *doc, const char *path)
{
	char *p = pathjson_take(doc);
	bool same = p != NULL && strcmp(p, path) == 0;

	free(p);
	return same;
}
