/* SPDX-License-Identifier: ISC */
/* show: all that is known about a patch, one section a queue. */
#include "ctl/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/held.h"
#include "ctl/out.h"
#include "ctl/stalled.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define COMMANDS_SHOWN 20

const char *
show_words(const struct look *l)
{
	return l->has_outcome && l->ended ? outcome_words(&l->out) : l->state;
}

json_t *
show_brief(const struct look *l)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:b, s:i, s:s, s:s}", "id",
	    l->id, "queue", l->queue->name, "state", l->state, "ended",
	    l->ended, "attempt", l->name.attempt, "key", l->name.key, "summary",
	    l->summary);

	if (!l->has_outcome)
		return j;
	if (l->out.stage != OUTCOME_NO_STAGE)
		json_object_set_new(j, "stage",
		    json_string(outcome_stage_name[l->out.stage]));
	if (l->out.reason != OUTCOME_NO_REASON)
		json_object_set_new(j, "reason",
		    json_string(outcome_reason_name[l->out.reason]));
	return j;
}

void
show_line(const struct look *l)
{
	const char *error = l->has_outcome ? out_string(l->out.doc, "error")
			    : l->ended     ? "its outcome is not kept any more"
					   : "";
	char *rest = xasprintf("%s%s%s%s", error[0] != '\0' ? ", " : "", error,
	    l->summary[0] != '\0' ? ", summary " : "", l->summary);
	char *clean = table_clean(rest);
	bool colour = colour_wanted();

	(void)printf("%s: %s%s%s%s\n", look_ref(l),
	    colour ? colour_start(colour_of(l->state)) : "", show_words(l),
	    colour ? colour_end : "", clean);
	free(clean);
	free(rest);
}

static json_t *
attempts_json(const struct look *l)
{
	json_t *all = json_array(), *j;
	struct outcome o;
	int n;

	for (n = 1; n <= l->name.attempt; n++) {
		if (look_outcome(l->queue, l->name.key, n, &o) != 1)
			continue;
		j = json_pack("{s:i, s:s, s:s, s:O?, s:O?}", "attempt", n,
		    "state", outcome_state_name[o.state], "words",
		    outcome_words(&o), "finished_at",
		    json_object_get(o.doc, "finished_at"), "duration_ms",
		    json_object_get(o.doc, "duration_ms"));
		json_array_append_new(all, j);
		outcome_free(&o);
	}
	return all;
}

static json_t *
revisions_json(const struct look *l)
{
	json_t *all = json_array();
	int i;

	for (i = 0; i < l->rev_count; i++)
		json_array_append_new(all,
		    json_pack("{s:i, s:s, s:i, s:b}", "revision",
			l->revs[i].rev, "digest", l->revs[i].digest, "attempt",
			l->revs[i].attempt, "pending", l->revs[i].pending));
	return all;
}

static json_t *
full_json(struct ctl *c, const struct look *l)
{
	json_t *j = show_brief(l);
	char *stalled = stalled_describe(c, l->queue, l->dir);

	json_object_set_new(j, "revisions", revisions_json(l));
	json_object_set_new(j, "attempts", attempts_json(l));
	if (l->dir < Q_COMPLETED)
		json_object_set_new(j, "priority", json_integer(l->name.digit));
	if (stalled != NULL)
		json_object_set_new(j, "stalled", text_json(stalled));
	free(stalled);
	if (l->dir == Q_HELD)
		json_object_set_new(j, "held",
		    held_describe(c, l->queue, l->name.key, l->job));
	if (l->job != NULL)
		json_object_set(j, "job", l->job);
	if (l->has_outcome)
		json_object_set(j, "outcome", l->out.doc);
	return j;
}

static void
print_time(const char *label, const char *iso)
{
	char text[32], ago[64];
	int64_t at;

	if (clock_parse_iso(iso, &at) == -1)
		return;
	out_time(at, text, sizeof(text));
	clock_human_span((clock_wall_us() - at) / 1000, ago, sizeof(ago));
	out_fieldf(label, "%s (%s ago)", text, ago);
}

