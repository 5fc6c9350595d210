/* SPDX-License-Identifier: ISC */
/*
 * The Markdown that people and models read: what was asked, what changed,
 * what each command said, why it failed, what to try.
 */
#include <string.h>

#include "common/clock.h"
#include "summarizer/facts.h"
#include "summarizer/markdown.h"

#define BODY_COMMANDS 60 /* with their output; the rest is counted */
#define BODY_CHANGES 200
#define BODY_WARNINGS 50
#define PROSE_MAX 4000
#define SPAN_MAX 1000

static const char *
mark_of(const struct render_limits *limits)
{
	return limits->mode == RENDER_PREFIXED ? "| " : "";
}

/* A quoted block, or the remark that it is not quoted. */
static void
add_quote(struct buf *out, const struct render_limits *limits, const char *info,
    const char *text, int64_t max)
{
	if (limits->mode == RENDER_WITHHELD) {
		buf_printf(out,
		    "(%zu bytes are not quoted here: they read like a patch; "
		    "the outcome file has them)\n",
		    strlen(text));
		return;
	}
	(void)markdown_fence(out, info, mark_of(limits), text,
	    max > 0 ? (size_t)max : 0);
}

/* "- label: text" where there is text. */
static void
add_item(struct buf *out, const char *label, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_printf(out, "- %s: ", label);
	markdown_prose(out, text, PROSE_MAX);
	buf_putc(out, '\n');
}

static void
add_headline(const struct facts *f, struct buf *out)
{
	const struct envelope *e = &f->outcome.env;
	char span[64];

	buf_puts(out, "# ");
	markdown_prose(out, e->id, ID_MAX);
	buf_printf(out, "@%s: %s\n\n", e->queue, outcome_words(&f->outcome));
	buf_printf(out, "Attempt %d", e->attempt);
	if (f->duration_ms >= 0) {
		clock_human_span(f->duration_ms, span, sizeof span);
		buf_printf(out, " took %s", span);
	}
	switch (f->outcome.state) {
	case OUTCOME_COMPLETED:
		buf_puts(out, ". All of it was applied.\n");
		break;
	case OUTCOME_UNDONE:
		buf_puts(out, ". It was applied and taken back again.\n");
		break;
	case OUTCOME_FAILED:
	case OUTCOME_REJECTED:
	case OUTCOME__STATES:
		buf_puts(out, ". Nothing of it was applied: the workspace is "
			      "as it was before.\n");
		break;
	}
	if (f->outcome.state == OUTCOME_COMPLETED && f->unvalidated)
		buf_puts(out, "No validation command and no gate looked at "
			      "the result (unvalidated).\n");
}

static void
add_warnings(const struct facts *f, struct buf *out)
{
	const json_t *list = json_object_get(f->doc, "warnings");
	size_t n = json_array_size(list);
	size_t i;

	for (i = 0; i < n && i < BODY_WARNINGS; i++)
		add_item(out, "Warning",
		    json_string_value(json_array_get(list, i)));
	if (n > BODY_WARNINGS)
		buf_printf(out, "- Warning: %zu more\n", n - BODY_WARNINGS);
}

/* Who answers for it, where somebody had to. */
static void
add_approval(const struct facts *f, struct buf *out)
{
	const json_t *a = json_object_get(f->doc, "approval");

	add_item(out, "Approved by",
	    json_string_value(json_object_get(a, "by")));
	add_item(out, "Approved as",
	    json_string_value(json_object_get(a, "as")));
	add_item(out, "Approved at",
	    json_string_value(json_object_get(a, "at")));
	add_item(out, "Approval was needed because",
	    json_string_value(json_object_get(a, "why")));
	add_item(out, "Comment of the approver",
	    json_string_value(json_object_get(a, "comment")));
}

