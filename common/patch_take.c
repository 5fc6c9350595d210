/* SPDX-License-Identifier: ISC */
/* What a work item says, by its kind, as one canonical mutation. */
#include <string.h>
#include <strings.h>

#include "common/patch_part.h"

bool
patch_refuse_item(const struct patch_item *i, const char *key,
    const char *reason)
{
	return patch_refuse(i->f, PATCH_INVALID,
	    key == NULL ? i->at : patch_key(i->at, key), "%s", reason);
}

/* The canonical mutation of op with the item's path, not yet added. */
static json_t *
begin(const struct patch_item *i, const char *op)
{
	json_t *m = json_pack("{s:s}", "op", op);

	if (i->path != NULL)
		patch_put(m, "path", json_incref(i->path));
	return m;
}

static bool
put_mode(const struct patch_item *i, json_t *m)
{
	const json_t *v = json_object_get(i->v, "mode");
	json_t *mode;

	if (v == NULL || json_is_null(v)) {
		if (json_is_true(json_object_get(i->v, "executable")))
			patch_put(m, "mode", json_string("0755"));
		return true;
	}
	mode = patch_mode(i->f, v, patch_key(i->at, "mode"));
	if (mode == NULL)
		return false;
	patch_put(m, "mode", mode);
	return true;
}

static bool
put_encoding(const struct patch_item *i, json_t *m)
{
	const json_t *v = json_object_get(i->v, "encoding");
	const char *s = json_string_value(v);
	json_t *text;

	if (v == NULL || (s != NULL && (strcasecmp(s, "utf-8") == 0 ||
					   strcasecmp(s, "utf8") == 0 ||
					   strcasecmp(s, "text") == 0)))
		return true;
	if (s == NULL || strcasecmp(s, "base64") != 0)
		return patch_refuse_item(i, "encoding",
		    "encoding must be base64 or utf-8");
	text = patch_base64(i->f,
	    json_string_value(json_object_get(m, "contents")),
	    patch_key(i->at, "contents"));
	if (text == NULL)
		return false;
	patch_put(m, "contents", text);
	patch_put(m, "encoding", json_string("base64"));
	return true;
}

static bool
finish(const struct patch_item *i, json_t *m, bool ok)
{
	if (ok)
		patch_add(i->f, m);
	else
		json_decref(m);
	return ok;
}

static bool
take_write(const struct patch_item *i)
{
	json_t *text = patch_contents(i), *m;
	const json_t *create = json_object_get(i->v, "create");

	if (text == NULL)
		return false;
	if (create != NULL && !json_is_boolean(create) &&
	    !json_is_null(create)) {
		json_decref(text);
		return patch_refuse_item(i, "create",
		    "create must be true or false");
	}
	m = begin(i, "write");
	patch_put(m, "contents", text);
	if (json_is_true(create))
		patch_put(m, "create", json_true());
	return finish(i, m, put_encoding(i, m) && put_mode(i, m));
}

static bool
take_edit(const struct patch_item *i)
{
	static const char *const lists[] = {"edits", "changes", NULL};
	const char *key;
	const json_t *v = patch_first(i->v, lists, &key);
	const char *file = json_string_value(i->path);

	if (v != NULL)
		return patch_edits(i->f, v, patch_key(i->at, key), file);
	return patch_edits(i->f, i->v, i->at, file);
}

/* Letters of flags, sorted, each once; NULL where one does not exist. */
static json_t *
regex_flags(const char *s)
{
	static const char known[] = "gimsuy";
	char out[sizeof(known)];
	size_t n = 0;

	if (strspn(s, known) != strlen(s))
		return NULL;
	for (const char *k = known; *k != '\0'; k++)
		if (strchr(s, *k) != NULL)
			out[n++] = *k;
	return json_stringn(out, n);
}

