/* SPDX-License-Identifier: ISC */
/*
 * The paths of a conflict: what the patch was made for, what is there now,
 * and what differs, so that it can be made anew without another question.
 */
#include <string.h>

#include "summarizer/facts.h"
#include "summarizer/markdown.h"

#define CONFLICTS_SHOWN 20
#define PROSE_MAX 1000
#define SPAN_MAX 1000

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static void
add_hash(struct buf *out, const char *label, const char *hash)
{
	buf_printf(out, "- %s: ", label);
	if (hash[0] == '\0')
		buf_puts(out, "not known");
	else
		markdown_span(out, hash, SPAN_MAX);
	buf_putc(out, '\n');
}

static void
add_diff(const json_t *c, const struct render_limits *limits, struct buf *out)
{
	const char *diff = text_of(c, "diff");
	bool others = strcmp(text_of(c, "diff_of"), "others") == 0;

	if (diff[0] == '\0') {
		buf_puts(out, "- No diff: ");
		markdown_prose(out, text_of(c, "no_diff"), PROSE_MAX);
		buf_putc(out, '\n');
		return;
	}
	buf_printf(out, "\n%s\n\n",
	    others ? "What others changed since:"
		   : "What the patch would change of what is there now:");
	if (limits->mode == RENDER_WITHHELD)
		buf_printf(out,
		    "(%zu bytes are not quoted here: they read like a "
		    "patch; the outcome file has them)\n",
		    strlen(diff));
	else
		(void)markdown_fence(out, "diff",
		    limits->mode == RENDER_PREFIXED ? "| " : "", diff,
		    (size_t)limits->diff_bytes);
	if (json_is_true(json_object_get(c, "diff_truncated")))
		buf_puts(out, "\nThe diff is longer than shown.\n");
}

static void
add_conflict(const json_t *c, const struct render_limits *limits,
    struct buf *out)
{
	buf_puts(out, "\n### In conflict: ");
	markdown_prose(out, text_of(c, "path"), PROSE_MAX);
	buf_puts(out, "\n\n- What happened: it ");
	markdown_prose(out, text_of(c, "why"), PROSE_MAX);
	buf_putc(out, '\n');
	add_hash(out, "SHA-256 that the patch was made for",
	    text_of(c, "base_sha256"));
	add_hash(out, "SHA-256 of what is there now", text_of(c, "now_sha256"));
	add_hash(out, "SHA-256 of what the patch would write",
	    text_of(c, "patch_sha256"));
	add_diff(c, limits, out);
}

void
explain_conflicts(const struct facts *f, const struct render_limits *limits,
    struct buf *out)
{
	const json_t *list = json_object_get(f->doc, "conflicts");
	size_t n = json_array_size(list);
	size_t more = (size_t)json_integer_value(
	    json_object_get(f->doc, "conflicts_unlisted"));

	for (size_t i = 0; i < n && i < CONFLICTS_SHOWN; i++)
		add_conflict(json_array_get(list, i), limits, out);
	more += n > CONFLICTS_SHOWN ? n - CONFLICTS_SHOWN : 0;
	if (more > 0)
		buf_printf(out, "\n%zu more paths are in conflict.\n", more);
}
