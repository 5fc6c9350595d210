/* SPDX-License-Identifier: ISC */
/*
 * extract: what the bridge would find in a transcript, by the same library
 * calls, so that the answer is no second opinion. Which authors are allowed is
 * a matter of the source; the column lets people see.
 */
#include "common/extract.h"
#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/input.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

struct finding {
	const struct extract_block *block;
	const char *verdict; /* patch, refused, near-miss */
	const char *why;
	struct patch_result patch;
	struct doc_error err; /* in the transcript, not in the block */
};

static enum patch_intent
intent_of(const struct extract_block *b)
{
	struct doc_error err;
	enum doc_format format;
	enum patch_intent intent;
	json_t *doc = doc_parse_any(b->text, b->len, &format, &err);

	intent = doc != NULL ? patch_intent(doc)
			     : patch_intent_text(b->text, b->len);
	json_decref(doc);
	return intent;
}

static bool
find_in(const struct extract_block *b, struct finding *f)
{
	enum patch_intent intent = intent_of(b);

	memset(f, 0, sizeof(*f));
	if (intent == INTENT_NONE)
		return false;
	f->block = b;
	patch_read(b->text, b->len, &f->patch, &f->err);
	f->err.line = b->line + (f->err.line > 0 ? f->err.line - 1 : 0);
	f->err.column += b->indent;
	f->verdict = "near-miss";
	if (b->quoted)
		f->why = "quoted, or in a summary";
	else if (intent == INTENT_NEAR_MISS)
		f->why = "no role: command_patch";
	else if (f->patch.reason == PATCH_OK)
		f->verdict = "patch";
	else
		f->verdict = "refused";
	return true;
}

static json_t *
describe(const struct finding *f)
{
	const struct extract_block *b = f->block;
	json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:s, s:s}",
	    "line", b->line, "verdict", f->verdict, "id", f->patch.id, "kind",
	    b->kind == EXTRACT_FENCED ? "fenced" : "bare", "author", b->author,
	    "quoted", b->quoted, "info", b->info, "digest", f->patch.digest);

	if (f->why != NULL)
		json_object_set_new(j, "why", json_string(f->why));
	if (f->patch.reason == PATCH_OK)
		return j;
	json_object_set_new(j, "reason",
	    json_string(patch_reason_name[f->patch.reason]));
	json_object_set_new(j, "error", json_string(f->patch.error));
	json_object_set_new(j, "error_line", json_integer(f->err.line));
	json_object_set_new(j, "error_column", json_integer(f->err.column));
	return j;
}

static void
add_row(struct table *t, const struct finding *f)
{
	const struct extract_block *b = f->block;

	table_add(t, COLOUR_NONE, "%d", b->line);
	table_add(t,
	    f->verdict[0] == 'p'   ? COLOUR_GOOD
	    : f->verdict[0] == 'r' ? COLOUR_BAD
				   : COLOUR_BUSY,
	    "%s", f->verdict);
	table_add(t, COLOUR_NONE, "%s", f->patch.id);
	table_add(t, COLOUR_NONE, "%s", b->author[0] != '\0' ? b->author : "-");
	if (f->why != NULL)
		table_add(t, COLOUR_NONE, "%s", f->why);
	else if (f->patch.reason != PATCH_OK)
		table_add(t, COLOUR_NONE, "%d:%d: %s (%s)", f->err.line,
		    f->err.column, f->patch.error,
		    patch_reason_name[f->patch.reason]);
	table_end_row(t);
}

static void
heading(struct table *t)
{
	static const char *const names[] = {"LINE", "VERDICT", "ID", "AUTHOR",
	    "WHY"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		table_add(t, COLOUR_DIM, "%s", names[i]);
	table_end_row(t);
}

static int
extract_all(struct ctl *c, const struct input *in)
{
	struct extract_state st = {0};
	struct extract_result found = {0};
	struct table t = {0};
	struct finding f;
	json_t *all = json_array();
	size_t i;

	heading(&t);
	extract_text(in->text.bytes, in->text.len, true, &st, &found);
	for (i = 0; i < found.count; i++) {
		if (!find_in(&found.blocks[i], &f))
			continue;
		json_array_append_new(all, describe(&f));
		add_row(&t, &f);
		patch_result_free(&f.patch);
	}
	if (!c->json && json_array_size(all) == 0)
		ctl_say("%s: no patch in %zu block%s", in->name, found.count,
		    text_s(found.count));
	else if (!c->json)
		table_print(&t);
	if (c->json)
		out_json(json_incref(all));
	json_decref(all);
	table_free(&t);
	extract_free(&found);
	return CTL_DONE;
}

int
run_extract(struct ctl *c)
{
	static const struct option words[] = {
	    {"source", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	struct input in;
	int opt, status = CTL_FAILED;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 's')
			return CTL_USAGE;
		if (strcmp(optarg, "transcript") == 0)
			continue;
		ctl_say("no type of source is called \"%s\"; there is "
			"transcript",
		    optarg);
		return CTL_USAGE;
	}
	if (c->argc != 1)
		return CTL_USAGE;
	if (input_load(&in, c->argv[0]) == 0)
		status = extract_all(c, &in);
	input_free(&in);
	return status;
}