static bool
put_flags(const struct patch_item *i, const json_t *v, json_t *m)
{
	const json_t *flags = json_object_get(v, "flags");
	json_t *clean;

	if (flags != NULL && !json_is_string(flags))
		return patch_refuse_item(i, "flags", "flags must be text");
	clean = regex_flags(flags != NULL ? json_string_value(flags) : "");
	if (clean == NULL) {
		(void)patch_refuse(i->f, PATCH_INVALID,
		    patch_key(i->at, "flags"),
		    "flags \"%.20s\" has a letter that is none of g i m s u "
		    "y",
		    json_string_value(flags));
		return patch_hint(i->f,
		    "they mean what they mean in JavaScript; leave out others");
	}
	patch_put(m, "flags", clean);
	return true;
}

static bool
take_regex(const struct patch_item *i)
{
	static const char *const from[] = {"pattern", "regex", NULL};
	static const char *const to[] = {"replacement", "replace", NULL};
	const json_t *t = json_object_get(i->v, "transform");
	const json_t *v = json_is_object(t) ? t : i->v;
	const char *pattern = json_string_value(patch_first(v, from, NULL));
	const char *replacement = json_string_value(patch_first(v, to, NULL));
	json_t *m;

	if (pattern == NULL || *pattern == '\0')
		return patch_refuse_item(i, "pattern", "pattern must be text");
	if (replacement == NULL)
		return patch_refuse_item(i, NULL,
		    "a pattern without a replacement text");
	m = begin(i, "regex");
	patch_put(m, "pattern", json_string(pattern));
	patch_put(m, "replacement", json_string(replacement));
	return finish(i, m, put_flags(i, v, m));
}

static bool
take_insert(const struct patch_item *i)
{
	static const char *const keys[] = {"insertAfter", "insertBefore", NULL};
	const char *key = NULL;
	const char *anchor = json_string_value(patch_first(i->v, keys, &key));
	json_t *text, *m;

	if (anchor == NULL || *anchor == '\0')
		return patch_refuse_item(i, key,
		    "insertAfter or insertBefore must be the text of a line");
	text = patch_contents(i);
	if (text == NULL)
		return false;
	m = begin(i, "insert");
	patch_put(m, key, json_string(anchor));
	patch_put(m, "contents", text);
	patch_add(i->f, m);
	return true;
}

/* append: "text", or append: true with contents. */
static bool
take_end(const struct patch_item *i, const char *op)
{
	const json_t *v = json_object_get(i->v, op);
	json_t *text, *m;

	text = json_is_string(v) ? json_string(json_string_value(v))
				 : patch_contents(i);
	if (text == NULL)
		return false;
	m = begin(i, op);
	patch_put(m, "contents", text);
	patch_add(i->f, m);
	return true;
}

static bool
take_append(const struct patch_item *i)
{
	return take_end(i, "append");
}

static bool
take_prepend(const struct patch_item *i)
{
	return take_end(i, "prepend");
}

static bool
take_diff(const struct patch_item *i)
{
	static const char *const keys[] = {"diff", "patch", "contents", NULL};
	const char *key = NULL;
	const char *diff = json_string_value(patch_first(i->v, keys, &key));

	if (diff == NULL || *diff == '\0')
		return patch_refuse_item(i, key, "a diff must be text");
	return patch_diff(i, diff);
}

static bool
take_delete(const struct patch_item *i)
{
	const json_t *v = json_object_get(i->v, "delete");

	if (v != NULL && !json_is_true(v))
		return patch_refuse_item(i, "delete", "delete must be true");
	patch_add(i->f, begin(i, "delete"));
	return true;
}

static bool
lies_in(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && path[len] == '/';
}

static bool
take_rename(const struct patch_item *i)
{
	static const char *const keys[] = {"rename", "to", "destination",
	    "newPath", "new_path", "target", NULL};
	const char *key = NULL;
	const json_t *v = patch_first(i->v, keys, &key);
	json_t *to, *m;

	if (v == NULL)
		return patch_refuse_item(i, NULL,
		    "a rename without its new path");
	to = patch_path(i->f, v, patch_key(i->at, key));
	if (to == NULL)
		return false;
	if (json_equal(to, i->path)) {
		json_decref(to);
		return patch_refuse_item(i, key, "the new path is the old one");
	}
	if (lies_in(json_string_value(to), json_string_value(i->path))) {
		json_decref(to);
		return patch_refuse_item(i, key,
		    "the new path lies in the old one");
	}
	m = begin(i, "rename");
	patch_put(m, "rename", to);
	patch_add(i->f, m);
	return true;
}