static void
add_asked(const struct facts *f, struct buf *out)
{
	const struct envelope *e = &f->outcome.env;

	buf_puts(out, "\n## What was asked\n\n");
	add_item(out, "Description", f->description);
	add_item(out, "Purpose", f->final_summary);
	add_item(out, "Source", e->source);
	add_item(out, "Conversation", e->conversation);
	add_item(out, "Author", e->author);
	add_item(out, "Declared id",
	    json_string_value(json_object_get(f->doc, "declared_id")));
	add_approval(f, out);
	add_warnings(f, out);
	if (f->damaged)
		buf_puts(out,
		    "- The outcome file of this attempt was damaged and lies "
		    "in corrupt/. This summary is made from its name and from "
		    "the directory that holds the patch.\n");
	if (f->copy.path != NULL) {
		buf_puts(out, "- Copy of this summary: ");
		markdown_span(out, f->copy.path, SPAN_MAX);
		buf_putc(out, '\n');
	} else if (f->copy.wanted[0] != '\0') {
		buf_puts(out, "- No copy of this summary at ");
		markdown_span(out, f->copy.wanted, SPAN_MAX);
		buf_printf(out, ": %s\n", f->copy.refusal);
	}
}

static void
add_change(const struct change_fact *c, struct buf *out)
{
	buf_printf(out, "| ");
	markdown_prose(out, c->op, 32);
	buf_puts(out, " | ");
	markdown_prose(out, c->path, SPAN_MAX);
	buf_puts(out, " | ");
	if (c->bytes >= 0)
		buf_printf(out, "%lld", (long long)c->bytes);
	buf_printf(out, " | %.12s | %.12s |\n", c->old_sha256, c->new_sha256);
}

static void
add_diff(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	if (f->diff[0] == '\0')
		return;
	buf_putc(out, '\n');
	add_quote(out, limits, "diff", f->diff, limits->diff_bytes);
	if (f->diff_truncated)
		buf_puts(out, "\nThe diff is longer than shown.\n");
}

static void
add_changes(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	bool applied = f->outcome.state == OUTCOME_COMPLETED;
	size_t more = (size_t)json_integer_value(
	    json_object_get(f->doc, "changes_unlisted"));
	size_t i;

	if (f->change_count == 0 && f->diff[0] == '\0') {
		if (applied)
			buf_puts(out, "\n## What changed\n\nNo file.\n");
		return;
	}
	buf_printf(out, "\n## What %s\n\n",
	    applied ? "changed" : "would have changed");
	buf_puts(out, "| change | path | bytes | before | after |\n"
		      "| --- | --- | --- | --- | --- |\n");
	for (i = 0; i < f->change_count && i < BODY_CHANGES; i++)
		add_change(&f->changes[i], out);
	more +=
	    f->change_count > BODY_CHANGES ? f->change_count - BODY_CHANGES : 0;
	if (more > 0)
		buf_printf(out, "\n%zu more paths are not listed.\n", more);
	add_diff(f, limits, out);
}

/* Where the reason says more than the status. */
static const char *
reason_words(const char *reason)
{
	static const char *const words[][2] = {
	    {"limit:memory", "ended by the limit of memory"},
	    {"limit:processes", "ended by the limit of processes"},
	    {"limit:cpu_time", "ended by the limit of processor time"},
	    {"limit:disk", "ended by the limit of disk"},
	    {"limit:file_size", "ended by the limit of a file's size"},
	    {"cancelled", "cancelled while it ran"},
	    {"killed", "killed together with all the others"},
	    {"not-started", "could not be started"},
	    {"not-run", "not run"},
	    {"timeout", "ran into its time limit"},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(reason, words[i][0]) == 0)
			return words[i][1];
	}
	return "";
}

static void
add_command_result(const struct command_fact *c, struct buf *out)
{
	const char *why = reason_words(c->reason);
	char span[64];

	if (!c->ran) {
		buf_printf(out, "%s\n", why[0] != '\0' ? why : "no result");
		return;
	}
	if (c->signal[0] != '\0')
		buf_printf(out, "killed by SIG%s",
		    strncmp(c->signal, "SIG", 3) == 0 ? c->signal + 3
						      : c->signal);
	else
		buf_printf(out, "exit code %lld", (long long)c->exit_code);
	if (c->duration_ms >= 0) {
		clock_human_span(c->duration_ms, span, sizeof span);
		buf_printf(out, " after %s", span);
	}
	if (why[0] != '\0')
		buf_printf(out, ", %s", why);
	else if (c->timed_out)
		buf_puts(out, ", ran into its time limit");
	if (c->backgrounded)
		buf_puts(out, ", left processes running behind its shell");
	buf_puts(out, "\n");
}

