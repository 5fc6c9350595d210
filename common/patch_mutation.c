/* SPDX-License-Identifier: ISC */
/* One work item in any shape: what kind of change it asks for, of which file.
 */
#include <ctype.h>
#include <string.h>

#include "common/patch_part.h"

/* What the words of op, type, action, operation and task mean; compared
 * without case, '-', '_' and blanks. */
static const struct {
	const char *word;
	enum patch_kind kind;
} ops[] = {
    {"write", PATCH_KIND_WRITE},
    {"writefile", PATCH_KIND_WRITE},
    {"upsert", PATCH_KIND_WRITE},
    {"create", PATCH_KIND_WRITE},
    {"createfile", PATCH_KIND_WRITE},
    {"filecreate", PATCH_KIND_WRITE},
    {"update", PATCH_KIND_WRITE},
    {"updatefile", PATCH_KIND_WRITE},
    {"fileupdate", PATCH_KIND_WRITE},
    {"modify", PATCH_KIND_WRITE},
    {"overwrite", PATCH_KIND_WRITE},
    {"rewrite", PATCH_KIND_WRITE},
    {"overwritefile", PATCH_KIND_WRITE},
    {"rewritefile", PATCH_KIND_WRITE},
    {"replacefile", PATCH_KIND_WRITE},
    {"modifyfile", PATCH_KIND_WRITE},
    {"upsertfile", PATCH_KIND_WRITE},
    {"newfile", PATCH_KIND_WRITE},
    {"savefile", PATCH_KIND_WRITE},
    {"save", PATCH_KIND_WRITE},
    {"put", PATCH_KIND_WRITE},
    {"filewrite", PATCH_KIND_WRITE},
    {"createorreplace", PATCH_KIND_WRITE},
    {"createoroverwrite", PATCH_KIND_WRITE},
    {"add", PATCH_KIND_WRITE},
    {"addfile", PATCH_KIND_WRITE},
    {"createorupdate", PATCH_KIND_WRITE},
    {"file", PATCH_KIND_WRITE},
    {"fileoperation", PATCH_KIND_NONE},
    {"edit", PATCH_KIND_EDIT},
    {"searchreplace", PATCH_KIND_EDIT},
    {"strreplace", PATCH_KIND_EDIT},
    {"replace", PATCH_KIND_EDIT},
    {"regex", PATCH_KIND_REGEX},
    {"insert", PATCH_KIND_INSERT},
    {"insertafter", PATCH_KIND_INSERT},
    {"insertbefore", PATCH_KIND_INSERT},
    {"append", PATCH_KIND_APPEND},
    {"prepend", PATCH_KIND_PREPEND},
    {"diff", PATCH_KIND_DIFF},
    {"applypatch", PATCH_KIND_DIFF},
    {"delete", PATCH_KIND_DELETE},
    {"deletefile", PATCH_KIND_DELETE},
    {"filedelete", PATCH_KIND_DELETE},
    {"remove", PATCH_KIND_DELETE},
    {"rename", PATCH_KIND_RENAME},
    {"move", PATCH_KIND_RENAME},
    {"movefile", PATCH_KIND_RENAME},
    {"filemove", PATCH_KIND_RENAME},
    {"chmod", PATCH_KIND_CHMOD},
    {"mkdir", PATCH_KIND_MKDIR},
    {"directory", PATCH_KIND_MKDIR},
    {"createdirectory", PATCH_KIND_MKDIR},
    {"symlink", PATCH_KIND_SYMLINK},
    {"merge", PATCH_KIND_MERGE},
    {"command", PATCH_KIND_COMMAND},
    {"shell", PATCH_KIND_COMMAND},
    {"run", PATCH_KIND_COMMAND},
    {"runcommand", PATCH_KIND_COMMAND},
    {"runshellcommand", PATCH_KIND_COMMAND},
    {"exec", PATCH_KIND_COMMAND},
    {"noop", PATCH_KIND_NOTHING},
};

