/* SPDX-License-Identifier: ISC */
/* show: why an attempt failed, as far as its outcome tells. */
#include <string.h>

#include "ctl/out.h"
#include "ctl/show.h"

#define DIFF_SHOWN 40 /* lines of each conflict */

/* The best candidate has several lines, the others one. */
static void
print_candidate(const json_t *c)
{
	const char *s = out_string(c, "text");
	long long line = out_number(c, "line");

	for (bool first = true; *s != '\0'; first = false, line++) {
		const char *nl = strchrnul(s, '\n');

		out_fieldf(first ? "candidate" : "", "%6lld  %.*s", line,
		    (int)(nl - s), s);
		s = *nl == '\0' ? nl : nl + 1;
	}
}

/* The record of an edit that did not go through. */
static void
print_edit(const json_t *e)
{
	const json_t *d = json_object_get(e, "first_divergence");
	const json_t *list = json_object_get(e, "candidates"), *c;
	size_t i;

	if (!json_is_object(e))
		return;
	out_fieldf("edit", "%s: %s, operation %lld", out_string(e, "path"),
	    out_string(e, "code"), out_number(e, "op_index"));
	if (json_is_object(d)) {
		out_fieldf("expected", "%s", out_string(d, "expected"));
		out_fieldf("line", "%lld: %s", out_number(d, "file_line"),
		    out_string(d, "actual"));
	}
	json_array_foreach (list, i, c) {
		print_candidate(c);
	}
}

/* A field each line. */
static void
print_diff(const char *s, int max)
{
	for (int i = 0; *s != '\0'; i++) {
		const char *nl = strchrnul(s, '\n');

		if (i == max) {
			out_fieldf("", "(more; --json has all of it)");
			return;
		}
		out_fieldf("", "%.*s", (int)(nl - s), s);
		s = *nl == '\0' ? nl : nl + 1;
	}
}

static const char *
hash_or_none(const json_t *c, const char *key)
{
	const char *hash = out_string(c, key);

	return hash[0] != '\0' ? hash : "not known";
}

static void
print_conflicts(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "conflicts"), *c;
	size_t i;

	json_array_foreach (list, i, c) {
		out_fieldf("conflict", "%s %s", out_string(c, "path"),
		    out_string(c, "why"));
		out_field("made for", hash_or_none(c, "base_sha256"));
		out_field("there now", hash_or_none(c, "now_sha256"));
		out_field("would be", hash_or_none(c, "patch_sha256"));
		print_diff(out_string(c, "diff"), DIFF_SHOWN);
	}
	if (out_number(doc, "conflicts_unlisted") > 0)
		out_fieldf("", "and %lld more paths in conflict",
		    out_number(doc, "conflicts_unlisted"));
}

static void
print_place(const json_t *place)
{
	if (!json_is_object(place))
		return;
	if (out_number(place, "line") > 0)
		out_fieldf("place", "line %lld, column %lld",
		    out_number(place, "line"), out_number(place, "column"));
	else
		out_field("place", out_string(place, "path"));
}

void
show_why(const json_t *doc)
{
	out_field("error", out_string(doc, "error"));
	print_place(json_object_get(doc, "place"));
	out_field("hint", out_string(doc, "hint"));
	print_edit(json_object_get(doc, "edit_error"));
	print_conflicts(doc);
}
