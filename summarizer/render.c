/* SPDX-License-Identifier: ISC */
/* The front matter, and the file around the body. */
#include <string.h>

#include "common/clock.h"
#include "common/doc.h"
#include "summarizer/facts.h"
#include "summarizer/markdown.h"

/* More rows than these are counted, not listed: the front matter stays
 * something that a program reads at once. */
#define FRONT_CHANGES 1000
#define FRONT_COMMANDS 200
#define FRONT_TEXT 400

/* Adds a value that cannot be NULL unless memory is out. */
static void
set(json_t *o, const char *name, json_t *value)
{
	if (json_object_set_new(o, name, value) == -1)
		abort();
}

/* Outside text on one line, harmless. */
static void
set_text(json_t *o, const char *name, const char *text)
{
	struct buf b = {0};
	char *plain;

	if (text == NULL || text[0] == '\0')
		return;
	markdown_plain(&b, text, FRONT_TEXT);
	plain = buf_take(&b);
	set(o, name, json_string(plain));
	free(plain);
}

static void
set_time(json_t *o, const char *name, int64_t wall_us)
{
	char iso[ISO_TIME_SIZE];

	if (wall_us <= 0)
		return;
	clock_iso(wall_us, iso);
	set(o, name, json_string(iso));
}

static void
set_number(json_t *o, const char *name, int64_t n)
{
	if (n >= 0)
		set(o, name, json_integer(n));
}

static void
add_identity(const struct facts *f, json_t *front)
{
	const struct envelope *e = &f->outcome.env;
	const struct outcome *o = &f->outcome;

	set(front, "format", json_string(SUMMARY_FORMAT));
	set(front, "id", json_string(e->id));
	set(front, "queue", json_string(e->queue));
	set(front, "state", json_string(outcome_state_name[o->state]));
	if (o->stage != OUTCOME_NO_STAGE)
		set(front, "stage", json_string(outcome_stage_name[o->stage]));
	if (o->reason != OUTCOME_NO_REASON)
		set(front, "reason",
		    json_string(outcome_reason_name[o->reason]));
	if (f->damaged)
		set(front, "damaged", json_true());
	set(front, "attempt", json_integer(e->attempt));
	set(front, "key", json_string(e->key));
	set_text(front, "declared_id",
	    json_string_value(json_object_get(f->doc, "declared_id")));
	set_text(front, "description", f->description);
	set_text(front, "error", f->error);
}

static void
add_origin(const struct facts *f, json_t *front)
{
	const struct envelope *e = &f->outcome.env;

	set_text(front, "source", e->source);
	set_text(front, "conversation", e->conversation);
	set_text(front, "message_id", e->message_id);
	set_text(front, "author", e->author);
	if (!f->damaged)
		set(front, "uid", json_integer((json_int_t)e->uid));
}

static void
add_times(const struct facts *f, json_t *front)
{
	const struct envelope *e = &f->outcome.env;
	int64_t started_us;

	set_time(front, "detected_at", e->detected_us);
	set_time(front, "queued_at", e->queued_us);
	set_text(front, "started_at", f->started_at);
	set_text(front, "finished_at", f->finished_at);
	set_number(front, "duration_ms", f->duration_ms);
	if (clock_parse_iso(f->started_at, &started_us) == 0 &&
	    e->detected_us > 0)
		set_number(front, "detected_to_start_ms",
		    (started_us - e->detected_us) / 1000);
}

static json_t *
command_row(const struct command_fact *c)
{
	json_t *row = json_object();

	set_text(row, "phase", c->phase);
	set_text(row, "command", c->command);
	set_text(row, "reason", c->reason);
	if (c->signal[0] == '\0' && c->ran)
		set(row, "exit_code", json_integer(c->exit_code));
	set_text(row, "signal", c->signal);
	set_number(row, "duration_ms", c->duration_ms);
	if (c->timed_out)
		set(row, "timed_out", json_true());
	if (c->backgrounded)
		set(row, "backgrounded", json_true());
	return row;
}

static json_t *
change_row(const struct change_fact *c)
{
	json_t *row = json_object();

	set_text(row, "path", c->path);
	set_text(row, "op", c->op);
	set_text(row, "old_sha256", c->old_sha256);
	set_text(row, "new_sha256", c->new_sha256);
	set_text(row, "mode", c->mode);
	set_number(row, "bytes", c->bytes);
	return row;
}

static void
append(json_t *list, json_t *row)
{
	if (json_array_append_new(list, row) == -1)
		abort();
}

static void
add_rows(const struct facts *f, json_t *front)
{
	json_t *commands = json_array();
	json_t *changes = json_array();
	size_t i;

	for (i = 0; i < f->command_count && i < FRONT_COMMANDS; i++)
		append(commands, command_row(&f->commands[i]));
	for (i = 0; i < f->change_count && i < FRONT_CHANGES; i++)
		append(changes, change_row(&f->changes[i]));
	set(front, "commands", commands);
	set(front, "command_count", json_integer((json_int_t)f->command_count));
	set(front, "changes", changes);
	set(front, "change_count",
	    json_integer((json_int_t)f->change_count +
			 json_integer_value(
			     json_object_get(f->doc, "changes_unlisted"))));
}

static void
add_git(const struct facts *f, json_t *front)
{
	const json_t *git = json_object_get(f->doc, "git");
	json_t *copy = json_object();

	set_text(copy, "commit",
	    json_string_value(json_object_get(git, "commit")));
	set_text(copy, "tag", json_string_value(json_object_get(git, "tag")));
	if (json_object_size(copy) > 0)
		set(front, "git", json_incref(copy));
	json_decref(copy);
}

static json_t *
front_matter(const struct facts *f, const char *body_sha256)
{
	json_t *front = json_object();

	add_identity(f, front);
	add_origin(f, front);
	add_times(f, front);
	set_text(front, "isolation", f->isolation);
	set_text(front, "durability", f->durability);
	set(front, "unvalidated", json_boolean(f->unvalidated));
	add_rows(f, front);
	add_git(f, front);
	set_text(front, "transaction",
	    json_string_value(json_object_get(f->doc, "transaction")));
	set_text(front, "copy", f->copy.path);
	set_text(front, "patch_digest", f->outcome.env.digest);
	set(front, "outcome_sha256", json_string(f->digest));
	set(front, "body_sha256", json_string(body_sha256));
	return front;
}

void
render_summary(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	char sha[DIGEST_SIZE];
	struct buf body = {0};
	json_t *front;
	char *yaml;

	render_body(f, limits, &body);
	digest_bytes(body.bytes, body.len, sha);
	front = front_matter(f, sha);
	yaml = doc_emit_yaml(front);
	buf_puts(out, "---\n");
	buf_puts(out, yaml);
	if (out->len > 0 && out->bytes[out->len - 1] != '\n')
		buf_putc(out, '\n');
	buf_puts(out, "---\n");
	buf_add(out, body.bytes, body.len);
	free(yaml);
	json_decref(front);
	buf_free(&body);
}
