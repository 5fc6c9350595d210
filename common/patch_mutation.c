/* SPDX-License-Identifier: ISC */
/* One work item in any shape to canonical mutations. */
#include <ctype.h>
#include <string.h>

#include "common/buf.h"
#include "common/patch_part.h"

enum kind {
	KIND_NONE,
	KIND_WRITE,
	KIND_EDIT,
	KIND_REGEX,
	KIND_INSERT,
	KIND_APPEND,
	KIND_PREPEND,
	KIND_DIFF,
	KIND_DELETE,
	KIND_RENAME,
	KIND_CHMOD,
	KIND_MKDIR,
	KIND_SYMLINK,
	KIND_MERGE,
	KIND_COMMAND,
	KIND_SKETCH,
	KIND_NOTHING,
	KIND__MAX
};

/* An item on its way: where it stands, what it is about. */
struct item {
	struct front *f;
	const json_t *v;
	struct where at;
	json_t *path;     /* checked; NULL where there is none */
	const char *file; /* as written */
};

/* What the words of op, type, action, operation and task mean; compared
 * without case, '-', '_' and blanks. */
static const struct {
	const char *word;
	enum kind kind;
} ops[] = {
    {"write", KIND_WRITE},
    {"writefile", KIND_WRITE},
    {"upsert", KIND_WRITE},
    {"create", KIND_WRITE},
    {"createfile", KIND_WRITE},
    {"filecreate", KIND_WRITE},
    {"update", KIND_WRITE},
    {"updatefile", KIND_WRITE},
    {"fileupdate", KIND_WRITE},
    {"modify", KIND_WRITE},
    {"overwrite", KIND_WRITE},
    {"file", KIND_WRITE},
    {"fileoperation", KIND_NONE},
    {"edit", KIND_EDIT},
    {"searchreplace", KIND_EDIT},
    {"strreplace", KIND_EDIT},
    {"replace", KIND_EDIT},
    {"regex", KIND_REGEX},
    {"insert", KIND_INSERT},
    {"append", KIND_APPEND},
    {"prepend", KIND_PREPEND},
    {"diff", KIND_DIFF},
    {"applypatch", KIND_DIFF},
    {"delete", KIND_DELETE},
    {"deletefile", KIND_DELETE},
    {"filedelete", KIND_DELETE},
    {"remove", KIND_DELETE},
    {"rename", KIND_RENAME},
    {"move", KIND_RENAME},
    {"movefile", KIND_RENAME},
    {"filemove", KIND_RENAME},
    {"chmod", KIND_CHMOD},
    {"mkdir", KIND_MKDIR},
    {"symlink", KIND_SYMLINK},
    {"merge", KIND_MERGE},
    {"command", KIND_COMMAND},
    {"shell", KIND_COMMAND},
    {"run", KIND_COMMAND},
    {"runcommand", KIND_COMMAND},
    {"runshellcommand", KIND_COMMAND},
    {"exec", KIND_COMMAND},
    {"noop", KIND_NOTHING},
};

/* Which key says what the item is. The first that is there decides. */
static const struct {
	const char *key;
	enum kind kind;
	bool flag; /* counts only when it is not false */
} signs[] = {
    {"edits", KIND_EDIT, false},
    {"changes", KIND_EDIT, false},
    {"find", KIND_EDIT, false},
    {"search", KIND_EDIT, false},
    {"old_string", KIND_EDIT, false},
    {"oldString", KIND_EDIT, false},
    {"old_str", KIND_EDIT, false},
    {"pattern", KIND_REGEX, false},
    {"transform", KIND_REGEX, false},
    {"insertAfter", KIND_INSERT, false},
    {"insertBefore", KIND_INSERT, false},
    {"append", KIND_APPEND, true},
    {"prepend", KIND_PREPEND, true},
    {"diff", KIND_DIFF, false},
    {"delete", KIND_DELETE, true},
    {"rename", KIND_RENAME, false},
    {"chmod", KIND_CHMOD, false},
    {"mkdir", KIND_MKDIR, true},
    {"symlink", KIND_SYMLINK, false},
    {"merge", KIND_MERGE, false},
    {"code_edit", KIND_SKETCH, false},
    {"contents", KIND_WRITE, false},
    {"content", KIND_WRITE, false},
    {"contents_lines", KIND_WRITE, false},
    {"data", KIND_WRITE, false},
    {"shell", KIND_COMMAND, false},
    {"commands", KIND_COMMAND, false},
    {"command", KIND_COMMAND, false},
    {"run", KIND_COMMAND, false},
};

