/* SPDX-License-Identifier: ISC */
/* Mutations of the canonical patch as steps of a plan. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/base64.h"
#include "executor/hunk.h"
#include "executor/pattern.h"
#include "executor/step.h"

static void
set_text(struct plan_text *t, const json_t *value)
{
	if (!json_is_string(value))
		return;
	t->len = json_string_length(value);
	t->bytes = xmalloc(t->len + 1);
	memcpy(t->bytes, json_string_value(value), t->len + 1);
}

static char *
text_or_null(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? xstrdup(s) : NULL;
}

/* "0755" to 0755. */
static int
parse_mode(const json_t *value, int *mode, struct fault *f)
{
	const char *s = json_string_value(value);
	char *end;
	long n;

	if (s == NULL || *s == '\0')
		return fault_reject(f, OUTCOME_INVALID,
		    "a mode must be a string like \"0755\"");
	n = strtol(s, &end, 8);
	if (*end != '\0' || n < 0 || n > 0777)
		return fault_reject(f, OUTCOME_INVALID,
		    "mode \"%s\" is not of the form \"0755\"", s);
	*mode = (int)n;
	return 0;
}

static int
make_contents(const json_t *m, struct plan_step *s, struct fault *f)
{
	const char *encoding =
	    json_string_value(json_object_get(m, "encoding"));
	const json_t *value = json_object_get(m, "contents");

	if (!json_is_string(value))
		return fault_reject(f, OUTCOME_INVALID,
		    "contents must be a string");
	if (encoding == NULL || strcmp(encoding, "utf-8") == 0) {
		set_text(&s->text, value);
		return 0;
	}
	if (strcmp(encoding, "base64") != 0)
		return fault_reject(f, OUTCOME_INVALID,
		    "encoding \"%s\" is neither utf-8 nor base64", encoding);
	s->text.bytes = base64_decode(json_string_value(value),
	    json_string_length(value), &s->text.len);
	if (s->text.bytes == NULL)
		return fault_reject(f, OUTCOME_INVALID,
		    "contents are not valid base64");
	return 0;
}

static int
make_write(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_WRITE;
	s->create = json_is_true(json_object_get(m, "create"));
	return make_contents(m, s, f);
}

static int
make_edits(const json_t *m, struct plan_step *s, struct fault *f)
{
	const json_t *edits = json_object_get(m, "edits");
	const json_t *e;
	size_t i;

	s->kind = PLAN_EDIT;
	s->edits = xcalloc(json_array_size(edits) + 1, sizeof(*s->edits));
	json_array_foreach (edits, i, e) {
		const json_t *count = json_object_get(e, "count");
		struct plan_edit *to = &s->edits[s->edit_count++];

		set_text(&to->find, json_object_get(e, "find"));
		set_text(&to->replace, json_object_get(e, "replace"));
		if (to->find.len == 0 || to->replace.bytes == NULL)
			return fault_reject(f, OUTCOME_INVALID,
			    "edits[%zu] needs find (not empty) and replace", i);
		to->count =
		    json_is_integer(count) ? json_integer_value(count) : 1;
		if (to->count < 0)
			return fault_reject(f, OUTCOME_INVALID,
			    "edits[%zu].count is negative", i);
	}
	if (s->edit_count == 0)
		return fault_reject(f, OUTCOME_INVALID, "edits is empty");
	return 0;
}

static int
make_insert(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_INSERT;
	s->place = PLACE_AFTER;
	set_text(&s->anchor, json_object_get(m, "insertAfter"));
	if (s->anchor.len == 0) {
		s->place = PLACE_BEFORE;
		set_text(&s->anchor, json_object_get(m, "insertBefore"));
	}
	if (s->anchor.len == 0)
		return fault_reject(f, OUTCOME_INVALID,
		    "insert needs insertAfter or insertBefore, not empty");
	return make_contents(m, s, f);
}

static int
make_append(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_INSERT;
	s->place = PLACE_APPEND;
	return make_contents(m, s, f);
}

static int
make_prepend(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_INSERT;
	s->place = PLACE_PREPEND;
	return make_contents(m, s, f);
}

static int
make_to(const json_t *m, const char *key, struct plan_step *s, struct fault *f)
{
	s->to = text_or_null(m, key);
	if (s->to == NULL || s->to[0] == '\0')
		return fault_reject(f, OUTCOME_INVALID,
		    "%s must be a text, not empty", key);
	return 0;
}

static int
make_rename(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_RENAME;
	return make_to(m, "rename", s, f);
}

static int
make_symlink(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_SYMLINK;
	return make_to(m, "symlink", s, f);
}

static int
make_command(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_COMMAND;
	return make_to(m, "command", s, f);
}

static int
make_delete(const json_t *m, struct plan_step *s, struct fault *f)
{
	(void)m, (void)f;
	s->kind = PLAN_DELETE;
	return 0;
}

static int
make_mkdir(const json_t *m, struct plan_step *s, struct fault *f)
{
	(void)m, (void)f;
	s->kind = PLAN_MKDIR;
	return 0;
}

static int
make_chmod(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_CHMOD;
	return parse_mode(json_object_get(m, "chmod"), &s->mode, f);
}

