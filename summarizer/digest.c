/* SPDX-License-Identifier: ISC */
/* Outcome document to facts. */
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "summarizer/facts.h"

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static int64_t
number_of(const json_t *o, const char *name, int64_t absent)
{
	const json_t *v = json_object_get(o, name);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : absent;
}

static bool
flag_of(const json_t *o, const char *name)
{
	return json_is_true(json_object_get(o, name));
}

/* A name or a number in the document; a name without SIG here. */
static const char *
signal_of(const json_t *v)
{
	const char *name = json_string_value(v);

	if (json_is_integer(v))
		name = sigabbrev_np((int)json_integer_value(v));
	return name == NULL ? "" : name;
}

static void
read_command(const json_t *o, struct command_fact *c)
{
	c->phase = text_of(o, "phase");
	c->command = text_of(o, "command");
	c->head = text_of(o, "output_head");
	c->tail = text_of(o, "output_tail");
	c->signal = signal_of(json_object_get(o, "signal"));
	c->exit_code = number_of(o, "exit_code", -1);
	c->duration_ms = number_of(o, "duration_ms", -1);
	c->dropped_bytes = number_of(o, "dropped_bytes", 0);
	c->timed_out = flag_of(o, "timed_out");
	c->backgrounded = flag_of(o, "backgrounded");
	c->reason = text_of(o, "reason");
	c->ran =
	    c->exit_code != -1 || c->signal[0] != '\0' || c->reason[0] == '\0';
	c->failed = strcmp(c->reason, "not-run") != 0 &&
		    (c->exit_code != 0 || c->timed_out || c->backgrounded);
}

static void
read_commands(const json_t *list, struct facts *f)
{
	size_t n = json_array_size(list);
	size_t i;

	f->commands = xcalloc(n + 1, sizeof *f->commands);
	for (i = 0; i < n; i++)
		read_command(json_array_get(list, i), &f->commands[i]);
	f->command_count = n;
}

static void
read_change(const json_t *o, struct change_fact *c)
{
	c->path = text_of(o, "path");
	c->op = text_of(o, "op");
	c->old_sha256 = text_of(o, "old_sha256");
	c->new_sha256 = text_of(o, "new_sha256");
	c->mode = text_of(o, "mode");
	c->bytes = number_of(o, "bytes", -1);
}

static void
read_changes(const json_t *list, struct facts *f)
{
	size_t n = json_array_size(list);
	size_t i;

	f->changes = xcalloc(n + 1, sizeof *f->changes);
	for (i = 0; i < n; i++)
		read_change(json_array_get(list, i), &f->changes[i]);
	f->change_count = n;
}

static void
read_texts(const json_t *doc, struct facts *f)
{
	const json_t *final = json_object_get(doc, "final");

	f->description = text_of(doc, "description");
	f->error = text_of(doc, "error");
	f->hint = text_of(doc, "hint");
	f->isolation = text_of(doc, "isolation");
	f->durability = text_of(doc, "durability");
	f->started_at = text_of(doc, "started_at");
	f->finished_at = text_of(doc, "finished_at");
	f->diff = text_of(doc, "diff");
	f->final_summary = text_of(final, "summary");
	f->copy.wanted = text_of(final, "summaryFile");
}

/* All but the outcome itself, from its document. */
static void
fill(struct facts *f)
{
	const json_t *doc = f->outcome.doc;

	f->doc = doc;
	digest_json(doc, f->digest);
	key_outcome_file(f->outcome.env.key, f->outcome.env.attempt, f->where);
	read_texts(doc, f);
	f->diff_truncated = flag_of(doc, "diff_truncated");
	f->unvalidated = flag_of(doc, "unvalidated");
	f->damaged = flag_of(doc, "damaged");
	f->duration_ms = number_of(doc, "duration_ms", -1);
	read_commands(json_object_get(doc, "commands"), f);
	read_changes(json_object_get(doc, "changes"), f);
}

int
facts_read(struct facts *f, json_t *doc)
{
	memset(f, 0, sizeof *f);
	if (outcome_decode(doc, &f->outcome) == -1)
		return -1;
	fill(f);
	return 0;
}

/*
 * Not by way of outcome_decode: of a mapped id only the slug may be known,
 * and that does not belong to its key.
 */
void
facts_damaged(struct facts *f, const struct envelope *env,
    enum outcome_state state, const char *why)
{
	struct outcome *o = &f->outcome;

	memset(f, 0, sizeof *f);
	o->state = state;
	if (state == OUTCOME_FAILED)
		o->stage = OUTCOME_CRASHED;
	envelope_copy(&o->env, env);
	o->doc = outcome_new(env, state, o->stage, OUTCOME_NO_REASON);
	if (json_object_set_new(o->doc, "error", json_string(why)) == -1 ||
	    json_object_set_new(o->doc, "damaged", json_true()) == -1)
		abort();
	fill(f);
}

void
facts_free(struct facts *f)
{
	free(f->commands);
	free(f->changes);
	free(f->copy.path);
	outcome_free(&f->outcome);
	memset(f, 0, sizeof *f);
}