void
patch_add(struct front *f, json_t *mutation)
{
	const char *op = json_string_value(json_object_get(mutation, "op"));

	if (op != NULL && strcmp(op, "command") != 0)
		f->files++;
	push(f->mutations, mutation);
}

static bool
refuse_item(const struct item *i, const char *key, const char *reason)
{
	return refuse(i->f, PATCH_INVALID,
	    key == NULL ? i->at : where_key(i->at, key), "%s", reason);
}

/* The canonical mutation of op with the item's path, not yet added. */
static json_t *
begin(const struct item *i, const char *op)
{
	json_t *m = json_pack("{s:s}", "op", op);

	if (i->path != NULL)
		put(m, "path", json_incref(i->path));
	return m;
}

static json_t *
join_lines(const json_t *list)
{
	struct buf b = {0};
	json_t *v = NULL;
	size_t n;

	for (n = 0; n < json_array_size(list); n++) {
		const char *s = json_string_value(json_array_get(list, n));

		if (s == NULL)
			break;
		buf_puts(&b, s);
		buf_putc(&b, '\n');
	}
	if (n == json_array_size(list))
		v = json_string(b.bytes != NULL ? b.bytes : "");
	buf_free(&b);
	return v;
}

/* "// ... existing code ..." as a whole line: the file was not written out. */
static bool
is_elided(const char *s)
{
	const char *line = s, *hit;

	while ((hit = strstr(line, "... existing code")) != NULL) {
		const char *from = hit;

		while (from > s && strchr(" \t/*#<!-{", from[-1]) != NULL)
			from--;
		if (from == s || from[-1] == '\n')
			return true;
		line = hit + 1;
	}
	return false;
}

static const char *const contents_keys[] = {"contents", "content",
    "contents_lines", "data", "text", NULL};

/* The text to write, decoded of its forms; NULL when refused. */
static json_t *
contents(const struct item *i)
{
	const char *key = NULL;
	const json_t *v = first_of(i->v, contents_keys, &key);
	json_t *text = NULL;

	if (json_is_object(v) && json_object_get(v, "data") != NULL)
		v = json_object_get(v, "data");
	if (json_is_string(v))
		text = json_string(json_string_value(v));
	else if (json_is_array(v))
		text = join_lines(v);
	if (text == NULL) {
		(void)refuse_item(i, key,
		    v == NULL ? "no contents" : "contents must be text");
		return NULL;
	}
	if (is_elided(json_string_value(text))) {
		(void)refuse(i->f, PATCH_NOT_EXECUTABLE, where_key(i->at, key),
		    "the contents leave out \"existing code\": writing them "
		    "would lose it");
		(void)refuse_hint(i->f,
		    "give the whole file, or edits with find/replace");
		json_decref(text);
		return NULL;
	}
	return text;
}

static bool
put_mode(const struct item *i, json_t *m)
{
	const json_t *v = json_object_get(i->v, "mode");
	json_t *mode;

	if (v == NULL || json_is_null(v))
		return true;
	mode = patch_mode(i->f, v, where_key(i->at, "mode"));
	if (mode == NULL)
		return false;
	put(m, "mode", mode);
	return true;
}

static bool
put_encoding(const struct item *i, json_t *m)
{
	const json_t *v = json_object_get(i->v, "encoding");
	const char *s = json_string_value(v);
	json_t *text;

	if (v == NULL || (s != NULL && (strcasecmp(s, "utf-8") == 0 ||
					   strcasecmp(s, "utf8") == 0 ||
					   strcasecmp(s, "text") == 0)))
		return true;
	if (s == NULL || strcasecmp(s, "base64") != 0)
		return refuse_item(i, "encoding",
		    "encoding must be base64 or utf-8");
	text = patch_base64(i->f,
	    json_string_value(json_object_get(m, "contents")),
	    where_key(i->at, "contents"));
	if (text == NULL)
		return false;
	put(m, "contents", text);
	put(m, "encoding", json_string("base64"));
	return true;
}

static bool
finish(const struct item *i, json_t *m, bool ok)
{
	if (ok)
		patch_add(i->f, m);
	else
		json_decref(m);
	return ok;
}