/* Which key says what the item is. The first that is there decides. */
static const struct {
	const char *key;
	enum patch_kind kind;
	bool flag; /* counts only when it is not false */
} signs[] = {
    {"edits", PATCH_KIND_EDIT, false},
    {"changes", PATCH_KIND_EDIT, false},
    {"find", PATCH_KIND_EDIT, false},
    {"search", PATCH_KIND_EDIT, false},
    {"old_string", PATCH_KIND_EDIT, false},
    {"oldString", PATCH_KIND_EDIT, false},
    {"old_str", PATCH_KIND_EDIT, false},
    {"pattern", PATCH_KIND_REGEX, false},
    {"transform", PATCH_KIND_REGEX, false},
    {"insertAfter", PATCH_KIND_INSERT, false},
    {"insertBefore", PATCH_KIND_INSERT, false},
    {"append", PATCH_KIND_APPEND, true},
    {"prepend", PATCH_KIND_PREPEND, true},
    {"diff", PATCH_KIND_DIFF, false},
    {"patch", PATCH_KIND_DIFF, false},
    {"delete", PATCH_KIND_DELETE, true},
    {"rename", PATCH_KIND_RENAME, false},
    {"chmod", PATCH_KIND_CHMOD, false},
    {"mkdir", PATCH_KIND_MKDIR, true},
    {"symlink", PATCH_KIND_SYMLINK, false},
    {"merge", PATCH_KIND_MERGE, false},
    {"code_edit", PATCH_KIND_SKETCH, false},
    {"contents", PATCH_KIND_WRITE, false},
    {"content", PATCH_KIND_WRITE, false},
    {"contents_lines", PATCH_KIND_WRITE, false},
    {"data", PATCH_KIND_WRITE, false},
    {"shell", PATCH_KIND_COMMAND, false},
    {"commands", PATCH_KIND_COMMAND, false},
    {"command", PATCH_KIND_COMMAND, false},
    {"run", PATCH_KIND_COMMAND, false},
};

void
patch_add(struct front *f, json_t *mutation)
{
	const char *op = json_string_value(json_object_get(mutation, "op"));

	if (op != NULL && strcmp(op, "command") != 0)
		f->files++;
	patch_push(f->mutations, mutation);
}

bool
patch_mutation_commands(struct front *f, const json_t *v, struct where at)
{
	json_t *list = json_array();
	bool ok = patch_commands(f, v, at, list);

	for (size_t i = 0; ok && i < json_array_size(list); i++)
		patch_add(f, json_pack("{s:s, s:O}", "op", "command", "command",
				 json_array_get(list, i)));
	json_decref(list);
	return ok;
}

/* The kind that a word names; PATCH_KIND__MAX where nobody knows it. */
static enum patch_kind
kind_of_word(const char *word)
{
	char clean[32];
	size_t n = 0;

	for (; *word != '\0' && n + 1 < sizeof(clean); word++)
		if (strchr("-_ ", *word) == NULL)
			clean[n++] = (char)tolower((unsigned char)*word);
	clean[n] = '\0';
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(ops[i].word, clean) == 0)
			return ops[i].kind;
	return PATCH_KIND__MAX;
}

static enum patch_kind
kind_of_op(const json_t *v)
{
	static const char *const keys[] = {"op", "operation", "type", "action",
	    "task"};
	enum patch_kind kind = PATCH_KIND_NONE;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *s = json_string_value(json_object_get(v, keys[i]));

		if (s == NULL)
			continue;
		kind = kind_of_word(s);
		if (kind != PATCH_KIND_NONE && kind != PATCH_KIND__MAX)
			return kind;
	}
	return kind;
}

static enum patch_kind
kind_of_keys(const json_t *v, const char **key)
{
	*key = NULL;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const json_t *s = json_object_get(v, signs[i].key);

		if (s == NULL || json_is_null(s) ||
		    (signs[i].flag && json_is_false(s)))
			continue;
		*key = signs[i].key;
		return signs[i].kind;
	}
	return PATCH_KIND_NONE;
}

/* What a second sign of another kind may mean no harm beside the first. */
static bool
agree(enum patch_kind op, enum patch_kind keys)
{
	if (op == keys || keys == PATCH_KIND_NONE || op == PATCH_KIND_WRITE)
		return true;
	/* Their text stands in contents. */
	return keys == PATCH_KIND_WRITE &&
	       (op == PATCH_KIND_INSERT || op == PATCH_KIND_APPEND ||
		   op == PATCH_KIND_PREPEND || op == PATCH_KIND_DIFF);
}

static const char *
clash(const json_t *v, enum patch_kind kind)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const json_t *s = json_object_get(v, signs[i].key);

		if (s == NULL || json_is_null(s) || json_is_false(s))
			continue;
		if (!agree(kind, signs[i].kind) ||
		    (kind == PATCH_KIND_WRITE &&
			signs[i].kind != PATCH_KIND_WRITE))
			return signs[i].key;
	}
	return NULL;
}

/* Is it an operation that is named? Prose, and the type of a text, is not. */
static bool
names_operation(const json_t *v)
{
	static const char *const keys[] = {"op", "operation", "action", NULL};
	const char *word = json_string_value(patch_first(v, keys, NULL));

	return word != NULL && *word != '\0' && strchr(word, ' ') == NULL;
}

