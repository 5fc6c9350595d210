/* SPDX-License-Identifier: ISC */
/* find/replace in all the words models use for it. */
#include <string.h>

#include "common/buf.h"
#include "common/patch_part.h"

static const char *const find_keys[] = {"find", "search", "old_string",
    "oldString", "old_str", "old", NULL};
static const char *const replace_keys[] = {"replace", "new_string", "newString",
    "new_str", "new", "replacement", NULL};
static const char *const add_keys[] = {"add", "insert", NULL};

/* How often find must occur: 0 for all; -1 when refused. */
static json_int_t
count_of(struct front *f, const json_t *v, struct where at)
{
	static const char *const all[] = {"replace_all", "replaceAll", "all",
	    NULL};
	const json_t *n = json_object_get(v, "count");

	if (json_is_true(patch_first(v, all, NULL)))
		return 0;
	if (n == NULL || json_is_null(n))
		return 1;
	if (json_is_string(n) && strcmp(json_string_value(n), "all") == 0)
		return 0;
	if (json_is_integer(n) && json_integer_value(n) >= 0 &&
	    json_integer_value(n) <= 1000000)
		return json_integer_value(n);
	(void)patch_refuse(f, PATCH_INVALID, patch_key(at, "count"),
	    "count must be a number, or \"all\"");
	return -1;
}

/* The mutation that this edit belongs to: the last one if it edits file. */
static json_t *
edits_of(struct front *f, const char *file)
{
	size_t n = json_array_size(f->mutations);
	json_t *last = n > 0 ? json_array_get(f->mutations, n - 1) : NULL;
	json_t *edits = json_object_get(last, "edits");
	const char *path = json_string_value(json_object_get(last, "path"));

	if (edits != NULL && path != NULL && strcmp(path, file) == 0)
		return edits;
	edits = json_array();
	patch_add(f, json_pack("{s:s, s:s, s:o}", "op", "edit", "path", file,
			 "edits", edits));
	return edits;
}

static bool
add_edit(struct front *f, const char *file, const char *find,
    const char *replace, json_int_t count)
{
	patch_push(edits_of(f, file), json_pack("{s:s, s:s, s:I}", "find", find,
					  "replace", replace, "count", count));
	return true;
}

static bool
ends_line(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && s[n - 1] == '\n';
}

/* Lines put behind or before the line that search names. */
static bool
add_lines(struct front *f, const char *file, const char *search,
    const char *text, bool after)
{
	struct buf b = {0};
	const char *first = after ? search : text;
	const char *second = after ? text : search;

	buf_puts(&b, first);
	if (!ends_line(b.bytes))
		buf_putc(&b, '\n');
	buf_puts(&b, second);
	/* The line end behind search stays the one behind what follows it. */
	if (after && ends_line(b.bytes) && !ends_line(search))
		b.bytes[--b.len] = '\0';
	else if (after && !ends_line(b.bytes) && ends_line(search))
		buf_putc(&b, '\n');
	(void)add_edit(f, file, search, b.bytes, 1);
	buf_free(&b);
	return true;
}

static bool
take_addition(struct front *f, const json_t *v, struct where at,
    const char *file)
{
	const char *add = json_string_value(patch_first(v, add_keys, NULL));
	const char *search = json_string_value(patch_first(v, find_keys, NULL));
	const char *type = json_string_value(json_object_get(v, "type"));

	if (add == NULL)
		return patch_refuse(f, PATCH_INVALID, at,
		    "what is added must be text");
	if (search != NULL && *search != '\0')
		return add_lines(f, file, search, add,
		    type == NULL || strstr(type, "before") == NULL);
	patch_add(f, json_pack("{s:s, s:s, s:s}", "op", "append", "path", file,
			 "contents", add));
	return true;
}

static bool
take_replacement(struct front *f, const json_t *v, struct where at,
    const char *file)
{
	const char *find_key = NULL, *replace_key = NULL;
	const json_t *find = patch_first(v, find_keys, &find_key);
	const json_t *replace = patch_first(v, replace_keys, &replace_key);
	json_int_t count;

	if (find == NULL) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "an edit that does not say what to find");
		return patch_hint(f, "{find: TEXT, replace: TEXT}");
	}
	if (!json_is_string(find) || json_string_length(find) == 0)
		return patch_refuse(f, PATCH_INVALID, patch_key(at, find_key),
		    "what is to be found must be text, and not empty");
	if (!json_is_string(replace))
		return patch_refuse(f, PATCH_INVALID,
		    replace_key != NULL ? patch_key(at, replace_key) : at,
		    "an edit without a replacement text");
	count = count_of(f, v, at);
	if (count == -1)
		return false;
	return add_edit(f, file, json_string_value(find),
	    json_string_value(replace), count);
}

static bool
take_one(struct front *f, const json_t *v, struct where at, const char *file)
{
	const char *type = json_string_value(json_object_get(v, "type"));

	if (!json_is_object(v))
		return patch_refuse(f, PATCH_INVALID, at,
		    "an edit must be a mapping");
	if (json_object_get(v, "pattern") != NULL ||
	    json_object_get(v, "insertAfter") != NULL ||
	    json_object_get(v, "insertBefore") != NULL)
		return patch_mutation(f, v, at, file);
	if (patch_first(v, add_keys, NULL) != NULL &&
	    patch_first(v, replace_keys, NULL) == NULL)
		return take_addition(f, v, at, file);
	if (type != NULL &&
	    (strcmp(type, "delete") == 0 || strcmp(type, "remove") == 0) &&
	    patch_first(v, replace_keys, NULL) == NULL) {
		const json_t *find = patch_first(v, find_keys, NULL);

		if (json_is_string(find) && json_string_length(find) > 0)
			return add_edit(f, file, json_string_value(find), "",
			    1);
	}
	return take_replacement(f, v, at, file);
}

bool
patch_edits(struct front *f, const json_t *v, struct where at, const char *file)
{
	if (!json_is_array(v))
		return take_one(f, v, at, file);
	if (json_array_size(v) == 0)
		return patch_refuse(f, PATCH_INVALID, at,
		    "the list of edits is empty");
	if (json_array_size(v) > PATCH_MUTATIONS)
		return patch_refuse(f, PATCH_INVALID, at, "more than %d edits",
		    PATCH_MUTATIONS);
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!take_one(f, json_array_get(v, i), patch_index(at, i),
			file))
			return false;
	return true;
}
