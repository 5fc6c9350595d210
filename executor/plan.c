/* SPDX-License-Identifier: ISC */
/* Canonical patch to plan: the steps, and what bounds them. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "executor/plan.h"
#include "executor/step.h"

const char *const plan_phase_name[PHASE__MAX] = {
    [PHASE_PRE] = "preMutationValidation",
    [PHASE_MUTATION] = "mutations",
    [PHASE_BUILD] = "postMutationBuild",
    [PHASE_VALIDATE] = "validate",
    [PHASE_GATE] = "gate",
    [PHASE_GIT] = "git",
};

static char *
text_or_null(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? xstrdup(s) : NULL;
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
	p->limits.memory = q->memory;
	p->limits.processes = q->processes;
	p->limits.cpu_ms = q->cpu_time;
	p->limits.disk = q->disk;
	p->file_size = q->file_size;
	p->network = q->network && json_is_true(json_object_get(l, "network"));
	lower(l, "timeout_ms", &p->timeout_ms);
	lower(l, "command_timeout_ms", &p->command_timeout_ms);
	lower(l, "memory_bytes", &p->limits.memory);
	lower(l, "processes", &p->limits.processes);
	lower(l, "cpu_time_ms", &p->limits.cpu_ms);
	lower(l, "disk_bytes", &p->limits.disk);
	lower(l, "file_size_bytes", &p->file_size);
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
	    plan_steps(patch, q, p, f) == -1)
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

void
plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->step_count; i++)
		plan_step_free(&p->steps[i]);
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
