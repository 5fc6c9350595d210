/* SPDX-License-Identifier: ISC */
/*
 * Everything in a document that changes something, whatever shape it has, in
 * the order mutations, edits, actions, tasks, phases, payload, patch,
 * commands. The shapes are those that models were seen to emit.
 */
#include <string.h>

#include "common/patch_part.h"

/* Lists of work items; their elements are mutations, commands or prose. */
/* What a text among the elements of a list is. */
enum texts { TEXT_WRONG, TEXT_IGNORED, TEXT_PROSE };

static const struct {
	const char *key;
	enum texts texts;
} lists[] = {
    {"mutations", TEXT_WRONG},
    {"edits", TEXT_WRONG},
    {"files", TEXT_IGNORED},
    {"changes", TEXT_IGNORED},
    {"operations", TEXT_PROSE},
    {"ops", TEXT_WRONG},
    {"actions", TEXT_PROSE},
    {"tasks", TEXT_PROSE},
};

/* The file that the document as a whole is about, or NULL. */
static const char *
document_file(const struct front *f)
{
	static const char *const keys[] = {"target_file", "path", "file",
	    "filePath", NULL};
	const json_t *target = patch_get(f, "target", NULL);
	const char *file;

	for (size_t i = 0; keys[i] != NULL; i++) {
		file = json_string_value(patch_get(f, keys[i], NULL));
		if (file != NULL && *file != '\0')
			return file;
	}
	file = json_string_value(json_object_get(target, "file"));
	if (file != NULL)
		return file;
	file = json_string_value(target);
	return file != NULL && strchr(file, '/') != NULL ? file : NULL;
}

/* Elements of a list of work items. */
static bool
take_list(struct front *f, const json_t *v, struct where at, const char *file,
    enum texts texts)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *item = json_array_get(v, i);

		if (json_is_string(item) && texts == TEXT_PROSE)
			f->prose = true;
		else if (json_is_string(item) && texts == TEXT_IGNORED)
			continue;
		else if (!patch_mutation(f, item, patch_index(at, i), file))
			return false;
	}
	return true;
}

static bool
is_item(const json_t *v)
{
	static const char *const keys[] = {"path", "file", "target_file", "op",
	    NULL};

	return json_is_object(v) && patch_first(v, keys, NULL) != NULL;
}

static bool
take_lists(struct front *f, const char *file)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		bool main = i == 0, ok = true;
		struct where at;
		const json_t *v = patch_get(f, lists[i].key, &at);

		if (json_is_array(v))
			ok = take_list(f, v, at, file, lists[i].texts);
		else if (main && is_item(v))
			ok = patch_mutation(f, v, at, file);
		else if (main && json_is_object(v))
			ok = patch_mutation_commands(f, v, at);
		else if (main && v != NULL)
			ok = patch_refuse(f, PATCH_INVALID, at,
			    "mutations must be a list");
		if (!ok)
			return false;
	}
	return true;
}

static bool
take_phase(struct front *f, const json_t *phase, struct where at)
{
	static const char *const steps[] = {"mutations", "actions",
	    "executionSteps", "steps"};
	size_t before = json_array_size(f->mutations);

	if (!json_is_object(phase)) {
		f->prose = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!take_list(f, json_object_get(phase, steps[i]),
			patch_key(at, steps[i]), NULL, TEXT_PROSE))
			return false;
	if (!patch_mutation_commands(f, json_object_get(phase, "shell"),
		patch_key(at, "shell")))
		return false;
	if (json_array_size(f->mutations) == before)
		f->prose = true;
	return true;
}

static bool
take_phases(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "phases", &at);

	if (json_is_object(v))
		f->prose = true;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!take_phase(f, json_array_get(v, i), patch_index(at, i)))
			return false;
	return true;
}

/* {"payload": {"inline": {"ops": [{"op": …}]}}} of the signed commands. */
static bool
take_payload(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "payload", &at);

	v = json_object_get(json_object_get(v, "inline"), "ops");
	at = patch_key(patch_key(at, "inline"), "ops");
	return take_list(f, v, at, NULL, TEXT_WRONG);
}

