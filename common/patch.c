/* SPDX-License-Identifier: ISC */
/* A document to its canonical form: identity, targets, verdict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/patch_part.h"

const char *const patch_reason_name[] = {
    [PATCH_OK] = "ok",
    [PATCH_MALFORMED] = "malformed",
    [PATCH_INVALID] = "invalid",
    [PATCH_NOT_EXECUTABLE] = "not-executable",
    [PATCH_FORBIDDEN] = "forbidden",
};

static bool
is_word(const char *s)
{
	return *s != '\0' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789_-") == strlen(s);
}

struct where
where_key(struct where at, const char *key)
{
	struct where out;
	int n;

	if (is_word(key))
		n = snprintf(out.s, sizeof(out.s), "%s%s%s", at.s,
		    at.s[0] != '\0' ? "." : "", key);
	else
		n = snprintf(out.s, sizeof(out.s), "%s[\"%s\"]", at.s, key);
	/* A path that does not fit still leads to its parent. */
	return n < 0 || (size_t)n >= sizeof(out.s) ? at : out;
}

struct where
where_index(struct where at, size_t index)
{
	struct where out;
	int n = snprintf(out.s, sizeof(out.s), "%s[%zu]", at.s, index);

	return n < 0 || (size_t)n >= sizeof(out.s) ? at : out;
}

const json_t *
front_get(const struct front *f, const char *key, struct where *at)
{
	struct where root = {""};
	const json_t *v = json_object_get(f->inner, key);

	if (at != NULL)
		*at = v != NULL ? where_key(where_key(root, "patch"), key)
				: where_key(root, key);
	/* The envelope's target_file is where the block was to be stored. */
	if (v == NULL && (f->inner == NULL || strcmp(key, "target_file") != 0))
		v = json_object_get(f->top, key);
	return json_is_null(v) ? NULL : v;
}

const json_t *
first_of(const json_t *object, const char *const *keys, const char **name)
{
	for (; *keys != NULL; keys++) {
		const json_t *v = json_object_get(object, *keys);

		if (v == NULL || json_is_null(v))
			continue;
		if (name != NULL)
			*name = *keys;
		return v;
	}
	return NULL;
}

bool
refuse(struct front *f, enum patch_reason why, struct where at, const char *fmt,
    ...)
{
	va_list ap;

	if (f->out->reason != PATCH_OK)
		return false;
	f->out->reason = why;
	(void)strlcpy(f->out->path, at.s, sizeof(f->out->path));
	va_start(ap, fmt);
	if (vsnprintf(f->out->error, sizeof(f->out->error), fmt, ap) < 0)
		f->out->error[0] = '\0';
	va_end(ap);
	return false;
}

bool
refuse_hint(struct front *f, const char *hint)
{
	if (f->out->hint[0] == '\0')
		(void)strlcpy(f->out->hint, hint, sizeof(f->out->hint));
	return false;
}

void
warn(struct front *f, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (json_array_size(f->out->warnings) < 100)
		push(f->out->warnings, json_string(b.bytes));
	buf_free(&b);
}

void
put(json_t *object, const char *key, json_t *v)
{
	if (json_object_set_new(object, key, v) == -1)
		fatalx("patch: out of memory");
}

void
push(json_t *array, json_t *v)
{
	if (json_array_append_new(array, v) == -1)
		fatalx("patch: out of memory");
}

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