static bool
take_write(const struct item *i)
{
	json_t *text = contents(i), *m;
	const json_t *create = json_object_get(i->v, "create");

	if (text == NULL)
		return false;
	m = begin(i, "write");
	put(m, "contents", text);
	if (json_is_true(create))
		put(m, "create", json_true());
	return finish(i, m, put_encoding(i, m) && put_mode(i, m));
}

static bool
take_edit(const struct item *i)
{
	static const char *const lists[] = {"edits", "changes", NULL};
	const char *key;
	const json_t *v = first_of(i->v, lists, &key);
	const char *file = json_string_value(i->path);

	if (v != NULL)
		return patch_edits(i->f, v, where_key(i->at, key), file);
	return patch_edits(i->f, i->v, i->at, file);
}

/* Letters of flags, sorted, each once; NULL where one does not exist. */
static json_t *
regex_flags(const char *s)
{
	static const char known[] = "gimsux";
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
put_flags(const struct item *i, const json_t *v, json_t *m)
{
	const json_t *flags = json_object_get(v, "flags");
	json_t *clean;

	if (flags != NULL && !json_is_string(flags))
		return refuse_item(i, "flags", "flags must be text");
	clean = regex_flags(flags != NULL ? json_string_value(flags) : "");
	if (clean == NULL)
		return refuse_item(i, "flags",
		    "flags are letters of g i m s u x");
	put(m, "flags", clean);
	return true;
}

static bool
take_regex(const struct item *i)
{
	static const char *const from[] = {"pattern", "regex", NULL};
	static const char *const to[] = {"replacement", "replace", NULL};
	const json_t *t = json_object_get(i->v, "transform");
	const json_t *v = json_is_object(t) ? t : i->v;
	const char *pattern = json_string_value(first_of(v, from, NULL));
	const char *replacement = json_string_value(first_of(v, to, NULL));
	json_t *m;

	if (pattern == NULL || *pattern == '\0')
		return refuse_item(i, "pattern", "pattern must be text");
	if (replacement == NULL)
		return refuse_item(i, NULL,
		    "a pattern without a replacement text");
	m = begin(i, "regex");
	put(m, "pattern", json_string(pattern));
	put(m, "replacement", json_string(replacement));
	return finish(i, m, put_flags(i, v, m));
}

static bool
take_insert(const struct item *i)
{
	static const char *const keys[] = {"insertAfter", "insertBefore", NULL};
	const char *key = NULL;
	const char *anchor = json_string_value(first_of(i->v, keys, &key));
	json_t *text, *m;

	if (anchor == NULL || *anchor == '\0')
		return refuse_item(i, key,
		    "insertAfter or insertBefore must be the text of a line");
	text = contents(i);
	if (text == NULL)
		return false;
	m = begin(i, "insert");
	put(m, key, json_string(anchor));
	put(m, "contents", text);
	patch_add(i->f, m);
	return true;
}

/* append: "text", or append: true with contents. */
static bool
take_end(const struct item *i, const char *op)
{
	const json_t *v = json_object_get(i->v, op);
	json_t *text, *m;

	text =
	    json_is_string(v) ? json_string(json_string_value(v)) : contents(i);
	if (text == NULL)
		return false;
	m = begin(i, op);
	put(m, "contents", text);
	patch_add(i->f, m);
	return true;
}

static bool
take_append(const struct item *i)
{
	return take_end(i, "append");
}

static bool
take_prepend(const struct item *i)
{
	return take_end(i, "prepend");
}

static bool
take_diff(const struct item *i)
{
	static const char *const keys[] = {"diff", "patch", "contents", NULL};
	const char *key = NULL;
	const char *diff = json_string_value(first_of(i->v, keys, &key));
	json_t *m;

	if (diff == NULL || *diff == '\0')
		return refuse_item(i, key, "a diff must be text");
	m = begin(i, "diff");
	put(m, "diff", json_string(diff));
	patch_add(i->f, m);
	return true;
}

static bool
take_delete(const struct item *i)
{
	const json_t *v = json_object_get(i->v, "delete");

	if (v != NULL && !json_is_true(v))
		return refuse_item(i, "delete", "delete must be true");
	patch_add(i->f, begin(i, "delete"));
	return true;
}

static bool
take_rename(const struct item *i)
{
	static const char *const keys[] = {"rename", "to", "destination",
	    "newPath", "new_path", NULL};
	const char *key = NULL;
	const json_t *v = first_of(i->v, keys, &key);
	json_t *to, *m;

	if (v == NULL)
		return refuse_item(i, NULL, "a rename without its new path");
	to = patch_path(i->f, v, where_key(i->at, key));
	if (to == NULL)
		return false;
	m = begin(i, "rename");
	put(m, "rename", to);
	patch_add(i->f, m);
	return true;
}

static bool
take_chmod(const struct item *i)
{
	static const char *const keys[] = {"chmod", "mode", NULL};
	const char *key = NULL;
	const json_t *v = first_of(i->v, keys, &key);
	json_t *mode, *m;

	if (v == NULL)
		return refuse_item(i, NULL, "chmod without a mode");
	mode = patch_mode(i->f, v, where_key(i->at, key));
	if (mode == NULL)
		return false;
	m = begin(i, "chmod");
	put(m, "chmod", mode);
	patch_add(i->f, m);
	return true;
}

static bool
take_mkdir(const struct item *i)
{
	json_t *m = begin(i, "mkdir");

	return finish(i, m, put_mode(i, m));
}

static bool
take_symlink(const struct item *i)
{
	static const char *const keys[] = {"symlink", "to", NULL};
	const char *key = NULL;
	const char *text = json_string_value(first_of(i->v, keys, &key));
	json_t *m;

	if (text == NULL || *text == '\0' || strlen(text) > 4095)
		return refuse_item(i, key,
		    "a symlink must say what it points to");
	m = begin(i, "symlink");
	put(m, "symlink", json_string(text));
	patch_add(i->f, m);
	return true;
}

static bool
take_merge(const struct item *i)
{
	const json_t *v = json_object_get(i->v, "merge");
	json_t *m;

	if (!json_is_object(v))
		return refuse_item(i, "merge", "merge must be a mapping");
	m = begin(i, "merge");
	put(m, "merge", json_deep_copy(v));
	patch_add(i->f, m);
	return true;
}

static bool
take_command(const struct item *i)
{
	return patch_mutation_commands(i->f, i->v, i->at);
}

/* A sketch for an agent that reads the file: nothing says where it goes. */
static bool
take_sketch(const struct item *i)
{
	(void)refuse(i->f, PATCH_NOT_EXECUTABLE, where_key(i->at, "code_edit"),
	    "code_edit is a sketch that leaves code out: it cannot be "
	    "applied exactly");
	return refuse_hint(i->f,
	    "give contents, or edits with find and replace");
}

static bool
take_nothing(const struct item *i)
{
	warn(i->f, "%s does nothing", i->at.s);
	return true;
}

static bool
take_unknown(const struct item *i)
{
	(void)refuse(i->f, PATCH_INVALID, i->at,
	    "nothing here says what to do%s%s", i->file != NULL ? " with " : "",
	    i->file != NULL ? i->file : "");
	return refuse_hint(i->f,
	    "contents, edits, delete: true, rename, mkdir, chmod or command");
}

static bool (*const takers[KIND__MAX])(const struct item *) = {
    [KIND_NONE] = take_unknown,
    [KIND_WRITE] = take_write,
    [KIND_EDIT] = take_edit,
    [KIND_REGEX] = take_regex,
    [KIND_INSERT] = take_insert,
    [KIND_APPEND] = take_append,
    [KIND_PREPEND] = take_prepend,
    [KIND_DIFF] = take_diff,
    [KIND_DELETE] = take_delete,
    [KIND_RENAME] = take_rename,
    [KIND_CHMOD] = take_chmod,
    [KIND_MKDIR] = take_mkdir,
    [KIND_SYMLINK] = take_symlink,
    [KIND_MERGE] = take_merge,
    [KIND_COMMAND] = take_command,
    [KIND_SKETCH] = take_sketch,
    [KIND_NOTHING] = take_nothing,
};

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

/* The kind that a word names; KIND__MAX where nobody knows it. */
static enum kind
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
	return KIND__MAX;
}

