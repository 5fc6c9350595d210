/* SPDX-License-Identifier: ISC */
/* Mutations of contents: a file is read, changed in memory and stored. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/beneath.h"
#include "executor/edit.h"
#include "executor/hunk.h"
#include "executor/merge.h"
#include "executor/mutate_part.h"
#include "executor/pattern.h"

/* What each code of an error record says of the file. */
static const struct {
	const char *code;
	const char *text;
} codes[] = {
    {"already-applied", "the text to find is not there, its replacement is"},
    {"elsewhere", "the hunk fits at another place only than its header says"},
    {"no-context", "the hunk shows no line of the file, so it has no place"},
    {"not-empty", "the diff deletes it as empty, and it is not"},
    {"not-json", "it is not JSON that can be merged into"},
    {"not-utf8", "it is not UTF-8"},
    {"pattern-limit", "the pattern was stopped, it took too long"},
    {"too-large", "the pattern would make it too large"},
};

static char *
load(int root, const struct plan_step *s, int64_t max, size_t *len,
    struct fault *f)
{
	struct stat st;
	char *text;
	int found = beneath_stat(root, s->path, &st);

	if (found == 0) {
		(void)fault_fail(f, OUTCOME_MUTATION, "%s does not exist",
		    s->path);
		fault_hint(f, "check the path; it is relative to the "
			      "workspace");
		return NULL;
	}
	if (found == 1 && !S_ISREG(st.st_mode)) {
		(void)mutate_refuse_other(s, &st, f);
		return NULL;
	}
	text = beneath_read(root, s->path, (size_t)max, len, &st);
	if (text == NULL)
		(void)mutate_errno(s, "read", f);
	return text;
}

static int
say_found(const struct plan_step *s, const json_t *error, struct fault *f)
{
	const json_t *d = json_object_get(error, "first_divergence");
	json_int_t found = json_integer_value(json_object_get(error, "found"));
	json_int_t line = json_integer_value(json_object_get(d, "file_line"));

	if (found > 0)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s: the text to find occurs %lld times", s->path,
		    (long long)found);
	if (s->kind == PLAN_PATTERN)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s: the pattern matches nothing", s->path);
	if (line > 0)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s: the text to find was not found; the nearest place "
		    "differs first at line %lld",
		    s->path, (long long)line);
	return fault_fail(f, OUTCOME_MUTATION,
	    "%s: the text to find was not found", s->path);
}

/* Completes the record with where it was and reports it. */
static int
fail_edit(const struct plan_step *s, size_t index, json_t *error,
    struct fault *f)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	const char *text = NULL;

	if (json_object_get(error, "op_index") == NULL)
		json_object_set_new(error, "op_index",
		    json_integer((json_int_t)index));
	json_object_set_new(error, "path", json_string(s->path));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i].code) == 0)
			text = codes[i].text;
	if (text != NULL)
		(void)fault_fail(f, OUTCOME_MUTATION, "%s: %s", s->path, text);
	else
		(void)say_found(s, error, f);
	if (hint != NULL)
		fault_hint(f, "%s", hint);
	json_decref(f->edit_error);
	f->edit_error = error;
	return -1;
}

/* Each edit works on what the one before left: two texts that take turns, so
 * that nothing is copied but by the edit itself. */
static int
run_edits(const struct plan_step *s, const struct plan_text *old, size_t max,
    struct buf *out, struct fault *f)
{
	struct plan_text text = *old;
	struct buf before = {0};
	int answer = 0;

	(void)max;
	for (size_t i = 0; i < s->edit_count && answer == 0; i++) {
		json_t *error = NULL;

		if (i > 0) {
			struct buf spare = before;

			before = *out;
			*out = spare;
			text = (struct plan_text){before.bytes, before.len};
		}
		buf_clear(out);
		buf_reserve(out, text.len + 1);
		answer = edit_replace(text.bytes, text.len, &s->edits[i], out,
		    &error);
		if (answer == -1)
			(void)fail_edit(s, i, error, f);
	}
	buf_free(&before);
	return answer;
}

static int
run_insert(const struct plan_step *s, const struct plan_text *old, size_t max,
    struct buf *out, struct fault *f)
{
	json_t *error = NULL;

	(void)max;
	if (edit_insert(old->bytes, old->len, s, out, &error) == 0)
		return 0;
	return fail_edit(s, 0, error, f);
}

static int
run_pattern(const struct plan_step *s, const struct plan_text *old, size_t max,
    struct buf *out, struct fault *f)
{
	struct pattern p = {s->anchor, s->text, s->flags, max};
	json_t *error = NULL;

