/* SPDX-License-Identifier: ISC */
/*
 * Keys that are left out although somebody meant something by them: one of
 * ours but for a slip, or a word of others for what is not done here.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/nearest.h"
#include "common/patch_part.h"

/* Keys of a mutation that change what it does. */
static const char *const telling[] = {"path", "edits", "find", "replace",
    "search", "old_string", "oldString", "new_string", "newString", "old_str",
    "new_str", "pattern", "replacement", "flags", "transform", "insertAfter",
    "insertBefore", "append", "prepend", "diff", "delete", "rename", "chmod",
    "mkdir", "symlink", "merge", "code_edit", "contents", "content",
    "contents_lines", "encoding", "create", "mode", "base_sha256", "command",
    "commands", "shell", NULL};

/* Where in a file: beside contents that would replace all of it. */
static const char *const parts[] = {"line", "line_number", "at_line",
    "start_line", "end_line", "line_start", "line_end", "anchor", "after",
    "before", "position", "range", NULL};

/* Keys of the document that do; those that are others' neighbours, too. */
static const char *const top_telling[] = {"mutations", "edits", "commands",
    "command", "shell", "dependencies", "validate", "validation",
    "preMutationValidation", "preMutationBuild", "postMutationBuild", "branch",
    "limits", "final", "expires", "expires_at", "target", "targets", "priority",
    "summaryFile", "base", NULL};

/* Words that look as if something were to be done. */
static const char *const others[] = {"steps", "script", "scripts", "run",
    "exec", "hooks", "postRun", "postMutation", "preMutation", "rollback",
    "cleanup", "deploy", "onSuccess", "onFailure", "after", "before", "delete",
    "rename", "test", "tests", "timeout", "cwd", "env", "dryRun", "dry_run",
    NULL};

/* Near one of ours, and words of their own. */
static const char *const strangers[] = {"comments", "validated", "validator",
    "validity", "expired", "insertions", "inserted", NULL};

static bool
is_one_of(const char *const *words, const char *key)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, key) == 0)
			return true;
	return false;
}

static const char *
skip_joint(const char *s)
{
	return s + strspn(s, "_- ");
}

/* The same but for case, '_', '-' and blanks. */
static bool
is_spelling(const char *key, const char *word)
{
	for (;;) {
		key = skip_joint(key);
		word = skip_joint(word);
		if (tolower((unsigned char)*key) !=
		    tolower((unsigned char)*word))
			return false;
		if (*key == '\0')
			return true;
		key++;
		word++;
	}
}

/* A letter may be wrong in a word of five, two in one of eight. */
static bool
is_near(const char *key, const char *word)
{
	size_t len = strlen(word);

	return len >= 5 && nearest_distance(key, word) <= (len >= 8 ? 2 : 1);
}

/* The key of ours that this one was to be; NULL for one of ours, and for a
 * stranger. */
static const char *
meant(const char *key)
{
	if (is_one_of(telling, key) || is_one_of(strangers, key))
		return NULL;
	for (size_t n = 0; telling[n] != NULL; n++)
		if (is_spelling(key, telling[n]))
			return telling[n];
	if (is_spelling(key, "create_only"))
		return "create";
	return strncasecmp(key, "insert", 6) == 0 ? "insertAfter" : NULL;
}

/* A form that is filled in leaves what it does not want empty. */
static bool
is_empty(const json_t *v)
{
	return json_is_null(v) ||
	       (json_is_string(v) && json_string_length(v) == 0);
}

bool
patch_refuse_slip(const struct patch_item *i)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)i->v, key, v) {
		const char *ours = is_empty(v) ? NULL : meant(key);

		if (ours == NULL)
			continue;
		(void)patch_refuse(i->f, PATCH_INVALID, patch_key(i->at, key),
		    "\"%.40s\" is not known, \"%s\" is", key, ours);
		return true;
	}
	return false;
}

bool
patch_refuse_part(const struct patch_item *i)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)i->v, key, v) {
		for (size_t n = 0; parts[n] != NULL; n++) {
			if (is_empty(v) || !is_spelling(key, parts[n]))
				continue;
			(void)patch_refuse(i->f, PATCH_INVALID,
			    patch_key(i->at, key),
			    "\"%.40s\" is not known, and contents are the "
			    "whole file",
			    key);
			(void)patch_hint(i->f, "a part is changed by edits, "
					       "insertAfter or diff");
			return true;
		}
	}
	return false;
}

static void
warn_of(struct front *f, const char *key)
{
	if (is_one_of(top_telling, key) || is_one_of(strangers, key))
		return;
	if (is_one_of(others, key)) {
		patch_warn(f, "%s is not known here and is not done", key);
		return;
	}
	for (size_t n = 0; top_telling[n] != NULL; n++) {
		if (!is_spelling(key, top_telling[n]) &&
		    !is_near(key, top_telling[n]))
			continue;
		patch_warn(f,
		    "%.40s is not known here and is not done, %s would be", key,
		    top_telling[n]);
		return;
	}
}

void
patch_warn_of_others(struct front *f)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)f->top, key, v) {
		if (!json_is_null(v))
			warn_of(f, key);
	}
	json_object_foreach ((json_t *)(uintptr_t)f->inner, key, v) {
		if (!json_is_null(v) && json_object_get(f->top, key) == NULL)
			warn_of(f, key);
	}
}