static enum kind
kind_of_op(const json_t *v)
{
	static const char *const keys[] = {"op", "operation", "type", "action",
	    "task"};
	enum kind kind = KIND_NONE;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *s = json_string_value(json_object_get(v, keys[i]));

		if (s == NULL)
			continue;
		kind = kind_of_word(s);
		if (kind != KIND_NONE && kind != KIND__MAX)
			return kind;
	}
	return kind;
}

static enum kind
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
	return KIND_NONE;
}

/* What a second sign of another kind may mean no harm beside the first. */
static bool
agree(enum kind op, enum kind keys)
{
	if (op == keys || keys == KIND_NONE || op == KIND_WRITE)
		return true;
	/* Their text stands in contents. */
	return keys == KIND_WRITE && (op == KIND_INSERT || op == KIND_APPEND ||
					 op == KIND_PREPEND || op == KIND_DIFF);
}

static const char *
clash(const json_t *v, enum kind kind)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const json_t *s = json_object_get(v, signs[i].key);

		if (s == NULL || json_is_null(s) || json_is_false(s))
			continue;
		if (!agree(kind, signs[i].kind) ||
		    (kind == KIND_WRITE && signs[i].kind != KIND_WRITE))
			return signs[i].key;
	}
	return NULL;
}

/* By op and by keys; KIND__MAX when refused. */
static enum kind
decide(const struct item *i)
{
	const char *key, *other;
	enum kind op = kind_of_op(i->v), keys = kind_of_keys(i->v, &key);

	if (op == KIND__MAX && keys == KIND_NONE) {
		(void)refuse_item(i, NULL, "an operation that nobody knows");
		return KIND__MAX;
	}
	if (op == KIND__MAX || op == KIND_NONE ||
	    (op == KIND_WRITE && keys != KIND_NONE))
		op = keys;
	/* chmod beside contents is the mode of the new file. */
	other = clash(i->v, op);
	if (other == NULL)
		return op;
	(void)refuse(i->f, PATCH_INVALID, i->at,
	    "\"%s\" does not go with \"%s\" in one mutation", other,
	    key != NULL ? key : "op");
	(void)refuse_hint(i->f, "one change a mutation; list them in order");
	return KIND__MAX;
}

