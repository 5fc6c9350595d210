/* SPDX-License-Identifier: ISC */
/* The fields beside the mutations: commands, final, limits and the rest. */
#include <ctype.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/patch_part.h"

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
		return refuse(f, PATCH_INVALID, at,
		    "a command longer than %d bytes", PATCH_COMMAND_BYTES);
	if (json_array_size(list) >= PATCH_COMMANDS)
		return refuse(f, PATCH_INVALID, at, "more than %d commands",
		    PATCH_COMMANDS);
	push(list, json_string(json_string_value(v)));
	return true;
}

/* {shell: ...}, {commands: ...}, {run: ..., onFailure: ...} and so on. */
static bool
commands_of_object(struct front *f, const json_t *v, struct where at,
    json_t *list)
{
	static const char *const keys[] = {"before", "shell", "commands",
	    "command", "cmd", "run", "script"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *c = json_object_get(v, keys[i]);

		if (c != NULL &&
		    !patch_commands(f, c, where_key(at, keys[i]), list))
			return false;
	}
	return true;
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

			if (json_is_array(c) ||
			    !patch_commands(f, c, where_index(at, i), list))
				return refuse(f, PATCH_INVALID,
				    where_index(at, i),
				    "a command must be text");
		}
		return true;
	}
	if (v == NULL || json_is_null(v) || json_is_boolean(v))
		return true;
	return refuse(f, PATCH_INVALID, at, "commands must be text or a list");
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

static bool
put_commands(struct front *f)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		struct where at;
		const json_t *v = front_get(f, stages[i].key, &at);
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
		if (json_array_size(list) == 0 || stage != NULL)
			json_decref(list);
		else
			put(f->form, stages[i].stage,
			    json_pack("{s:o}", "shell", list));
	}
	return true;
}

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

static void
put_text(json_t *object, const char *key, const json_t *v)
{
	json_t *text = as_text(v);

	if (text != NULL && json_string_length(text) > 0)
		put(object, key, text);
	else
		json_decref(text);
}

static bool
put_descriptions(struct front *f)
{
	const json_t *v = front_get(f, "description", NULL);

	if (v == NULL)
		v = front_get(f, "title", NULL);
	put_text(f->form, "description", v);
	v = front_get(f, "version", NULL);
	if (json_is_real(v))
		warn(f, "version is a number (%g): quote it",
		    json_real_value(v));
	put_text(f->form, "version", v);
	return true;
}

static bool
put_branch(struct front *f)
{
	struct where at;
	const json_t *v = front_get(f, "branch", &at);

	if (v == NULL)
		return true;
	if (!json_is_string(v) || json_string_length(v) > 255)
		return refuse(f, PATCH_INVALID, at,
		    "branch must be a name of at most 255 bytes");
	if (json_string_length(v) > 0)
		put(f->form, "branch", json_string(json_string_value(v)));
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

	if (id == NULL || !key_id_valid(id))
		return refuse(f, PATCH_INVALID, at,
		    "a dependency must be an id");
	if (f->out->id_declared && strcmp(id, f->out->id) == 0)
		return refuse(f, PATCH_INVALID, at,
		    "the patch depends on itself");
	if (json_array_size(list) >= 1000)
		return refuse(f, PATCH_INVALID, at,
		    "more than 1000 dependencies");
	if (!has_string(list, id))
		push(list, json_string(id));
	return true;
}

static bool
put_dependencies(struct front *f)
{
	struct where at;
	const json_t *v = front_get(f, "dependencies", &at);
	json_t *list = json_array();
	bool ok = true;

	if (json_is_object(v))
		warn(f, "dependencies is no list of patch ids: packages are "
			"not installed");
	else if (json_is_string(v))
		ok = add_dependency(f, v, at, list);
	else if (v != NULL && !json_is_array(v))
		ok = refuse(f, PATCH_INVALID, at,
		    "dependencies must be a list of ids");
	for (size_t i = 0; ok && i < json_array_size(v); i++)
		ok = add_dependency(f, json_array_get(v, i), where_index(at, i),
		    list);
	if (ok && json_array_size(list) > 0)
		put(f->form, "dependencies", list);
	else
		json_decref(list);
	return ok;
}

