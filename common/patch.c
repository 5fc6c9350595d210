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

/* Beside it its queue file holds an envelope and warnings. */
#define PATCH_BYTES_MAX (24 << 20)

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
patch_key(struct where at, const char *key)
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
patch_index(struct where at, size_t index)
{
	struct where out;
	int n = snprintf(out.s, sizeof(out.s), "%s[%zu]", at.s, index);

	return n < 0 || (size_t)n >= sizeof(out.s) ? at : out;
}

const json_t *
patch_get(const struct front *f, const char *key, struct where *at)
{
	struct where root = {""};
	const json_t *v = json_object_get(f->inner, key);

	if (at != NULL)
		*at = v != NULL ? patch_key(patch_key(root, "patch"), key)
				: patch_key(root, key);
	/* The envelope's target_file is where the block was to be stored. */
	if (v == NULL && (f->inner == NULL || strcmp(key, "target_file") != 0))
		v = json_object_get(f->top, key);
	return json_is_null(v) ? NULL : v;
}

const json_t *
patch_first(const json_t *object, const char *const *keys, const char **name)
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
patch_refuse(struct front *f, enum patch_reason why, struct where at,
    const char *fmt, ...)
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
patch_hint(struct front *f, const char *hint)
{
	if (f->out->hint[0] == '\0')
		(void)strlcpy(f->out->hint, hint, sizeof(f->out->hint));
	return false;
}

void
patch_warn(struct front *f, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (json_array_size(f->out->warnings) < 100)
		patch_push(f->out->warnings, json_string(b.bytes));
	buf_free(&b);
}

void
patch_put(json_t *object, const char *key, json_t *v)
{
	if (json_object_set_new(object, key, v) == -1)
		fatalx("patch: out of memory");
}

void
patch_push(json_t *array, json_t *v)
{
	if (json_array_append_new(array, v) == -1)
		fatalx("patch: out of memory");
}

/* The block under "patch" of an envelope, NULL where patch is a change. */
static const json_t *
wrapped(const json_t *doc)
{
	static const char *const keys[] = {"id", "blockId", "patchId", "role",
	    "mutations", "phases", "postMutationBuild", "validate", "shell",
	    "commands", "kind", NULL};
	const json_t *v = json_object_get(doc, "patch");

	return patch_first(v, keys, NULL) != NULL ? v : NULL;
}

static void
hash_id(struct patch_result *out, const char *prefix, const char *digest)
{
	(void)snprintf(out->id, sizeof(out->id), "%s-%.12s", prefix, digest);
}

static bool
check_version(struct front *f)
{
	const json_t *v = json_object_get(f->top, "canonical");
	struct where at = patch_key((struct where){""}, "canonical");

	if (v == NULL || (json_is_integer(v) && json_integer_value(v) == 1))
		return true;
	return patch_refuse(f, PATCH_INVALID, at,
	    "a canonical form that is not version 1");
}

/* Is there something to do, and can a program do it? */
static bool
check_action(struct front *f)
{
	struct where at = {""};

	if (f->prose && f->files == 0) {
		(void)patch_get(f, "phases", &at);
		(void)patch_refuse(f, PATCH_NOT_EXECUTABLE, at,
		    "the work is described in prose, without mutations");
		return patch_hint(f,
		    "say each change: mutations: [{path, contents}, …]");
	}
	if (f->prose)
		patch_warn(f,
		    "work items in prose are not done, the mutations are");
	if (json_array_size(f->mutations) > 0 ||
	    json_object_get(f->form, "postMutationBuild") != NULL ||
	    json_object_get(f->form, "preMutationValidation") != NULL ||
	    json_object_get(f->form, "validate") != NULL)
		return true;
	(void)patch_refuse(f, PATCH_NOT_EXECUTABLE, at,
	    "there is nothing to do in it");
	return patch_hint(f, "mutations, or commands in postMutationBuild or "
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
	patch_put(f->form, "mutations", json_incref(f->mutations));
}

static void
finish_form(struct front *f)
{
	if (json_object_size(f->base) > 0)
		patch_put(f->form, "base", json_incref(f->base));
	if (f->out->id[0] == '\0') {
		char digest[DIGEST_SIZE];

		(void)json_object_del(f->form, "id");
		digest_json(f->form, digest);
		hash_id(f->out, "auto", digest);
		patch_put(f->form, "id", json_string(f->out->id));
	}
	digest_json(f->form, f->out->digest);
	f->out->canonical = json_incref(f->form);
}

/* A text of backslashes and control characters grows when it is written, and
 * a few aliases make a long one of a short one: what no file of the spool can
 * hold would be tried for ever. */
static bool
check_length(struct front *f)
{
	struct where root = {""};

	if (json_dumpb(f->form, NULL, 0, JSON_COMPACT) <= PATCH_BYTES_MAX)
		return true;
	(void)patch_refuse(f, PATCH_INVALID, root,
	    "the patch is longer than %d MiB when all of it is written out",
	    PATCH_BYTES_MAX >> 20);
	return patch_hint(f, "several smaller patches");
}

static bool
read_document(struct front *f)
{
	if (!json_is_object(f->top)) {
		struct where root = {""};

		(void)patch_refuse(f,
		    json_is_array(f->top) ? PATCH_INVALID : PATCH_MALFORMED,
		    root, "%s",
		    json_is_array(f->top)
			? "this is a list: a patch is one mapping"
			: "this is plain text: a patch is a JSON or YAML "
			  "mapping");
		return patch_hint(f, "one document a patch");
	}
	f->inner = wrapped(f->top);
	patch_find_targets(f);
	patch_find_priority(f);
	if (!check_version(f) || !patch_find_id(f))
		return false;
	begin_form(f);
	return patch_fields(f) && patch_actions(f) && check_action(f) &&
	       check_length(f);
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