/* By op and by keys; PATCH_KIND__MAX when refused. */
static enum patch_kind
decide(const struct patch_item *i)
{
	const char *key, *other;
	enum patch_kind op = kind_of_op(i->v), keys = kind_of_keys(i->v, &key);

	if (patch_refuse_slip(i))
		return PATCH_KIND__MAX;
	/* Contents beside it are not the file's for that. */
	if (op == PATCH_KIND__MAX &&
	    (keys == PATCH_KIND_NONE ||
		(keys == PATCH_KIND_WRITE && names_operation(i->v)))) {
		(void)patch_refuse_item(i, NULL,
		    "an operation that nobody knows");
		(void)patch_hint(i->f,
		    "op: write, edit, regex, insert, append, prepend, diff, "
		    "delete, rename, chmod, mkdir, symlink, merge, command");
		return PATCH_KIND__MAX;
	}
	if (op == PATCH_KIND__MAX || op == PATCH_KIND_NONE ||
	    (op == PATCH_KIND_WRITE && keys != PATCH_KIND_NONE))
		op = keys;
	/* chmod beside contents is the mode of the new file. */
	other = clash(i->v, op);
	if (other == NULL)
		return op == PATCH_KIND_WRITE && patch_refuse_part(i)
			   ? PATCH_KIND__MAX
			   : op;
	(void)patch_refuse(i->f, PATCH_INVALID, i->at,
	    "\"%s\" does not go with \"%s\" in one mutation", other,
	    key != NULL ? key : "op");
	(void)patch_hint(i->f, "one change a mutation; list them in order");
	return PATCH_KIND__MAX;
}

static bool
needs_path(enum patch_kind kind)
{
	return kind != PATCH_KIND_COMMAND && kind != PATCH_KIND_DIFF &&
	       kind != PATCH_KIND_NOTHING;
}

static const char *const path_keys[] = {"path", "file", "target_file",
    "filePath", "file_path", "filename", "target", "source", "from", NULL};

static bool
find_path(struct patch_item *i, enum patch_kind kind, const char *file)
{
	const char *key = NULL;
	const json_t *v = patch_first(i->v, path_keys, &key);
	json_t *given;

	if (v == NULL && file == NULL) {
		if (!needs_path(kind))
			return true;
		return patch_refuse_item(i, NULL, "no path");
	}
	given =
	    v != NULL ? json_incref((json_t *)(uintptr_t)v) : json_string(file);
	if (needs_path(kind) || kind == PATCH_KIND_DIFF)
		i->path = patch_path(i->f, given,
		    key != NULL ? patch_key(i->at, key) : i->at);
	json_decref(given);
	i->file = json_string_value(i->path);
	return i->path != NULL || !needs_path(kind);
}

static bool
put_item_base(const struct patch_item *i)
{
	const char *key = "base_sha256";
	const json_t *v = json_object_get(i->v, key);
	json_t *hash;

	if (v == NULL)
		v = json_object_get(i->v, key = "base");
	if (v == NULL || i->path == NULL)
		return true;
	hash = patch_hash(i->f, v, patch_key(i->at, key));
	if (hash == NULL)
		return false;
	patch_put(i->f->base, i->file, hash);
	return true;
}

/* {role, target_file, patch: {pattern, replacement}} inside the list. */
static bool
take_nested(struct front *f, const json_t *item, struct where at)
{
	static const char *const keys[] = {"target_file", "path", "file",
	    "target", NULL};

	return patch_mutation(f, json_object_get(item, "patch"),
	    patch_key(at, "patch"),
	    json_string_value(patch_first(item, keys, NULL)));
}

bool
patch_mutation(struct front *f, const json_t *item, struct where at,
    const char *file)
{
	struct patch_item i = {.f = f, .v = item, .at = at};
	enum patch_kind kind;
	bool ok;

	if (!json_is_object(item)) {
		(void)patch_refuse(f, PATCH_INVALID, at,
		    "a mutation must be a mapping");
		return patch_hint(f, "{path: FILE, contents: TEXT}");
	}
	if (json_array_size(f->mutations) >= PATCH_MUTATIONS)
		return patch_refuse(f, PATCH_INVALID, at,
		    "more than %d mutations", PATCH_MUTATIONS);
	if (json_is_object(json_object_get(item, "patch")))
		return take_nested(f, item, at);
	kind = decide(&i);
	if (kind == PATCH_KIND__MAX)
		return false;
	i.file = json_string_value(patch_first(item, path_keys, NULL));
	ok = kind == PATCH_KIND_NONE || find_path(&i, kind, file);
	ok = ok && put_item_base(&i) && patch_take(&i, kind);
	json_decref(i.path);
	return ok;
}