static bool
put_base(struct front *f)
{
	struct where at;
	const json_t *v = front_get(f, "base", &at);
	void *it = json_object_iter((json_t *)(uintptr_t)v);

	if (v == NULL)
		return true;
	if (!json_is_object(v))
		return refuse(f, PATCH_INVALID, at,
		    "base must say {path: sha256:…} for each file");
	for (; it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
		struct where here = where_key(at, json_object_iter_key(it));
		json_t *name = json_string(json_object_iter_key(it));
		json_t *path = patch_path(f, name, here), *hash = NULL;

		json_decref(name);
		if (path != NULL)
			hash = patch_hash(f, json_object_iter_value(it), here);
		if (hash != NULL)
			put(f->base, json_string_value(path), hash);
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
	const json_t *v = front_get(f, "expires", &at);
	const char *s;
	int64_t us;

	if (v == NULL)
		v = front_get(f, "expires_at", &at);
	if (v == NULL)
		return true;
	s = json_string_value(v);
	if (s == NULL || clock_parse_iso(s, &us) == -1)
		return refuse(f, PATCH_INVALID, at,
		    "expires must be a time like 2026-01-31T12:00:00Z");
	clock_iso(us, iso);
	put(f->form, "expires", json_string(iso));
	return true;
}

/* "2G", "512M", 1048576: bytes, or -1. */
static int64_t
parse_size(const json_t *v)
{
	static const char units[] = "KMGT";
	const char *s = json_string_value(v), *unit;
	int64_t n = 0;

	if (json_is_integer(v))
		return json_integer_value(v);
	if (s == NULL || !isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *s - '0', &n))
			return -1;
	if (*s == '\0')
		return n;
	unit = strchr(units, toupper((unsigned char)*s));
	s++;
	if (unit == NULL || strspn(s, "iB") != strlen(s))
		return -1;
	for (; unit >= units; unit--)
		if (__builtin_mul_overflow(n, 1024, &n))
			return -1;
	return n;
}

static int64_t
parse_span(const json_t *v)
{
	int64_t ms;

	if (json_is_integer(v)) {
		ms = json_integer_value(v);
		return ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : -1;
	}
	if (!json_is_string(v) ||
	    clock_parse_span(json_string_value(v), &ms) == -1)
		return -1;
	return ms;
}