/* A regex over one file, or over each of targets. */
static bool
take_regex_patch(struct front *f, const json_t *v, struct where at,
    const char *file)
{
	struct where here;
	const json_t *targets = patch_get(f, "targets", &here);
	json_t *all = json_copy((json_t *)(uintptr_t)v);
	bool ok = true;

	/* Its executors replaced every match, with ^ and $ at line ends. */
	if (json_object_get(all, "flags") == NULL)
		patch_put(all, "flags", json_string("gm"));
	if (file != NULL || !json_is_array(targets))
		ok = patch_mutation(f, all, at, file);
	for (size_t i = 0; ok && file == NULL && i < json_array_size(targets);
	     i++)
		ok = patch_mutation(f, all, patch_index(here, i),
		    json_string_value(json_array_get(targets, i)));
	json_decref(all);
	return ok;
}

static bool
take_patch_text(struct front *f, const char *s, struct where at,
    const char *file)
{
	const char *role = json_string_value(patch_get(f, "role", NULL));
	json_t *v;
	bool ok;

	if (strncmp(s, "diff --git ", 11) == 0 || strncmp(s, "--- ", 4) == 0 ||
	    strncmp(s, "@@ ", 3) == 0) {
		v = json_pack("{s:s}", "diff", s);
		ok = patch_mutation(f, v, at, file);
		json_decref(v);
		return ok;
	}
	if (role != NULL && strcmp(role, "command_patch") == 0) {
		v = json_string(s);
		ok = patch_mutation_commands(f, v, at);
		json_decref(v);
		return ok;
	}
	(void)patch_refuse(f, PATCH_NOT_EXECUTABLE, at,
	    "a text as patch does not say whether it is contents or a "
	    "command");
	return patch_hint(f, "mutations: [{path: FILE, contents: TEXT}]");
}

/* "patch" where it wraps no block. */
static bool
take_patch(struct front *f, const char *file)
{
	static const char *const regex[] = {"pattern", "regex", NULL};
	static const char *const write[] = {"contents", "content", "changes",
	    "edits", "find", "search", "old_string", "diff", "delete", "append",
	    "insertAfter", "insertBefore", "code_edit", NULL};
	struct where at = patch_key((struct where){""}, "patch");
	const json_t *v = json_object_get(f->top, "patch");

	if (f->inner != NULL || v == NULL)
		return true;
	if (json_is_string(v))
		return take_patch_text(f, json_string_value(v), at, file);
	if (patch_first(v, regex, NULL) != NULL)
		return take_regex_patch(f, v, at, file);
	if (patch_first(v, write, NULL) != NULL)
		return patch_mutation(f, v, at, file);
	patch_warn(f, "patch says nothing that can be done");
	return true;
}

/* {"target": {"file": …}, "content": {"type": "file", "data": …}}, or a
 * document that is one mutation itself. */
static bool
take_contents(struct front *f, const char *file)
{
	static const char *const keys[] = {"contents", "content", NULL};
	struct where at = {""};
	const json_t *object = f->inner != NULL ? f->inner : f->top;
	json_t *item;
	bool ok;

	if (patch_first(object, keys, NULL) == NULL || file == NULL)
		return true;
	item = json_copy((json_t *)(uintptr_t)object);
	/* The document's own type, mode and base are not the
	 * mutation's; file is known. */
	(void)json_object_del(item, "type");
	(void)json_object_del(item, "action");
	(void)json_object_del(item, "mode");
	(void)json_object_del(item, "base");
	(void)json_object_del(item, "target");
	(void)json_object_del(item, "patch");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		(void)json_object_del(item, lists[i].key);
	ok = patch_mutation(f, item, at, file);
	json_decref(item);
	return ok;
}

static bool
take_commands(struct front *f)
{
	static const char *const keys[] = {"execution", "shell", "commands",
	    "command"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct where at;
		const json_t *v = patch_get(f, keys[i], &at);

		if (!patch_mutation_commands(f, v, at))
			return false;
	}
	return true;
}

bool
patch_actions(struct front *f)
{
	const char *file = document_file(f);

	if (!take_lists(f, file) || !take_phases(f) || !take_payload(f) ||
	    !take_patch(f, file) || !take_contents(f, file) ||
	    !take_commands(f))
		return false;
	patch_warn_of_others(f);
	return true;
}