static void
print_envelope(const json_t *doc)
{
	out_field("source", out_string(doc, "source"));
	out_field("author", out_string(doc, "author"));
	out_field("thread", out_string(doc, "conversation"));
	print_time("detected", out_string(doc, "detected_at"));
	print_time("queued", out_string(doc, "queued_at"));
}

static void
print_commands(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "commands"), *cmd;
	char *end;
	size_t i;

	json_array_foreach (list, i, cmd) {
		if (i == COMMANDS_SHOWN) {
			out_fieldf("", "and %zu more",
			    json_array_size(list) - i);
			return;
		}
		end = out_command_end(cmd);
		out_fieldf(i == 0 ? "commands" : "", "%s %s: %s",
		    out_string(cmd, "phase"), end, out_string(cmd, "command"));
		free(end);
	}
}

static void
print_changes(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "changes"), *change;
	long long more;
	size_t i;

	json_array_foreach (list, i, change) {
		if (i == COMMANDS_SHOWN)
			break;
		out_fieldf(i == 0 ? "changes" : "", "%-9s %s",
		    out_string(change, "op"), out_string(change, "path"));
	}
	more = (long long)(json_array_size(list) - i) +
	       out_number(doc, "changes_unlisted");
	if (more > 0)
		out_fieldf("", "and %lld more", more);
}

/* What it asked for and did not get, or got otherwise. */
static void
print_warnings(const json_t *doc)
{
	const json_t *warning;
	size_t i;

	json_array_foreach (json_object_get(doc, "warnings"), i, warning) {
		out_field(i == 0 ? "warnings" : "", json_string_value(warning));
	}
}

static void
print_git(const json_t *doc)
{
	const json_t *git = json_object_get(doc, "git");
	const char *commit = out_string(git, "commit");
	const char *tag = out_string(git, "tag");

	if (commit[0] != '\0')
		out_fieldf("git", "commit %.12s%s%s", commit,
		    tag[0] != '\0' ? ", tag " : "", tag);
	else if (tag[0] != '\0')
		out_fieldf("git", "tag %s", tag);
}

/* Who let it run, where that had to be asked for. */
static void
print_approval(const json_t *doc)
{
	const json_t *a = json_object_get(doc, "approval");
	const char *as = out_string(a, "as");
	const char *comment = out_string(a, "comment");

	if (json_is_object(a))
		out_fieldf("approved", "by %s%s%s%s%s", out_string(a, "by"),
		    as[0] != '\0' ? ", as " : "", as,
		    comment[0] != '\0' ? ": " : "", comment);
	print_time("", out_string(a, "at"));
}

static void
print_outcome(const json_t *doc)
{
	char span[64];

	show_why(doc);
	print_approval(doc);
	print_time("started", out_string(doc, "started_at"));
	clock_human_span(
	    json_integer_value(json_object_get(doc, "duration_ms")), span,
	    sizeof(span));
	if (json_is_integer(json_object_get(doc, "duration_ms")))
		out_field("took", span);
	out_field("isolation", out_string(doc, "isolation"));
	if (strcmp(out_string(doc, "state"), "completed") == 0 &&
	    json_is_true(json_object_get(doc, "unvalidated")))
		out_field("validation", "none: the patch is unvalidated");
	print_warnings(doc);
	print_changes(doc);
	print_git(doc);
	print_commands(doc);
}

static void
print_attempts(const struct look *l)
{
	json_t *all = attempts_json(l);
	const json_t *a;
	size_t i;

	json_array_foreach (all, i, a) {
		if (json_array_size(all) == 1 && l->name.attempt == 1)
			break;
		out_fieldf(i == 0 ? "attempts" : "", "%lld: %s",
		    json_integer_value(json_object_get(a, "attempt")),
		    out_string(a, "words"));
	}
	json_decref(all);
	if (l->rev_count > 1)
		out_fieldf("revisions", "%d documents under this id",
		    l->rev_count);
}