static void
add_output(const struct command_fact *c, const struct render_limits *limits,
    struct buf *out)
{
	struct buf text = {0};

	if (!c->ran)
		return;
	if (c->head[0] == '\0' && c->tail[0] == '\0') {
		buf_puts(out, "\n(no output)\n");
		return;
	}
	buf_puts(&text, c->head);
	if (c->dropped_bytes > 0)
		buf_printf(&text, "\n[... %lld bytes dropped ...]\n",
		    (long long)c->dropped_bytes);
	buf_puts(&text, c->tail);
	buf_putc(out, '\n');
	add_quote(out, limits, "text", text.bytes, limits->output_bytes);
	buf_free(&text);
}

static void
add_commands(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	size_t i;

	if (f->command_count == 0)
		return;
	buf_puts(out, "\n## Commands\n");
	for (i = 0; i < f->command_count; i++) {
		const struct command_fact *c = &f->commands[i];

		/* A failed one is shown wherever it stands. */
		if (i >= BODY_COMMANDS && !c->failed)
			continue;
		buf_printf(out, "\n%zu. ", i + 1);
		markdown_prose(out, c->phase, 64);
		buf_puts(out, ": ");
		markdown_span(out, c->command, SPAN_MAX);
		buf_puts(out, "\n   ");
		add_command_result(c, out);
		add_output(c, limits, out);
	}
	if (f->command_count > BODY_COMMANDS)
		buf_printf(out,
		    "\n%zu commands ran; those behind the first "
		    "%d are shown where they failed.\n",
		    f->command_count, BODY_COMMANDS);
}

static void
add_advice(const struct facts *f, struct buf *out)
{
	const char *advice = explain_advice(f);

	if (advice[0] == '\0' && f->hint[0] == '\0')
		return;
	buf_puts(out, "\n## What to try\n\n");
	add_item(out, "Hint", f->hint);
	if (advice[0] != '\0')
		buf_printf(out, "- %s\n", advice);
}

/* What held the limits, and how near they were. */
static void
add_usage(const struct facts *f, struct buf *out)
{
	const json_t *u = json_object_get(f->doc, "usage");
	const char *by = json_string_value(json_object_get(f->doc, "limits"));
	const char *why =
	    json_string_value(json_object_get(f->doc, "limits_why"));

	if (by == NULL || !json_is_object(u))
		return;
	buf_printf(out,
	    "- Limits: held by %s; at most %.1f MiB of memory, %lld "
	    "processes, %.1f MiB of disk; %.1f s of processor time\n",
	    by,
	    (double)json_integer_value(
		json_object_get(u, "memory_peak_bytes")) /
		1048576,
	    (long long)json_integer_value(json_object_get(u, "processes_peak")),
	    (double)json_integer_value(json_object_get(u, "disk_peak_bytes")) /
		1048576,
	    (double)json_integer_value(json_object_get(u, "cpu_ms")) / 1000);
	if (why != NULL)
		add_item(out, "No control group", why);
}

static void
add_run(const struct facts *f, struct buf *out)
{
	buf_puts(out, "\n## How it ran\n\n");
	add_item(out, "Isolation", f->isolation);
	add_item(out, "Durability", f->durability);
	add_usage(f, out);
	add_item(out, "Started", f->started_at);
	add_item(out, "Finished", f->finished_at);
	add_item(out, "Git commit",
	    json_string_value(
		json_object_get(json_object_get(f->doc, "git"), "commit")));
	buf_printf(out, "- Outcome: %s\n", f->where);
	if (strstr(out->bytes, "command~patch") != NULL ||
	    strstr(out->bytes, "command\\~patch") != NULL)
		buf_puts(out, "- `" MARKDOWN_ROLE_WORD "` stands for the role "
			      "word of patches here, so that quoting a patch "
			      "does not submit it.\n");
}

void
render_body(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	add_headline(f, out);
	add_asked(f, out);
	explain_failure(f, limits, out);
	add_advice(f, out);
	add_changes(f, limits, out);
	add_commands(f, limits, out);
	add_run(f, out);
}
