/* SPDX-License-Identifier: ISC */
/* Who a patch is, where it goes and how urgent it is. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/patch_part.h"

bool
patch_target_is_both(const char *target)
{
	return strcasecmp(target, "BOTH") == 0;
}

int
patch_priority(const json_t *value)
{
	static const struct {
		const char *word;
		int digit;
	} words[] = {{"critical", 1}, {"urgent", 1}, {"high", 3}, {"normal", 5},
	    {"medium", 5}, {"low", 7}};
	const char *s = json_string_value(value);

	if (json_is_integer(value)) {
		json_int_t n = json_integer_value(value);

		return n >= 0 && n <= 9 ? (int)n : -1;
	}
	if (s == NULL)
		return -1;
	if (*s >= '0' && *s <= '9' && s[1] == '\0')
		return *s - '0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].word, s) == 0)
			return words[i].digit;
	return -1;
}

/* Takes v as the id if it is there; false when it is none. */
static bool
take_id(struct front *f, const json_t *v, struct where at)
{
	char number[32];
	const char *s = json_string_value(v);

	if (json_is_integer(v)) {
		(void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
		s = number;
	}
	if (s == NULL)
		return patch_refuse(f, PATCH_INVALID, at,
		    "an id must be text: quote it");
	if (!key_id_valid(s))
		return patch_refuse(f, PATCH_INVALID, at,
		    "an id must have 1 to %d bytes, and no character that "
		    "controls or turns the line it stands in",
		    ID_MAX);
	(void)strlcpy(f->out->id, s, sizeof(f->out->id));
	return true;
}

/* The first of keys in object, taken as the id; -1 where none is there. */
static int
id_in(struct front *f, const json_t *object, struct where at,
    const char *const *keys)
{
	const char *name = NULL;
	const json_t *v = patch_first(object, keys, &name);

	if (v == NULL)
		return -1;
	f->out->id_declared = take_id(f, v, patch_key(at, name));
	return f->out->id_declared;
}

/* The tag as an id, where none is declared and the tag can be one. */
static void
tag_id(struct front *f)
{
	const json_t *final = patch_get(f, "final", NULL);
	const char *tag = json_string_value(
	    json_object_get(json_object_get(final, "git"), "tag"));

	if (tag == NULL)
		tag = json_string_value(json_object_get(final, "tag"));
	if (tag == NULL)
		tag = json_string_value(patch_get(f, "gitTag", NULL));
	if (tag != NULL && key_id_valid(tag))
		(void)strlcpy(f->out->id, tag, sizeof(f->out->id));
}

/* The envelope's own id first, then the one inside it. */
bool
patch_find_id(struct front *f)
{
	static const char *const keys[] = {"id", "blockId", "patchId", NULL};
	static const char *const names[] = {"name", NULL};
	static const char *const meta[] = {"blockId", "id", NULL};
	struct where root = {""};
	int r = id_in(f, f->top, root, keys);

	if (r == -1)
		r = id_in(f, f->inner, patch_key(root, "patch"), keys);
	if (r == -1)
		r = id_in(f, f->top, root, names);
	if (r == -1)
		r = id_in(f, f->inner, patch_key(root, "patch"), names);
	if (r == -1)
		r = id_in(f, patch_get(f, "meta", NULL),
		    patch_key(root, "meta"), meta);
	if (r == -1)
		tag_id(f);
	return r != 0;
}

static void
add_target(json_t *list, const char *s, size_t len)
{
	json_t *name;

	while (len > 0 && (*s == ' ' || *s == '\t')) {
		s++;
		len--;
	}
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	name = json_stringn(s, len);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), name))
			len = 0;
	if (len > 0 && len <= 256 && memchr(s, '/', len) == NULL)
		patch_push(list, json_incref(name));
	json_decref(name);
}

/* "MAIN", "MAIN, CYOPS", [MAIN, CYOPS]. A path is a file and no queue. */
static void
add_targets(json_t *list, const json_t *v)
{
	const char *s = json_string_value(v);

	for (size_t i = 0; i < json_array_size(v) && i < 64; i++)
		if (json_is_string(json_array_get(v, i)))
			add_targets(list, json_array_get(v, i));
	while (s != NULL) {
		size_t n = strcspn(s, ",+");

		add_target(list, s, n);
		s = s[n] == '\0' ? NULL : s + n + 1;
	}
}

void
patch_find_targets(struct front *f)
{
	static const char *const keys[] = {"target", "targets", "domains",
	    "agent"};
	json_t *list = f->out->targets;

	for (size_t i = 0; i < 4 && json_array_size(list) == 0; i++)
		add_targets(list, patch_get(f, keys[i], NULL));
}

void
patch_find_priority(struct front *f)
{
	const json_t *v = patch_get(f, "priority", NULL);

	if (v == NULL)
		v = json_object_get(patch_get(f, "execution", NULL),
		    "priority");
	f->out->priority = v == NULL ? 5 : patch_priority(v);
	if (f->out->priority != -1)
		return;
	f->out->priority = 5;
	patch_warn(f, "a priority that is none of critical, high, normal, low, "
		      "0 .. 9: taken as normal");
}