static bool
take_chmod(const struct patch_item *i)
{
	static const char *const keys[] = {"chmod", "mode", NULL};
	const char *key = NULL;
	const json_t *v = patch_first(i->v, keys, &key);
	json_t *mode, *m;

	if (v == NULL)
		return patch_refuse_item(i, NULL, "chmod without a mode");
	mode = patch_mode(i->f, v, patch_key(i->at, key));
	if (mode == NULL)
		return false;
	m = begin(i, "chmod");
	patch_put(m, "chmod", mode);
	patch_add(i->f, m);
	return true;
}

static bool
take_mkdir(const struct patch_item *i)
{
	json_t *m = begin(i, "mkdir");

	return finish(i, m, put_mode(i, m));
}

static bool
take_symlink(const struct patch_item *i)
{
	static const char *const keys[] = {"symlink", "to", "target", NULL};
	const char *key = NULL;
	const char *text = json_string_value(patch_first(i->v, keys, &key));
	json_t *m;

	if (text == NULL || *text == '\0' || strlen(text) > 4095)
		return patch_refuse_item(i, key,
		    "a symlink must say what it points to");
	m = begin(i, "symlink");
	patch_put(m, "symlink", json_string(text));
	patch_add(i->f, m);
	return true;
}

static bool
take_merge(const struct patch_item *i)
{
	const json_t *v = json_object_get(i->v, "merge");
	json_t *m;

	if (!json_is_object(v))
		return patch_refuse_item(i, "merge", "merge must be a mapping");
	m = begin(i, "merge");
	patch_put(m, "merge", json_deep_copy(v));
	patch_add(i->f, m);
	return true;
}

static bool
take_command(const struct patch_item *i)
{
	return patch_mutation_commands(i->f, i->v, i->at);
}

/* A sketch for an agent that reads the file: nothing says where it goes. */
static bool
take_sketch(const struct patch_item *i)
{
	(void)patch_refuse(i->f, PATCH_NOT_EXECUTABLE,
	    patch_key(i->at, "code_edit"),
	    "code_edit is a sketch that leaves code out: it cannot be "
	    "applied exactly");
	return patch_hint(i->f,
	    "give contents, or edits with find and replace");
}

static bool
take_nothing(const struct patch_item *i)
{
	patch_warn(i->f, "%s does nothing", i->at.s);
	return true;
}

static bool
take_unknown(const struct patch_item *i)
{
	(void)patch_refuse(i->f, PATCH_INVALID, i->at,
	    "nothing here says what to do%s%s", i->file != NULL ? " with " : "",
	    i->file != NULL ? i->file : "");
	return patch_hint(i->f,
	    "contents, edits, delete: true, rename, mkdir, chmod or command");
}

static bool (*const takers[PATCH_KIND__MAX])(const struct patch_item *) = {
    [PATCH_KIND_NONE] = take_unknown,
    [PATCH_KIND_WRITE] = take_write,
    [PATCH_KIND_EDIT] = take_edit,
    [PATCH_KIND_REGEX] = take_regex,
    [PATCH_KIND_INSERT] = take_insert,
    [PATCH_KIND_APPEND] = take_append,
    [PATCH_KIND_PREPEND] = take_prepend,
    [PATCH_KIND_DIFF] = take_diff,
    [PATCH_KIND_DELETE] = take_delete,
    [PATCH_KIND_RENAME] = take_rename,
    [PATCH_KIND_CHMOD] = take_chmod,
    [PATCH_KIND_MKDIR] = take_mkdir,
    [PATCH_KIND_SYMLINK] = take_symlink,
    [PATCH_KIND_MERGE] = take_merge,
    [PATCH_KIND_COMMAND] = take_command,
    [PATCH_KIND_SKETCH] = take_sketch,
    [PATCH_KIND_NOTHING] = take_nothing,
};

bool
patch_take(const struct patch_item *i, enum patch_kind kind)
{
	return takers[kind](i);
}