/* The block under "patch" of an envelope, NULL where patch is a change. */
static const json_t *
wrapped(const json_t *doc)
{
	static const char *const keys[] = {"id", "blockId", "patchId", "role",
	    "mutations", "phases", "postMutationBuild", "validate", "shell",
	    "commands", "kind", NULL};
	const json_t *v = json_object_get(doc, "patch");

	return first_of(v, keys, NULL) != NULL ? v : NULL;
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
		return refuse(f, PATCH_INVALID, at,
		    "an id must be text: quote it");
	if (!key_id_valid(s))
		return refuse(f, PATCH_INVALID, at,
		    "an id must have 1 to %d bytes and no control characters",
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
	const json_t *v = first_of(object, keys, &name);

	if (v == NULL)
		return -1;
	f->out->id_declared = take_id(f, v, where_key(at, name));
	return f->out->id_declared;
}

/* The envelope's own id first, then the one inside it. */
static bool
declared_id(struct front *f)
{
	static const char *const keys[] = {"id", "blockId", "patchId", NULL};
	static const char *const names[] = {"name", NULL};
	static const char *const meta[] = {"blockId", "id", NULL};
	struct where root = {""};
	int r = id_in(f, f->top, root, keys);

	if (r == -1)
		r = id_in(f, f->inner, where_key(root, "patch"), keys);
	if (r == -1)
		r = id_in(f, f->top, root, names);
	if (r == -1)
		r = id_in(f, f->inner, where_key(root, "patch"), names);
	if (r == -1)
		r = id_in(f, front_get(f, "meta", NULL),
		    where_key(root, "meta"), meta);
	return r != 0;
}

/* The tag as an id, where none is declared and the tag can be one. */
static void
tag_id(struct front *f)
{
	const json_t *final = front_get(f, "final", NULL);
	const char *tag = json_string_value(
	    json_object_get(json_object_get(final, "git"), "tag"));

	if (tag == NULL)
		tag = json_string_value(json_object_get(final, "tag"));
	if (tag == NULL)
		tag = json_string_value(front_get(f, "gitTag", NULL));
	if (tag != NULL && key_id_valid(tag))
		(void)strlcpy(f->out->id, tag, sizeof(f->out->id));
}

static void
hash_id(struct patch_result *out, const char *prefix, const char *digest)
{
	(void)snprintf(out->id, sizeof(out->id), "%s-%.12s", prefix, digest);
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
		push(list, json_incref(name));
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

static void
take_targets(struct front *f)
{
	static const char *const keys[] = {"target", "targets", "domains",
	    "agent"};
	json_t *list = f->out->targets;

	for (size_t i = 0; i < 4 && json_array_size(list) == 0; i++)
		add_targets(list, front_get(f, keys[i], NULL));
	if (json_array_size(list) == 0)
		warn(f, "no target: the default queue");
}

static void
take_priority(struct front *f)
{
	const json_t *v = front_get(f, "priority", NULL);

	if (v == NULL)
		v = json_object_get(front_get(f, "execution", NULL),
		    "priority");
	f->out->priority = v == NULL ? 5 : patch_priority(v);
	if (f->out->priority != -1)
		return;
	f->out->priority = 5;
	warn(f, "a priority that is none of critical, high, normal, low, "
		"0 .. 9: taken as normal");
}

static bool
check_version(struct front *f)
{
	const json_t *v = json_object_get(f->top, "canonical");
	struct where at = where_key((struct where){""}, "canonical");

	if (v == NULL || (json_is_integer(v) && json_integer_value(v) == 1))
		return true;
	return refuse(f, PATCH_INVALID, at,
	    "a canonical form that is not version 1");
}

/* Is there something to do, and can a program do it? */
static bool
check_action(struct front *f)
{
	struct where at = {""};

	if (f->prose && f->files == 0) {
		(void)front_get(f, "phases", &at);
		(void)refuse(f, PATCH_NOT_EXECUTABLE, at,
		    "the work is described in prose, without mutations");
		return refuse_hint(f,
		    "say each change: mutations: [{path, contents}, …]");
	}
	if (f->prose)
		warn(f, "work items in prose are not done, the mutations are");
	if (json_array_size(f->mutations) > 0 ||
	    json_object_get(f->form, "postMutationBuild") != NULL ||
	    json_object_get(f->form, "preMutationValidation") != NULL ||
	    json_object_get(f->form, "validate") != NULL)
		return true;
	(void)refuse(f, PATCH_NOT_EXECUTABLE, at,
	    "there is nothing to do in it");
	return refuse_hint(f, "mutations, or commands in postMutationBuild or "
			      "validate");
}

static void
begin_form(struct front *f)
{
	f->form = json_pack("{s:i, s:s, s:s, s:O, s:i}", "canonical", 1, "role",
	    "command_patch", "id", f->out->id, "target", f->out->targets,
	    "priority", f->out->priority);
	f->mutations = json_array();
	f->base = json_object();
	if (f->form == NULL || f->mutations == NULL || f->base == NULL)
		fatalx("patch: out of memory");
	put(f->form, "mutations", json_incref(f->mutations));
}

static void
finish_form(struct front *f)
{
	if (json_object_size(f->base) > 0)
		put(f->form, "base", json_incref(f->base));
	if (f->out->id[0] == '\0') {
		char digest[DIGEST_SIZE];

		(void)json_object_del(f->form, "id");
		digest_json(f->form, digest);
		hash_id(f->out, "auto", digest);
		put(f->form, "id", json_string(f->out->id));
	}
	digest_json(f->form, f->out->digest);
	f->out->canonical = json_incref(f->form);
}

static bool
read_document(struct front *f)
{
	if (!json_is_object(f->top)) {
		struct where root = {""};

		(void)refuse(f,
		    json_is_array(f->top) ? PATCH_INVALID : PATCH_MALFORMED,
		    root, "%s",
		    json_is_array(f->top)
			? "this is a list: a patch is one mapping"
			: "this is plain text: a patch is a JSON or YAML "
			  "mapping");
		return refuse_hint(f, "one document a patch");
	}
	f->inner = wrapped(f->top);
	take_targets(f);
	take_priority(f);
	if (!check_version(f) || !declared_id(f))
		return false;
	if (!f->out->id_declared)
		tag_id(f);
	begin_form(f);
	return patch_fields(f) && patch_actions(f) && check_action(f);
}

static void
begin_result(struct patch_result *out)
{
	*out = (struct patch_result){.priority = 5,
	    .targets = json_array(),
	    .warnings = json_array()};
	if (out->targets == NULL || out->warnings == NULL)
		fatalx("patch: out of memory");
}

void
patch_normalise(const json_t *doc, struct patch_result *out)
{
	struct front f = {.out = out, .top = doc};

	begin_result(out);
	if (read_document(&f))
		finish_form(&f);
	else
		digest_json(doc, out->digest);
	if (out->id[0] == '\0')
		hash_id(out, "bad", out->digest);
	json_decref(f.form);
	json_decref(f.mutations);
	json_decref(f.base);
}

void
patch_read(const char *text, size_t len, struct patch_result *out,
    struct doc_error *err)
{
	enum doc_format format;
	json_t *doc = doc_parse_any(text, len, &format, err);
	char digest[DIGEST_SIZE];

	digest_bytes(text, len, digest);
	if (doc == NULL) {
		begin_result(out);
		out->reason = PATCH_MALFORMED;
		(void)strlcpy(out->error, err->reason, sizeof(out->error));
		memcpy(out->digest, digest, sizeof(digest));
		hash_id(out, "bad", digest);
		return;
	}
	patch_normalise(doc, out);
	json_decref(doc);
	if (out->reason == PATCH_OK)
		return;
	/* The same bytes are the same refusal, whatever they parse to. */
	if (strncmp(out->id, "bad-", 4) == 0 && !out->id_declared)
		hash_id(out, "bad", digest);
	memcpy(out->digest, digest, sizeof(digest));
	doc_locate(text, len, format, out->path, err);
	(void)strlcpy(err->reason, out->error, sizeof(err->reason));
}

void
patch_result_free(struct patch_result *r)
{
	json_decref(r->canonical);
	json_decref(r->targets);
	json_decref(r->warnings);
	*r = (struct patch_result){0};
}
