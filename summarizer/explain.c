/* SPDX-License-Identifier: ISC */
/*
 * Why an attempt did not go through, told so that whoever wrote the patch can
 * repair it in one round: the place, the first line where an edit diverges
 * from the file, the nearest candidates, and what to try next.
 */
#include <string.h>

#include "summarizer/facts.h"
#include "summarizer/markdown.h"

#define PROSE_MAX 4000
#define SPAN_MAX 1000
#define CANDIDATES 5

static const char *const stage_advice[OUTCOME__STAGES] = {
    [OUTCOME_PREPARE] =
	"The workspace could not take the change (permissions, space, a "
	"missing or unmounted directory). Repair that and use "
	"`patchflow retry`; the patch itself need not change.",
    [OUTCOME_MUTATION] =
	"Correct the mutation that is named above and send the whole patch "
	"again under the same id: it becomes the next attempt.",
    [OUTCOME_COMMAND] =
	"A command of the patch failed. Correct it, or what it works on, and "
	"send the whole patch again under the same id.",
    [OUTCOME_VALIDATION] =
	"The files were changed as asked, but the validation did not pass, so "
	"everything was dropped. Correct the patch by the output below and "
	"send it again under the same id.",
    [OUTCOME_TIMEOUT] =
	"Make the command end sooner, or raise `limits` as far as the queue "
	"allows. A server or a watch mode never ends by itself.",
    [OUTCOME_LIMIT] =
	"The attempt went over a limit of the queue (memory, processes, file "
	"size). Do less at once, or have the queue's limit raised.",
    [OUTCOME_CONFLICT] =
	"Somebody else changed the same files meanwhile, and theirs stays. "
	"Make the patch anew for what is there now and send the whole of it "
	"again under the same id; `base` with the hash of what is there now "
	"makes sure that it meets that.",
    [OUTCOME_CRASHED] =
	"The attempt was interrupted again and again. Look at "
	"`patchflow log` for the reason, then use `patchflow retry`.",
};

static const char *const reason_advice[OUTCOME__REASONS] = {
    [OUTCOME_MALFORMED] =
	"The document does not parse. Send it again as one well-formed JSON "
	"or YAML document; `patchflow check` names the place.",
    [OUTCOME_INVALID] =
	"A field is not what patchflow-patch(5) asks for. Correct it and send "
	"the document again under the same id.",
    [OUTCOME_NOT_EXECUTABLE] =
	"The document describes work but holds no action. Add `mutations`, or "
	"commands, that do the work.",
    [OUTCOME_ID_CONFLICT] =
	"Another patch already has this id. Send this one under a new id.",
    [OUTCOME_FORBIDDEN] =
	"Policy refuses a path or a command of this patch. Leave it out, or "
	"ask whoever runs the queue.",
    [OUTCOME_WRONG_BRANCH] =
	"Check out the branch that the patch names, or leave `branch` out.",
    [OUTCOME_EXPIRED] = "Send it again with a later `expires`.",
    [OUTCOME_DEPENDENCY_FAILED] =
	"Repair the patch that this one depends on first, then send this one "
	"again.",
    [OUTCOME_BY_OPERATOR] = "A person took it out of the queue.",
};

const char *
explain_advice(const struct facts *f)
{
	const char *advice = NULL;

	if (f->outcome.state == OUTCOME_FAILED)
		advice = stage_advice[f->outcome.stage];
	else if (f->outcome.state == OUTCOME_REJECTED)
		advice = reason_advice[f->outcome.reason];
	return advice == NULL ? "" : advice;
}

static void
add_label(struct buf *out, const char *label, const json_t *text)
{
	const char *s = json_string_value(text);

	if (s == NULL || s[0] == '\0')
		return;
	buf_printf(out, "- %s: ", label);
	markdown_prose(out, s, PROSE_MAX);
	buf_putc(out, '\n');
}

/* A line of a file is code: a span keeps its blanks and stars. */
static void
add_code(struct buf *out, const char *label, const json_t *text)
{
	const char *s = json_string_value(text);

	if (s == NULL)
		return;
	buf_printf(out, "- %s: ", label);
	markdown_span(out, s, SPAN_MAX);
	buf_putc(out, '\n');
}

