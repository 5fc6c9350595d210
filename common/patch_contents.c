/* SPDX-License-Identifier: ISC */
/* The text that a work item writes. */
#include <string.h>

#include "common/buf.h"
#include "common/patch_part.h"

static json_t *
join_lines(const json_t *list)
{
	struct buf b = {0};
	json_t *v = NULL;
	size_t n;

	for (n = 0; n < json_array_size(list); n++) {
		const char *s = json_string_value(json_array_get(list, n));

		if (s == NULL)
			break;
		buf_puts(&b, s);
		buf_putc(&b, '\n');
	}
	if (n == json_array_size(list))
		v = json_string(b.bytes != NULL ? b.bytes : "");
	buf_free(&b);
	return v;
}

/* "// ... existing code ..." as a whole line: the file was not written out. */
static bool
is_elided(const char *s)
{
	const char *line = s, *hit;

	while ((hit = strstr(line, "... existing code")) != NULL) {
		const char *from = hit;

		while (from > s && strchr(" \t/*#<!-{", from[-1]) != NULL)
			from--;
		if (from == s || from[-1] == '\n')
			return true;
		line = hit + 1;
	}
	return false;
}

static const char *const contents_keys[] = {"contents", "content",
    "contents_lines", "data", "text", NULL};

/* The text to write, decoded of its forms; NULL when refused. */
json_t *
patch_contents(const struct patch_item *i)
{
	const char *key = NULL;
	const json_t *v = patch_first(i->v, contents_keys, &key);
	json_t *text = NULL;

	if (json_is_object(v) && json_object_get(v, "data") != NULL)
		v = json_object_get(v, "data");
	if (json_is_string(v))
		text = json_string(json_string_value(v));
	else if (json_is_array(v))
		text = join_lines(v);
	if (text == NULL) {
		(void)patch_refuse_item(i, key,
		    v == NULL ? "no contents" : "contents must be text");
		return NULL;
	}
	if (is_elided(json_string_value(text))) {
		(void)patch_refuse(i->f, PATCH_NOT_EXECUTABLE,
		    patch_key(i->at, key),
		    "the contents leave out \"existing code\": writing them "
		    "would lose it");
		(void)patch_hint(i->f,
		    "give the whole file, or edits with find/replace");
		json_decref(text);
		return NULL;
	}
	return text;
}