static int
make_pattern(const json_t *m, struct plan_step *s, struct fault *f)
{
	const char *flags = json_string_value(json_object_get(m, "flags"));
	struct pattern p;
	char why[256] = "";
	size_t offset;

	s->kind = PLAN_PATTERN;
	set_text(&s->anchor, json_object_get(m, "pattern"));
	set_text(&s->text, json_object_get(m, "replacement"));
	s->flags = xstrdup(flags != NULL ? flags : "");
	if (s->anchor.len == 0 || s->text.bytes == NULL)
		return fault_reject(f, OUTCOME_INVALID,
		    "regex needs pattern (not empty) and replacement");
	if (s->flags[strspn(s->flags, "gimsuy")] != '\0')
		return fault_reject(f, OUTCOME_INVALID,
		    "flags \"%.20s\" has a letter that is none of g i m s u y",
		    s->flags);
	p = (struct pattern){s->anchor, s->text, s->flags, 0};
	if (pattern_check(&p, why, sizeof(why), &offset))
		return 0;
	(void)fault_reject(f, OUTCOME_INVALID,
	    "the pattern is wrong at byte %zu, before \"%.40s\": %s", offset,
	    s->anchor.bytes + offset, why);
	fault_hint(f, "a character that has a meaning in patterns is written "
		      "with a backslash; edits find text as it is");
	return -1;
}

static int
make_diff(const json_t *m, struct plan_step *s, struct fault *f)
{
	struct hunks h;
	const char *why;
	bool good;

	s->kind = PLAN_DIFF;
	set_text(&s->text, json_object_get(m, "diff"));
	good = hunks_read(s->text.bytes != NULL ? s->text.bytes : "",
	    s->text.len, &h, &why);
	hunks_free(&h);
	if (good)
		return 0;
	(void)fault_reject(f, OUTCOME_INVALID, "%s", why);
	fault_hint(f, "a hunk is @@ and lines that begin with a blank, - or +");
	return -1;
}

static int
make_merge(const json_t *m, struct plan_step *s, struct fault *f)
{
	s->kind = PLAN_MERGE;
	s->merge = json_incref(json_object_get(m, "merge"));
	if (json_is_object(s->merge))
		return 0;
	return fault_reject(f, OUTCOME_INVALID, "merge must be an object");
}

static const struct {
	const char *op;
	int (*make)(const json_t *, struct plan_step *, struct fault *);
} ops[] = {
    {"write", make_write},
    {"edit", make_edits},
    {"insert", make_insert},
    {"append", make_append},
    {"prepend", make_prepend},
    {"delete", make_delete},
    {"rename", make_rename},
    {"chmod", make_chmod},
    {"mkdir", make_mkdir},
    {"symlink", make_symlink},
    {"command", make_command},
    {"regex", make_pattern},
    {"diff", make_diff},
    {"merge", make_merge},
};

static int
make_kind(const json_t *m, struct plan_step *s, struct fault *f)
{
	const char *op = json_string_value(json_object_get(m, "op"));

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (op != NULL && strcmp(op, ops[i].op) == 0)
			return ops[i].make(m, s, f);
	}
	return fault_reject(f, OUTCOME_INVALID, "op \"%s\" is not known",
	    op != NULL ? op : "");
}

/* Every path of the step, from the document's to the workspace's. */
static int
make_paths(const json_t *m, const struct queue_settings *q, struct plan_step *s,
    struct fault *f)
{
	const char *path = json_string_value(json_object_get(m, "path"));
	char *to;

	if (s->kind == PLAN_COMMAND)
		return 0;
	if (path == NULL)
		return fault_reject(f, OUTCOME_INVALID, "path is missing");
	s->path = plan_path(q, path, f);
	if (s->path == NULL)
		return -1;
	if (s->path[0] == '\0' && s->kind != PLAN_CHMOD)
		return fault_reject(f, OUTCOME_FORBIDDEN,
		    "the workspace itself cannot be changed by a mutation");
	if (s->kind != PLAN_RENAME)
		return 0;
	to = plan_path(q, s->to, f);
	free(s->to);
	s->to = to;
	if (to == NULL)
		return -1;
	if (to[0] == '\0')
		return fault_reject(f, OUTCOME_FORBIDDEN,
		    "rename to the workspace itself");
	return 0;
}

static int
make_step(const json_t *m, const struct queue_settings *q, struct plan_step *s,
    struct fault *f)
{
	const json_t *mode = json_object_get(m, "mode");

	s->mode = -1;
	if (make_kind(m, s, f) == -1 || make_paths(m, q, s, f) == -1)
		return -1;
	if (mode != NULL && s->kind != PLAN_CHMOD)
		return parse_mode(mode, &s->mode, f);
	return 0;
}

int
plan_steps(const json_t *patch, const struct queue_settings *q, struct plan *p,
    struct fault *f)
{
	const json_t *list = json_object_get(patch, "mutations");
	const json_t *m;
	size_t i;

	p->steps = xcalloc(json_array_size(list) + 1, sizeof(*p->steps));
	json_array_foreach (list, i, m) {
		struct plan_step *s = &p->steps[p->step_count++];

		s->index = i;
		if (make_step(m, q, s, f) == -1) {
			fault_place(f, "mutations[%zu]", i);
			return -1;
		}
	}
	return 0;
}

void
plan_step_free(struct plan_step *s)
{
	free(s->path);
	free(s->to);
	free(s->text.bytes);
	free(s->anchor.bytes);
	for (size_t i = 0; i < s->edit_count; i++) {
		free(s->edits[i].find.bytes);
		free(s->edits[i].replace.bytes);
	}
	free(s->edits);
	free(s->flags);
	json_decref(s->merge);
}