static bool
needs_path(enum kind kind)
{
	return kind != KIND_COMMAND && kind != KIND_DIFF &&
	       kind != KIND_NOTHING;
}

static bool
find_path(struct item *i, enum kind kind, const char *file)
{
	static const char *const keys[] = {"path", "file", "target_file",
	    "filePath", "file_path", "filename", "target", "source", "from",
	    NULL};
	const char *key = NULL;
	const json_t *v = first_of(i->v, keys, &key);
	json_t *given;

	if (v == NULL && file == NULL) {
		if (!needs_path(kind))
			return true;
		return refuse_item(i, NULL, "no path");
	}
	given =
	    v != NULL ? json_incref((json_t *)(uintptr_t)v) : json_string(file);
	if (needs_path(kind) || kind == KIND_DIFF)
		i->path = patch_path(i->f, given,
		    key != NULL ? where_key(i->at, key) : i->at);
	json_decref(given);
	i->file = json_string_value(i->path);
	return i->path != NULL || !needs_path(kind);
}

static bool
put_item_base(const struct item *i)
{
	const char *key = "base_sha256";
	const json_t *v = json_object_get(i->v, key);
	json_t *hash;

	if (v == NULL)
		v = json_object_get(i->v, key = "base");
	if (v == NULL || i->path == NULL)
		return true;
	hash = patch_hash(i->f, v, where_key(i->at, key));
	if (hash == NULL)
		return false;
	put(i->f->base, i->file, hash);
	return true;
}

/* {role, target_file, patch: {pattern, replacement}} inside the list. */
static bool
take_nested(struct front *f, const json_t *item, struct where at)
{
	static const char *const keys[] = {"target_file", "path", "file",
	    "target", NULL};

	return patch_mutation(f, json_object_get(item, "patch"),
	    where_key(at, "patch"),
	    json_string_value(first_of(item, keys, NULL)));
}

bool
patch_mutation(struct front *f, const json_t *item, struct where at,
    const char *file)
{
	struct item i = {.f = f, .v = item, .at = at};
	enum kind kind;
	bool ok;

	if (!json_is_object(item)) {
		(void)refuse(f, PATCH_INVALID, at,
		    "a mutation must be a mapping");
		return refuse_hint(f, "{path: FILE, contents: TEXT}");
	}
	if (json_array_size(f->mutations) >= PATCH_MUTATIONS)
		return refuse(f, PATCH_INVALID, at, "more than %d mutations",
		    PATCH_MUTATIONS);
	if (json_is_object(json_object_get(item, "patch")))
		return take_nested(f, item, at);
	kind = decide(&i);
	if (kind == KIND__MAX)
		return false;
	ok = kind == KIND_NONE || find_path(&i, kind, file);
	ok = ok && put_item_base(&i) && takers[kind](&i);
	json_decref(i.path);
	return ok;
}
