/* SPDX-License-Identifier: ISC */
/* What a dry run found: the verdict, each command, each change, the diff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/dry_run.h"
#include "ctl/out.h"
#include "ctl/table.h"

static void
print_verdict(const json_t *o)
{
	const char *state = out_string(o, "state");
	const char *why = out_string(o, "stage");
	bool done = strcmp(state, "completed") == 0;

	if (why[0] == '\0')
		why = out_string(o, "reason");
	(void)printf("%s@%s: would be %s%s%s%s%s\n", out_string(o, "id"),
	    out_string(o, "queue"), state, done ? "" : " (", done ? "" : why,
	    done ? "" : ")",
	    json_is_true(json_object_get(o, "unvalidated")) && done
		? ", unvalidated"
		: "");
	out_field("error", out_string(o, "error"));
	out_field("hint", out_string(o, "hint"));
	out_field("approval", out_string(json_object_get(o, "policy"), "why"));
	out_field("isolation", out_string(o, "isolation"));
}

static void
print_command(const json_t *cmd)
{
	char *end = out_command_end(cmd);
	long long dropped = out_number(cmd, "dropped_bytes");

	(void)printf("  %s, %s\n", out_string(cmd, "phase"), end);
	free(end);
	out_lines("    $ ", out_string(cmd, "command"));
	out_lines("    | ", out_string(cmd, "output_head"));
	if (dropped > 0)
		(void)printf("    | ... %lld bytes ...\n", dropped);
	out_lines("    | ", out_string(cmd, "output_tail"));
}

static void
print_change(const json_t *change)
{
	char *path = table_clean(out_string(change, "path"));

	(void)printf("  %-9s %s\n", out_string(change, "op"), path);
	free(path);
}

static void
print_each(const json_t *o, const char *key, void (*print)(const json_t *))
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(o, key), i, one) {
		print(one);
	}
}

static void
print_warning(const json_t *warning)
{
	out_field("warning", json_string_value(warning));
}

void
dry_run_print(const json_t *outcome)
{
	long long more = out_number(outcome, "changes_unlisted");

	print_verdict(outcome);
	print_each(outcome, "warnings", print_warning);
	print_each(outcome, "commands", print_command);
	print_each(outcome, "changes", print_change);
	if (more > 0)
		(void)printf("  and %lld more\n", more);
	out_lines("", out_string(outcome, "diff"));
	if (json_is_true(json_object_get(outcome, "diff_truncated")))
		(void)printf("... the diff goes on\n");
}