static void
print_names(const char *label, const json_t *list)
{
	const json_t *name;
	struct buf text = {0};
	size_t i;

	json_array_foreach (list, i, name) {
		buf_printf(&text, "%s%s", i > 0 ? ", " : "",
		    json_string_value(name));
	}
	out_field(label, text.bytes);
	buf_free(&text);
}

/* What a held patch waits for. */
static void
print_needs(const struct look *l)
{
	const json_t *patch = json_object_get(l->job, "patch");

	print_names("needs", json_object_get(patch, "dependencies"));
}

static void
print_list(const char *label, const json_t *list, const char *field)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		if (i == COMMANDS_SHOWN) {
			out_fieldf("", "and %zu more",
			    json_array_size(list) - i);
			return;
		}
		out_fieldf(i == 0 ? label : "", "%s",
		    field != NULL ? out_string(one, field)
				  : json_string_value(one));
	}
}

/* Why it waits; and, for whoever is to approve it, what it would do. */
static void
print_held(struct ctl *c, const struct look *l)
{
	static const char *const phases[] = {"preMutationValidation",
	    "postMutationBuild", "validate"};
	const json_t *patch = json_object_get(l->job, "patch");
	json_t *held;
	size_t i;

	if (l->dir != Q_HELD)
		return;
	held = held_describe(c, l->queue, l->name.key, l->job);
	out_field("held", out_string(held, "why"));
	if (out_string(held, "digest")[0] != '\0') {
		print_names("approvers", json_object_get(held, "approvers"));
		out_field("digest", out_string(held, "digest"));
		print_list("changes", json_object_get(patch, "mutations"),
		    "path");
		for (i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
			print_list(phases[i],
			    json_object_get(json_object_get(patch, phases[i]),
				"shell"),
			    NULL);
	}
	json_decref(held);
}

static void
print_stalled(struct ctl *c, const struct look *l)
{
	char *why = stalled_describe(c, l->queue, l->dir);

	if (why != NULL)
		out_field("waits", why);
	free(why);
}

static void
print_look(struct ctl *c, const struct look *l)
{
	bool colour = colour_wanted();
	const json_t *doc = l->has_outcome ? l->out.doc : l->job;

	(void)printf("%s%s%s  %s%s%s\n",
	    colour ? colour_start(COLOUR_BOLD) : "", look_ref(l),
	    colour ? colour_end : "",
	    colour ? colour_start(colour_of(l->state)) : "", show_words(l),
	    colour ? colour_end : "");
	out_fieldf("attempt", "%d", l->name.attempt);
	if (l->dir < Q_COMPLETED)
		out_fieldf("priority", "%d", l->name.digit);
	out_field("key", l->name.key);
	out_field("description",
	    out_string(l->has_outcome ? doc : json_object_get(doc, "patch"),
		"description"));
	print_envelope(doc);
	print_needs(l);
	print_stalled(c, l);
	print_held(c, l);
	if (l->has_outcome)
		print_outcome(doc);
	print_attempts(l);
	out_field("summary", l->summary);
}

static int
show_ref(struct ctl *c, const char *ref, json_t *all)
{
	struct look *looks;
	int i, n = looks_find(c, ref, &looks);

	for (i = 0; i < n; i++)
		if (all != NULL)
			json_array_append_new(all, full_json(c, &looks[i]));
		else
			print_look(c, &looks[i]);
	looks_free(looks, n > 0 ? n : 0);
	return n > 0 ? CTL_DONE : CTL_FAILED;
}

int
run_show(struct ctl *c)
{
	json_t *all;
	int i, status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc == 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	all = c->json ? json_array() : NULL;
	for (i = 0; i < c->argc; i++)
		status = ctl_worse(status, show_ref(c, c->argv[i], all));
	if (c->json)
		out_list(all, status);
	return status;
}
