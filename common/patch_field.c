/* SPDX-License-Identifier: ISC */
/* The fields beside the mutations: commands, final, limits and the rest. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/patch_part.h"

/* Text, or a list of texts as lines; NULL for anything else. */
static json_t *
as_text(const json_t *v)
{
	struct buf b = {0};
	json_t *text;

	if (json_is_string(v))
		return json_string(json_string_value(v));
	if (json_is_integer(v) || json_is_real(v)) {
		char *s =
		    json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

		text = json_string(s);
		free(s);
		return text;
	}
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));

		if (s != NULL) {
			if (b.len > 0)
				buf_putc(&b, '\n');
			buf_puts(&b, s);
		}
	}
	text = b.len > 0 ? json_string(b.bytes) : NULL;
	buf_free(&b);
	return text;
}

void
patch_put_text(json_t *object, const char *key, const json_t *v)
{
	json_t *text = as_text(v);

	if (text != NULL && json_string_length(text) > 0)
		patch_put(object, key, text);
	else
		json_decref(text);
}

/* A version that YAML read as a number has lost digits (1.10): said, since it
 * cannot be got back; the patch runs all the same. */
static bool
put_descriptions(struct front *f)
{
	const json_t *v = patch_get(f, "description", NULL);

	if (v == NULL)
		v = patch_get(f, "title", NULL);
	patch_put_text(f->form, "description", v);
	v = patch_get(f, "version", NULL);
	if (json_is_real(v))
		patch_warn(f, "version is a number (%g): quote it",
		    json_real_value(v));
	patch_put_text(f->form, "version", v);
	return true;
}

static bool
put_branch(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "branch", &at);

	if (v == NULL)
		return true;
	if (!json_is_string(v) || json_string_length(v) > 255)
		return patch_refuse(f, PATCH_INVALID, at,
		    "branch must be a name of at most 255 bytes");
	if (json_string_length(v) > 0)
		patch_put(f->form, "branch", json_string(json_string_value(v)));
	return true;
}

static bool
has_string(const json_t *list, const char *s)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), s) == 0)
			return true;
	return false;
}

static bool
add_dependency(struct front *f, const json_t *v, struct where at, json_t *list)
{
	const char *id = json_string_value(v);

	/* Nobody is called so, and the patch would wait for ever. */
	if (id != NULL && (*id == '\0' || strcasecmp(id, "none") == 0))
		return true;
	if (id == NULL || !key_id_valid(id))
		return patch_refuse(f, PATCH_INVALID, at,
		    "a dependency must be an id");
	if (f->out->id_declared && strcmp(id, f->out->id) == 0)
		return patch_refuse(f, PATCH_INVALID, at,
		    "the patch depends on itself");
	if (json_array_size(list) >= 1000)
		return patch_refuse(f, PATCH_INVALID, at,
		    "more than 1000 dependencies");
	if (!has_string(list, id))
		patch_push(list, json_string(id));
	return true;
}

static bool
put_dependencies(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "dependencies", &at);
	json_t *list = json_array();
	bool ok = true;

	if (v == NULL)
		v = patch_get(f, "depends_on", &at);
	if (v == NULL)
		v = patch_get(f, "dependsOn", &at);
	if (json_is_object(v))
		patch_warn(f,
		    "dependencies is no list of patch ids: packages are "
		    "not installed");
	else if (json_is_string(v))
		ok = add_dependency(f, v, at, list);
	else if (v != NULL && !json_is_array(v))
		ok = patch_refuse(f, PATCH_INVALID, at,
		    "dependencies must be a list of ids");
	for (size_t i = 0; ok && i < json_array_size(v); i++)
		ok = add_dependency(f, json_array_get(v, i), patch_index(at, i),
		    list);
	if (ok && json_array_size(list) > 0)
		patch_put(f->form, "dependencies", list);
	else
		json_decref(list);
	return ok;
}

static bool
put_base(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "base", &at);
	void *it = json_object_iter((json_t *)(uintptr_t)v);

	if (v == NULL)
		return true;
	if (!json_is_object(v))
		return patch_refuse(f, PATCH_INVALID, at,
		    "base must say {path: sha256:…} for each file");
	for (; it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
		struct where here = patch_key(at, json_object_iter_key(it));
		json_t *name = json_string(json_object_iter_key(it));
		json_t *path = patch_path(f, name, here), *hash = NULL;

		json_decref(name);
		if (path != NULL)
			hash = patch_hash(f, json_object_iter_value(it), here);
		if (hash != NULL)
			patch_put(f->base, json_string_value(path), hash);
		json_decref(path);
		if (hash == NULL)
			return false;
	}
	return true;
}

static bool
put_expires(struct front *f)
{
	char iso[ISO_TIME_SIZE];
	struct where at;
	const json_t *v = patch_get(f, "expires", &at);
	const char *s;
	int64_t us;

	if (v == NULL)
		v = patch_get(f, "expires_at", &at);
	if (v == NULL)
		return true;
	s = json_string_value(v);
	if (s == NULL || clock_parse_iso(s, &us) == -1)
		return patch_refuse(f, PATCH_INVALID, at,
		    "expires must be a time like 2026-01-31T12:00:00Z");
	clock_iso(us, iso);
	patch_put(f->form, "expires", json_string(iso));
	return true;
}

bool
patch_fields(struct front *f)
{
	if (!put_descriptions(f) || !put_dependencies(f) || !put_branch(f) ||
	    !put_base(f) || !patch_put_commands(f) || !patch_put_final(f) ||
	    !patch_put_limits(f) || !put_expires(f))
		return false;
	return true;
}