	if (pattern_replace(&p, old->bytes, old->len, out, &error) == 0)
		return 0;
	return fail_edit(s, 0, error, f);
}

static int
run_hunks(const struct plan_step *s, const struct plan_text *old, size_t max,
    struct buf *out, struct fault *f)
{
	json_t *error = NULL;
	struct hunks h;
	const char *why;
	int answer = -1;

	(void)max;
	if (!hunks_read(s->text.bytes, s->text.len, &h, &why))
		(void)fault_reject(f, OUTCOME_INVALID, "%s", why);
	else if (h.deletes)
		answer = hunks_cover(&h, old->bytes, old->len, &error);
	else
		answer = hunks_apply(&h, old->bytes, old->len, out, &error);
	hunks_free(&h);
	return error != NULL ? fail_edit(s, 0, error, f) : answer;
}

static int
run_merge(const struct plan_step *s, const struct plan_text *old, size_t max,
    struct buf *out, struct fault *f)
{
	json_t *error = NULL;

	(void)max;
	if (merge_apply(old->bytes, old->len, s->merge, out, &error) == 0)
		return 0;
	return fail_edit(s, 0, error, f);
}

static int (*const runs[])(const struct plan_step *, const struct plan_text *,
    size_t, struct buf *, struct fault *) = {
    [PLAN_EDIT] = run_edits,
    [PLAN_INSERT] = run_insert,
    [PLAN_PATTERN] = run_pattern,
    [PLAN_DIFF] = run_hunks,
    [PLAN_MERGE] = run_merge,
};

int
change_file(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct plan_text old, text;
	struct buf out = {0};
	int answer;

	old.bytes = load(root, s, max, &old.len, f);
	if (old.bytes == NULL)
		return -1;
	buf_reserve(&out, 1);
	answer = runs[s->kind](s, &old, (size_t)max, &out, f);
	if (answer == 0)
		answer = mutate_size(s, out.len, max, f);
	text = (struct plan_text){out.bytes, out.len};
	if (answer == 0 && mutate_store(root, s->path, &text, s->mode) == -1)
		answer = mutate_errno(s, "write", f);
	free(old.bytes);
	buf_free(&out);
	return answer;
}

/* append and prepend make the file; an anchor needs one. */
int
change_insert(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct stat st;

	if ((s->place == PLACE_APPEND || s->place == PLACE_PREPEND) &&
	    beneath_stat(root, s->path, &st) == 0)
		return mutate_write(root, s, max, f);
	return change_file(root, s, max, f);
}

/* A file made of text, where there must be none. */
static int
create(int root, const struct plan_step *s, const struct buf *text, int64_t max,
    struct fault *f)
{
	struct plan_step made = *s;

	made.create = true;
	made.text = (struct plan_text){text->bytes, text->len};
	return mutate_write(root, &made, max, f);
}

static int
create_by_hunks(int root, const struct plan_step *s, const struct hunks *h,
    int64_t max, struct fault *f)
{
	struct buf text = {0};
	json_t *error = NULL;
	int answer;

	buf_reserve(&text, 1);
	(void)hunks_apply(h, "", 0, &text, &error);
	json_decref(error);
	answer = create(root, s, &text, max, f);
	buf_free(&text);
	return answer;
}

/* The file goes only when the diff shows all of it. */
static int
delete_by_hunks(int root, const struct plan_step *s, int64_t max,
    struct fault *f)
{
	struct plan_text old;
	struct buf none = {0};
	int answer;

	old.bytes = load(root, s, max, &old.len, f);
	if (old.bytes == NULL)
		return -1;
	answer = run_hunks(s, &old, (size_t)max, &none, f);
	buf_free(&none);
	free(old.bytes);
	return answer == 0 ? mutate_delete(root, s, max, f) : -1;
}

int
change_diff(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct hunks h;
	const char *why;
	int answer;

	if (!hunks_read(s->text.bytes, s->text.len, &h, &why))
		answer = fault_reject(f, OUTCOME_INVALID, "%s", why);
	else if (h.creates)
		answer = create_by_hunks(root, s, &h, max, f);
	else if (h.deletes)
		answer = delete_by_hunks(root, s, max, f);
	else
		answer = change_file(root, s, max, f);
	hunks_free(&h);
	return answer;
}

int
change_merge(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct buf text = {0};
	struct stat st;
	int answer;

	if (beneath_stat(root, s->path, &st) != 0)
		return change_file(root, s, max, f);
	merge_create(s->merge, &text);
	answer = create(root, s, &text, max, f);
	buf_free(&text);
	return answer;
}