static long long
line_of(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

static void
add_divergence(const json_t *d, struct buf *out)
{
	if (!json_is_object(d))
		return;
	if (line_of(d, "find_line") > 0)
		buf_printf(out, "- First difference: line %lld of `find`",
		    line_of(d, "find_line"));
	else
		buf_puts(out, "- First difference");
	if (line_of(d, "file_line") > 0)
		buf_printf(out, ", line %lld of the file",
		    line_of(d, "file_line"));
	buf_putc(out, '\n');
	add_code(out, "The patch expects", json_object_get(d, "expected"));
	add_code(out, "The file has", json_object_get(d, "actual"));
}

static void
add_candidates(const json_t *list, const struct render_limits *limits,
    struct buf *out)
{
	size_t n = json_array_size(list);
	size_t i;

	for (i = 0; i < n && i < CANDIDATES; i++) {
		const json_t *c = json_array_get(list, i);
		const char *text =
		    json_string_value(json_object_get(c, "text"));

		buf_printf(out, "- Candidate %zu: line %lld", i + 1,
		    line_of(c, "line"));
		if (json_is_number(json_object_get(c, "score")))
			buf_printf(out, ", likeness %.2f",
			    json_number_value(json_object_get(c, "score")));
		buf_puts(out, "\n");
		if (text == NULL || limits->mode == RENDER_WITHHELD)
			continue;
		buf_putc(out, '\n');
		(void)markdown_fence(out, "text",
		    limits->mode == RENDER_PREFIXED ? "| " : "", text,
		    (size_t)limits->output_bytes);
		buf_putc(out, '\n');
	}
}

static void
add_edit_error(const json_t *e, const struct render_limits *limits,
    struct buf *out)
{
	if (!json_is_object(e))
		return;
	buf_puts(out, "\n### The edit that did not match\n\n");
	add_code(out, "File", json_object_get(e, "path"));
	add_label(out, "Problem", json_object_get(e, "code"));
	if (json_is_integer(json_object_get(e, "op_index")))
		buf_printf(out, "- Number of the operation: %lld (from 0)\n",
		    line_of(e, "op_index"));
	add_label(out, "Matching got as far as",
	    json_object_get(e, "tier_reached"));
	add_divergence(json_object_get(e, "first_divergence"), out);
	add_code(out, "SHA-256 of the file", json_object_get(e, "file_sha256"));
	add_label(out, "Hint", json_object_get(e, "hint"));
	add_candidates(json_object_get(e, "candidates"), limits, out);
}

static void
add_place(const json_t *place, struct buf *out)
{
	if (!json_is_object(place))
		return;
	if (line_of(place, "line") > 0) {
		buf_printf(out, "- Place: line %lld", line_of(place, "line"));
		if (line_of(place, "column") > 0)
			buf_printf(out, ", column %lld",
			    line_of(place, "column"));
		buf_putc(out, '\n');
	}
	add_code(out, "Field", json_object_get(place, "path"));
}

static void
add_failed_commands(const struct facts *f, struct buf *out)
{
	size_t i;

	for (i = 0; i < f->command_count; i++) {
		const struct command_fact *c = &f->commands[i];

		if (!c->failed)
			continue;
		buf_printf(out, "- Command %zu failed: ", i + 1);
		markdown_span(out, c->command, SPAN_MAX);
		buf_putc(out, '\n');
	}
}

void
explain_failure(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	if (f->outcome.state == OUTCOME_COMPLETED ||
	    f->outcome.state == OUTCOME_UNDONE)
		return;
	buf_puts(out, "\n## Why it failed\n\n");
	add_label(out, "Reason", json_object_get(f->doc, "error"));
	add_place(json_object_get(f->doc, "place"), out);
	add_failed_commands(f, out);
	add_edit_error(json_object_get(f->doc, "edit_error"), limits, out);
	explain_conflicts(f, limits, out);
}
