/* SPDX-License-Identifier: ISC */
/*
 * check-config: every error of the file, and then what only trying tells.
 * Each daemon tries what is its own (its -n), as the user it will run as; the
 * command adds what is the supervisor's and puts it all in one table.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fsinfo.h"
#include "common/left.h"
#include "common/text.h"
#include "ctl/check.h"
#include "ctl/out.h"
#include "ctl/program.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void
try_spool(struct trials *t, const struct ctl *c)
{
	struct fsinfo fs;

	if (fsinfo_read(c->t.root, &fs) == -1) {
		trial_note(t, TRIAL_WARNING, "spool", "durability",
		    trial_explain(c->t.path));
	} else if (fs.durability == DURABLE_JOURNAL) {
		trial_note(t, TRIAL_OK, "spool", "durability",
		    xstrdup(durability_name[fs.durability]));
	} else {
		trial_note(t, TRIAL_WARNING, "spool", "durability",
		    xasprintf("%s: %s, does not survive every power cut",
			c->t.path, durability_name[fs.durability]));
		trial_fix(t, "a journaling filesystem: ext4, xfs, btrfs");
	}
}

static void
note_left(void *owner, const struct left *l)
{
	trial_note(owner, TRIAL_WARNING, l->queue, "queue", left_words(l));
	trial_fix(owner, "configure it until it is empty");
}

static void
try_left(struct trials *t, struct ctl *c)
{
	if (left_find(&c->t, c->s.summaries.destination_count > 0, note_left,
		t) == -1)
		trial_note(t, TRIAL_WARNING, "spool", "queue",
		    trial_explain(c->t.path));
}

/* The nearest directory above path that exists must let us make the rest. */
static int
can_make(const char *path)
{
	char *up = xstrdup(path), *slash;
	struct stat st;
	int answer;

	while (stat(up, &st) == -1 && errno == ENOENT &&
	       (slash = strrchr(up, '/')) != NULL && up[1] != '\0')
		slash[slash == up ? 1 : 0] = '\0';
	answer = trial_directory(up);
	free(up);
	return answer;
}

static void
try_logs(struct trials *t, const char *path)
{
	if (path[0] == '\0')
		return;
	if (can_make(path) == 0) {
		trial_note(t, TRIAL_OK, "logs", "directory", xstrdup(path));
		return;
	}
	trial_note(t, trial_judge(errno), "logs", "directory",
	    trial_explain(path));
	trial_fix(t, "let the supervisor's user write there");
}

static void
print(const struct trials *t)
{
	struct table table = {0};
	const json_t *j;
	const char *result, *fix;
	size_t i;

	json_array_foreach (t->list, i, j) {
		result = out_string(j, "result");
		fix = out_string(j, "fix");
		table_add(&table, colour_of(result), "%s", result);
		table_add(&table, COLOUR_NONE, "%s", out_string(j, "subject"));
		table_add(&table, COLOUR_NONE, "%s", out_string(j, "check"));
		table_add(&table, COLOUR_NONE, "%s%s%s",
		    out_string(j, "detail"), fix[0] != '\0' ? "; fix: " : "",
		    fix);
		table_end_row(&table);
	}
	table_print(&table);
	table_free(&table);
}

static int
try_all(struct ctl *c)
{
	struct trials t = {0};
	const char *user;
	bool ok;
	size_t i;

	try_spool(&t, c);
	try_left(&t, c);
	user = check_user(&t, c);
	program_check(c, "ghost-bridge", "", user, &t);
	for (i = 0; i < c->s.queue_count; i++)
		program_check(c, "executor", c->s.queues[i].name, "", &t);
	program_check(c, "summarizer", "", user, &t);
	program_check(c, "alertd", "", user, &t);
	try_logs(&t, c->s.logs.directory);
	ok = t.worst < TRIAL_TEMPORARY;
	if (c->json)
		out_json(json_pack("{s:o, s:b, s:O}", "file",
		    text_json(c->s.path), "ok", ok, "checks", t.list));
	else
		print(&t);
	trial_free(&t);
	return ok ? CTL_DONE : CTL_FAILED;
}

int
run_check_config(struct ctl *c)
{
	int status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? try_all(c) : status;
}
