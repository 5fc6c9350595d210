/* SPDX-License-Identifier: ISC */
/* final: the git commit, the summary and its file. */
#include <string.h>

#include "common/patch_part.h"

/* A commit message or tag: text, or true for "with the description". */
static bool
put_git(struct front *f, json_t *git, const char *key, const json_t *v,
    struct where at)
{
	const json_t *description = json_object_get(f->form, "description");

	if (v == NULL || json_is_false(v) || json_is_null(v))
		return true;
	if (json_is_true(v) && strcmp(key, "commit") == 0) {
		patch_put(git, key,
		    description != NULL
			? json_string(json_string_value(description))
			: json_string(f->out->id));
		return true;
	}
	if (!json_is_string(v) || json_string_length(v) > 65536)
		return patch_refuse(f, PATCH_INVALID, at, "%s must be text",
		    key);
	if (json_string_length(v) > 0)
		patch_put(git, key, json_string(json_string_value(v)));
	return true;
}

/* final.git.KEY, else final.KEY (the old form), else git.KEY. */
static bool
put_git_key(struct front *f, json_t *git, const char *key)
{
	struct where at, inner;
	const json_t *final = patch_get(f, "final", &at);
	const json_t *v = json_object_get(json_object_get(final, "git"), key);

	inner = patch_key(patch_key(at, "git"), key);
	if (v == NULL) {
		v = json_object_get(final, key);
		inner = patch_key(at, key);
	}
	if (v == NULL) {
		v = json_object_get(patch_get(f, "git", &at), key);
		inner = patch_key(at, key);
	}
	if (v == NULL && strcmp(key, "tag") == 0)
		v = patch_get(f, "gitTag", &inner);
	return put_git(f, git, key, v, inner);
}

static bool
put_summary_file(struct front *f, json_t *final)
{
	struct where at;
	const json_t *outer = patch_get(f, "final", &at);
	const json_t *v = json_object_get(outer, "summaryFile");
	json_t *path;

	at = patch_key(at, "summaryFile");
	if (v == NULL)
		v = patch_get(f, "summaryFile", &at);
	if (v == NULL || json_is_null(v))
		return true;
	path = patch_path(f, v, at);
	if (path == NULL)
		return false;
	patch_put(final, "summaryFile", path);
	return true;
}

bool
patch_put_final(struct front *f)
{
	static const char *const keys[] = {"commit", "tag", NULL};
	struct where at;
	const json_t *v = patch_get(f, "final", &at), *summary;
	json_t *final = json_object(), *git = json_object();
	bool ok = true;

	if (v != NULL && !json_is_object(v))
		patch_warn(f, "final is no mapping: not used");
	ok = put_git_key(f, git, "commit") && put_git_key(f, git, "tag");
	if (json_object_size(json_object_get(v, "git")) > 0 &&
	    patch_first(json_object_get(v, "git"), keys, NULL) == NULL)
		patch_warn(f, "final.git has neither commit nor tag");
	if (json_object_size(git) > 0)
		patch_put(final, "git", git);
	else
		json_decref(git);
	summary = json_object_get(v, "summary");
	patch_put_text(final, "summary",
	    summary != NULL ? summary : json_object_get(v, "notes"));
	ok = ok && put_summary_file(f, final);
	if (ok && json_object_size(final) > 0)
		patch_put(f->form, "final", final);
	else
		json_decref(final);
	return ok;
}
