/* SPDX-License-Identifier: ISC */
/* Lists of commands in the forms that models write, and their stages. */
#include <string.h>

#include "common/patch_part.h"

static const char *const command_keys[] = {"before", "shell", "commands",
    "command", "cmd", "run", "script", NULL};

static bool
is_blank_text(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static bool
add_command(struct front *f, const json_t *v, struct where at, json_t *list)
{
	if (is_blank_text(json_string_value(v)))
		return true;
	if (json_string_length(v) > PATCH_COMMAND_BYTES)
		return patch_refuse(f, PATCH_INVALID, at,
		    "a command longer than %d bytes", PATCH_COMMAND_BYTES);
	if (json_array_size(list) >= PATCH_COMMANDS)
		return patch_refuse(f, PATCH_INVALID, at,
		    "more than %d commands", PATCH_COMMANDS);
	patch_push(list, json_string(json_string_value(v)));
	return true;
}

/* Elsewhere than asked for a command may do harm. */
static bool
is_at_top(struct front *f, const json_t *v, struct where at)
{
	static const char *const keys[] = {"cwd", "workdir", "working_dir",
	    "working_directory", "workingDirectory", NULL};
	const char *key = NULL;
	const char *dir = json_string_value(patch_first(v, keys, &key));

	if (dir == NULL || strcmp(dir, "") == 0 || strcmp(dir, ".") == 0 ||
	    strcmp(dir, "./") == 0)
		return true;
	(void)patch_refuse(f, PATCH_INVALID, patch_key(at, key),
	    "commands run at the workspace's top: \"%s\" is not known", key);
	return patch_hint(f, "cd DIRECTORY && COMMAND");
}

/* {shell: ...}, {commands: ...}, {run: ..., onFailure: ...} and so on. */
static bool
commands_of_object(struct front *f, const json_t *v, struct where at,
    json_t *list)
{
	if (!is_at_top(f, v, at))
		return false;
	for (const char *const *key = command_keys; *key != NULL; key++) {
		const json_t *c = json_object_get(v, *key);

		if (c != NULL &&
		    !patch_commands(f, c, patch_key(at, *key), list))
			return false;
	}
	return true;
}

/* In a list: what is not quoted is a mapping where it has a colon and a blank,
 * and no text where it is `true`. */
static bool
may_be_command(const json_t *v)
{
	const char *key = NULL;

	if (json_is_object(v))
		return patch_first(v, command_keys, &key) != NULL;
	return !json_is_array(v) && !json_is_boolean(v);
}

/* Left out without a word it would be missed in what is called validated. */
static bool
refuse_command(struct front *f, struct where at)
{
	(void)patch_refuse(f, PATCH_INVALID, at, "a command must be text");
	return patch_hint(f, "quote it, or say {shell: COMMAND}");
}

bool
patch_commands(struct front *f, const json_t *v, struct where at, json_t *list)
{
	if (json_is_string(v))
		return add_command(f, v, at, list);
	if (json_is_object(v))
		return commands_of_object(f, v, at, list);
	if (json_is_array(v)) {
		for (size_t i = 0; i < json_array_size(v); i++) {
			const json_t *c = json_array_get(v, i);

			if (!may_be_command(c))
				return refuse_command(f, patch_index(at, i));
			if (!patch_commands(f, c, patch_index(at, i), list))
				return false;
		}
		return true;
	}
	if (v == NULL || json_is_null(v) || json_is_boolean(v))
		return true;
	return patch_refuse(f, PATCH_INVALID, at,
	    "commands must be text or a list");
}

static const struct {
	const char *key;
	const char *stage;
	bool object_only; /* a list here is prose */
} stages[] = {
    {"preCommit", "preMutationValidation", true},
    {"preMutationValidation", "preMutationValidation", false},
    {"preMutationBuild", "preMutationValidation", false},
    {"postMutationBuild", "postMutationBuild", false},
    {"build", "postMutationBuild", false},
    {"testing", "validate", true},
    {"validation", "validate", false},
    {"validate", "validate", false},
};

bool
patch_put_commands(struct front *f)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct where at;
		const json_t *v = patch_get(f, stages[i].key, &at);
		json_t *stage, *list;

		if (v == NULL || (stages[i].object_only && !json_is_object(v)))
			continue;
		stage = json_object_get(f->form, stages[i].stage);
		list = json_incref(json_object_get(stage, "shell"));
		if (list == NULL)
			list = json_array();
		if (!patch_commands(f, v, at, list)) {
			json_decref(list);
			return false;
		}
		if (json_object_size(v) > 0 &&
		    patch_first(v, command_keys, NULL) == NULL)
			patch_warn(f, "%s holds no command and does nothing",
			    stages[i].key);
		if (json_array_size(list) == 0 || stage != NULL)
			json_decref(list);
		else
			patch_put(f->form, stages[i].stage,
			    json_pack("{s:o}", "shell", list));
	}
	return true;
}
