/* SPDX-License-Identifier: ISC */
/* Canonical patch to plan: the steps, and what bounds them. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "executor/base64.h"
#include "executor/plan.h"

const char *const plan_phase_name[PHASE__MAX] = {
    [PHASE_PRE] = "preMutationValidation",
    [PHASE_MUTATION] = "mutations",
    [PHASE_BUILD] = "postMutationBuild",
    [PHASE_VALIDATE] = "validate",
    [PHASE_GATE] = "gate",
    [PHASE_GIT] = "git",
};

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

/* regex, diff and merge: said in patchflow-patch(5), not here yet. */
static int
make_later(const json_t *m, struct plan_step *s, struct fault *f)
{
	(void)s;
	(void)fault_fail(f, OUTCOME_MUTATION,
	    "mutations with op \"%s\" are not supported by this version",
	    json_string_value(json_object_get(m, "op")));
	fault_hint(f, "say the same with edits (find and replace) or with the "
		      "whole contents");
	return -1;
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
    {"regex", make_later},
    {"diff", make_later},
    {"merge", make_later},
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

static int
make_steps(const json_t *patch, const struct queue_settings *q, struct plan *p,
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

static int
make_bases(const json_t *patch, const struct queue_settings *q, struct plan *p,
    struct fault *f)
{
	json_t *bases = json_object_get(patch, "base");
	const char *path;
	json_t *value;

	p->bases = xcalloc(json_object_size(bases) + 1, sizeof(*p->bases));
	json_object_foreach (bases, path, value) {
		const char *s = json_string_value(value);
		struct plan_base *b = &p->bases[p->base_count];

		if (s == NULL)
			return fault_reject(f, OUTCOME_INVALID,
			    "base of %s must be \"sha256:HEX\"", path);
		b->path = plan_path(q, path, f);
		if (b->path == NULL)
			return -1;
		b->sha256 = xstrdup(strncmp(s, "sha256:", 7) == 0 ? s + 7 : s);
		p->base_count++;
	}
	return 0;
}

static void
add_command(struct plan *p, enum plan_phase phase, const char *text)
{
	struct plan_command *c;

	p->commands = xreallocarray(p->commands, p->command_count + 1,
	    sizeof(*p->commands));
	c = &p->commands[p->command_count++];
	c->phase = phase;
	c->text = xstrdup(text);
}

static int
add_phase(const json_t *patch, enum plan_phase phase, struct plan *p,
    struct fault *f)
{
	const json_t *section = json_object_get(patch, plan_phase_name[phase]);
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(section, "shell"), i, entry) {
		if (!json_is_string(entry))
			return fault_reject(f, OUTCOME_INVALID,
			    "%s.shell must be a list of command lines",
			    plan_phase_name[phase]);
		add_command(p, phase, json_string_value(entry));
	}
	return 0;
}

static int
make_commands(const json_t *patch, const struct queue_settings *q,
    struct plan *p, struct fault *f)
{
	size_t before;

	if (add_phase(patch, PHASE_PRE, p, f) == -1 ||
	    add_phase(patch, PHASE_BUILD, p, f) == -1)
		return -1;
	before = p->command_count;
	if (add_phase(patch, PHASE_VALIDATE, p, f) == -1)
		return -1;
	for (size_t i = 0; i < q->gates.count; i++)
		add_command(p, PHASE_GATE, q->gates.items[i]);
	p->unvalidated = p->command_count == before;
	return 0;
}

static void
lower(const json_t *limits, const char *key, int64_t *limit)
{
	const json_t *value = json_object_get(limits, key);
	int64_t n = json_integer_value(value);

	if (json_is_integer(value) && n > 0 && n < *limit)
		*limit = n;
}

static void
make_limits(const json_t *patch, const struct queue_settings *q, struct plan *p)
{
	const json_t *l = json_object_get(patch, "limits");

	p->timeout_ms = q->timeout;
	p->command_timeout_ms = q->command_timeout;
	p->memory = q->memory;
	p->processes = q->processes;
	p->file_size = q->file_size;
	p->network = q->network && json_is_true(json_object_get(l, "network"));
	lower(l, "timeout_ms", &p->timeout_ms);
	lower(l, "command_timeout_ms", &p->command_timeout_ms);
	lower(l, "memory_bytes", &p->memory);
	lower(l, "processes", &p->processes);
}

static int
make_rest(const json_t *patch, struct plan *p, struct fault *f)
{
	const json_t *final = json_object_get(patch, "final");
	const json_t *git = json_object_get(final, "git");
	const json_t *deps = json_object_get(patch, "dependencies");
	const char *expires =
	    json_string_value(json_object_get(patch, "expires"));
	const json_t *d;
	size_t i;

	p->branch = text_or_null(patch, "branch");
	p->description = text_or_null(patch, "description");
	p->git_commit = text_or_null(git, "commit");
	p->git_tag = text_or_null(git, "tag");
	p->final = json_object();
	if (json_object_get(final, "summary") != NULL)
		json_object_set(p->final, "summary",
		    json_object_get(final, "summary"));
	if (json_object_get(final, "summaryFile") != NULL)
		json_object_set(p->final, "summaryFile",
		    json_object_get(final, "summaryFile"));
	p->dependencies =
	    xcalloc(json_array_size(deps) + 1, sizeof(*p->dependencies));
	json_array_foreach (deps, i, d) {
		if (json_is_string(d))
			p->dependencies[p->dependency_count++] =
			    xstrdup(json_string_value(d));
	}
	if (expires != NULL && clock_parse_iso(expires, &p->expires_us) == -1)
		return fault_reject(f, OUTCOME_INVALID,
		    "expires \"%s\" is no time", expires);
	return 0;
}

int
plan_make(const json_t *patch, const struct queue_settings *q, struct plan *p,
    struct fault *f)
{
	memset(p, 0, sizeof(*p));
	make_limits(patch, q, p);
	if (make_rest(patch, p, f) == -1 ||
	    make_commands(patch, q, p, f) == -1 ||
	    make_bases(patch, q, p, f) == -1 ||
	    make_steps(patch, q, p, f) == -1)
		return -1;
	if (p->step_count == 0 && p->command_count == q->gates.count &&
	    p->git_commit == NULL && p->git_tag == NULL)
		return fault_reject(f, OUTCOME_NOT_EXECUTABLE,
		    "the patch asks for nothing that can be done");
	return 0;
}

bool
plan_is_plain(const struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++) {
		if (p->steps[i].kind == PLAN_COMMAND)
			return false;
	}
	return p->command_count == 0 && p->git_commit == NULL &&
	       p->git_tag == NULL && p->branch == NULL;
}

static void
free_step(struct plan_step *s)
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
}

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++)
		free_step(&p->steps[i]);
	for (size_t i = 0; i < p->command_count; i++)
		free(p->commands[i].text);
	for (size_t i = 0; i < p->base_count; i++) {
		free(p->bases[i].path);
		free(p->bases[i].sha256);
	}
	for (size_t i = 0; i < p->dependency_count; i++)
		free(p->dependencies[i]);
	free(p->steps);
	free(p->commands);
	free(p->bases);
	free(p->dependencies);
	free(p->branch);
	free(p->git_commit);
	free(p->git_tag);
	free(p->description);
	json_decref(p->final);
	memset(p, 0, sizeof(*p));
}