static int64_t
parse_count(const json_t *v)
{
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static const struct {
	const char *key;
	const char *canonical;
	int64_t (*parse)(const json_t *);
	const char *form;
} limits[] = {
    {"timeout", "timeout_ms", parse_span, "a span like 300s"},
    {"command_timeout", "command_timeout_ms", parse_span, "a span like 30s"},
    {"commandTimeout", "command_timeout_ms", parse_span, "a span like 30s"},
    {"memory", "memory_bytes", parse_size, "a size like 2G"},
    {"processes", "processes", parse_count, "a number from 1"},
    {"timeout_ms", "timeout_ms", parse_count, "a number from 1"},
    {"command_timeout_ms", "command_timeout_ms", parse_count,
	"a number from 1"},
    {"memory_bytes", "memory_bytes", parse_count, "a number from 1"},
};

static bool
put_limit(struct front *f, const char *key, const json_t *v, struct where at,
    json_t *out)
{
	if (strcmp(key, "network") == 0) {
		if (!json_is_boolean(v))
			return refuse(f, PATCH_INVALID, at,
			    "network must be true or false");
		put(out, key, json_boolean(json_is_true(v)));
		return true;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t n;

		if (strcmp(key, limits[i].key) != 0)
			continue;
		n = limits[i].parse(v);
		if (n < 1)
			return refuse(f, PATCH_INVALID, at, "%s must be %s",
			    key, limits[i].form);
		put(out, limits[i].canonical, json_integer(n));
		return true;
	}
	(void)refuse(f, PATCH_INVALID, at, "a limit that does not exist");
	return refuse_hint(f, "timeout, command_timeout, memory, processes, "
			      "network");
}

static bool
put_limits(struct front *f)
{
	struct where at;
	const json_t *v = front_get(f, "limits", &at);
	void *it = json_object_iter((json_t *)(uintptr_t)v);
	json_t *out = json_object();

	if (v != NULL && !json_is_object(v)) {
		json_decref(out);
		return refuse(f, PATCH_INVALID, at, "limits must be a mapping");
	}
	for (; it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
		const char *key = json_object_iter_key(it);

		if (!put_limit(f, key, json_object_iter_value(it),
			where_key(at, key), out)) {
			json_decref(out);
			return false;
		}
	}
	if (json_object_size(out) > 0)
		put(f->form, "limits", out);
	else
		json_decref(out);
	return true;
}

/* A commit message or tag: text, or true for "with the description". */
static bool
put_git(struct front *f, json_t *git, const char *key, const json_t *v,
    struct where at)
{
	const json_t *description = json_object_get(f->form, "description");

	if (v == NULL || json_is_false(v) || json_is_null(v))
		return true;
	if (json_is_true(v) && strcmp(key, "commit") == 0) {
		put(git, key,
		    description != NULL
			? json_string(json_string_value(description))
			: json_string(f->out->id));
		return true;
	}
	if (!json_is_string(v) || json_string_length(v) > 65536)
		return refuse(f, PATCH_INVALID, at, "%s must be text", key);
	if (json_string_length(v) > 0)
		put(git, key, json_string(json_string_value(v)));
	return true;
}

/* final.git.KEY, else final.KEY (the old form), else git.KEY. */
static bool
put_git_key(struct front *f, json_t *git, const char *key)
{
	struct where at, inner;
	const json_t *final = front_get(f, "final", &at);
	const json_t *v = json_object_get(json_object_get(final, "git"), key);

	inner = where_key(where_key(at, "git"), key);
	if (v == NULL) {
		v = json_object_get(final, key);
		inner = where_key(at, key);
	}
	if (v == NULL) {
		v = json_object_get(front_get(f, "git", &at), key);
		inner = where_key(at, key);
	}
	if (v == NULL && strcmp(key, "tag") == 0)
		v = front_get(f, "gitTag", &inner);
	return put_git(f, git, key, v, inner);
}

static bool
put_summary_file(struct front *f, json_t *final)
{
	struct where at;
	const json_t *outer = front_get(f, "final", &at);
	const json_t *v = json_object_get(outer, "summaryFile");
	json_t *path;

	at = where_key(at, "summaryFile");
	if (v == NULL)
		v = front_get(f, "summaryFile", &at);
	if (v == NULL || json_is_null(v))
		return true;
	path = patch_path(f, v, at);
	if (path == NULL)
		return false;
	put(final, "summaryFile", path);
	return true;
}

static bool
put_final(struct front *f)
{
	struct where at;
	const json_t *v = front_get(f, "final", &at), *summary;
	json_t *final = json_object(), *git = json_object();
	bool ok = true;

	if (v != NULL && !json_is_object(v))
		warn(f, "final is no mapping: not used");
	ok = put_git_key(f, git, "commit") && put_git_key(f, git, "tag");
	if (json_object_size(git) > 0)
		put(final, "git", git);
	else
		json_decref(git);
	summary = json_object_get(v, "summary");
	put_text(final, "summary",
	    summary != NULL ? summary : json_object_get(v, "notes"));
	ok = ok && put_summary_file(f, final);
	if (ok && json_object_size(final) > 0)
		put(f->form, "final", final);
	else
		json_decref(final);
	return ok;
}

/* The runner of those days wrote its own limits in milliseconds. */
static void
put_old_limits(struct front *f)
{
	const json_t *v =
	    json_object_get(front_get(f, "constraints", NULL), "maxRuntimeMs");
	json_t *known = json_object_get(f->form, "limits");

	if (v == NULL)
		v = json_object_get(front_get(f, "execution", NULL), "timeout");
	if (!json_is_integer(v) || json_integer_value(v) < 1 || known != NULL)
		return;
	put(f->form, "limits",
	    json_pack("{s:I}", "timeout_ms", json_integer_value(v)));
}

bool
patch_fields(struct front *f)
{
	if (!put_descriptions(f) || !put_dependencies(f) || !put_branch(f) ||
	    !put_base(f) || !put_commands(f) || !put_final(f) ||
	    !put_limits(f) || !put_expires(f))
		return false;
	put_old_limits(f);
	return true;
}
