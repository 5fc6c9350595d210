/* SPDX-License-Identifier: ISC */
/* The table of verbs: patchflow(1) and the lint test hold it to account. */
#include "ctl/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/nearest.h"
#include "ctl/out.h"

/* One verb after another, so that people can compare them. */
/* clang-format off */
const struct verb verbs[] = {
	{"alerts", "[--history]", "show what needs somebody",
	    "--history  everything that is kept, resolved and delivered too",
	    run_alerts},
	{"approve", "[-m comment] [-w] [--timeout span] id ...",
	    "let patches run that wait for approval",
	    "-m, --comment TEXT  stands in the summary\n"
	    "-w, --wait          until its summary is published\n"
	    "--timeout SPAN      wait no longer; status 75 then", run_request},
	{"cancel", "[-r reason] id ...",
	    "give up patches that have not ended",
	    "-r, --reason TEXT  stands in the summary", run_request},
	{"check", "[--yaml] file ... | -",
	    "say what a document means; run nothing",
	    "--yaml  print the canonical form as YAML", run_check},
	{"check-config", "", "check the configuration and try it out", NULL,
	    run_check_config},
	{"deaths", "[name]", "how daemons ended, and their last words", NULL,
	    run_deaths},
	{"down", "[--timeout span]", "stop the suite and wait until it is gone",
	    "--timeout SPAN  default 60s", run_down},
	{"dry-run", "[-q queue] file | -",
	    "stage a patch, show what it would do, commit nothing",
	    "-q, --queue QUEUE  in place of the targets that it names",
	    run_dry_run},
	{"extract", "[--source type] file",
	    "what the bridge would find in a transcript",
	    "--source TYPE  transcript (the default)", run_extract},
	{"fsck", "[--repair]", "compare the spool with patchflow-spool(5)",
	    "--repair  do what is safe", run_fsck},
	{"health", "", "one line; status 0 when all is well, 69 when down", NULL,
	    run_health},
	{"help", "[command]", "explain a command", NULL, run_help},
	{"hold", "id ...", "keep queued patches back until they are retried",
	    NULL, run_request},
	{"init", "[directory]", "write a configuration, ready to run", NULL,
	    run_init},
	{"log", "[-f] [-n count] [id]", "what the daemons did, by time",
	    "-f, --follow       go on with what comes\n"
	    "-n, --lines COUNT  the last ones; default 100, with an id all",
	    run_log},
	{"pause", "queue ...", "start nothing more in these queues", NULL,
	    run_request},
	{"queue", "[-a] [-n count] [queue]",
	    "list patches in the order they run",
	    "-a, --all          those that ended too\n"
	    "-n, --lines COUNT  of one state in one queue; default 50",
	    run_queue},
	{"reject", "[-m comment] id ...",
	    "refuse patches that wait for approval",
	    "-m, --comment TEXT  stands in the summary", run_request},
	{"reload", "[-n]", "read the configuration again",
	    "-n, --dry-run  say which daemons it would touch", run_reload},
	{"restart", "name ... | all", "stop and start daemons", NULL,
	    run_control},
	{"resume", "queue ...", "go on with paused queues", NULL, run_request},
	{"retry", "[-w] [--timeout span] id ...",
	    "queue failed or held patches again",
	    "-w, --wait      until the summary of each is published\n"
	    "--timeout SPAN  wait no longer; status 75 then",
	    run_request},
	{"show", "id ...", "all that is known about a patch", NULL, run_show},
	{"start", "name ... | all", "start daemons", NULL, run_control},
	{"status", "[-w]", "daemons and queues",
	    "-w, --watch  redraw every second", run_status},
	{"stop", "name ... | all", "stop daemons", NULL, run_control},
	{"submit", "[-q queue] [-p priority] [-w] [--timeout span] file ... | -",
	    "hand documents in; prints their ids",
	    "-q, --queue QUEUE        in place of the targets they name\n"
	    "-p, --priority PRIORITY  0 (first) to 9, or critical, high, "
	    "normal, low\n"
	    "-w, --wait               until each summary is published\n"
	    "--timeout SPAN           wait no longer; status 75 then",
	    run_submit},
	{"undo", "[-w] [--timeout span] id ...",
	    "take completed patches back, exactly",
	    "-w, --wait      until the summary of each undo is published\n"
	    "--timeout SPAN  wait no longer; status 75 then",
	    run_request},
	{"up", "[-f] [--timeout span]", "start the suite",
	    "-f, --foreground  stay at the terminal\n"
	    "--timeout SPAN    to be ready in; default 60s", run_up},
	{"upgrade", "", "give the supervisor its new file; the daemons run on",
	    NULL, run_upgrade},
	{"wait", "[--timeout span] id ...",
	    "until the summaries are published",
	    "--timeout SPAN  wait no longer; status 75 then", run_wait},
	{NULL, NULL, NULL, NULL, NULL}
};
/* clang-format on */

const struct verb *
verb_find(const char *name)
{
	const struct verb *v;

	for (v = verbs; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

const char *
verb_hint(const char *name)
{
	const struct verb *v;
	const char *hint = NULL;
	int best = nearest_limit(name);

	for (v = verbs; v->name != NULL; v++)
		if (nearest_offer(name, v->name, &best))
			hint = v->name;
	return hint;
}

void
verbs_usage(const struct verb *verb)
{
	char *line;

	if (verb == NULL) {
		out_complain("usage: patchflow [-c file] [--json] command "
			     "[argument ...]");
		out_complain("       patchflow --help");
		return;
	}
	line = xasprintf("usage: patchflow [-c file] [--json] %s%s%s",
	    verb->name, verb->args[0] != '\0' ? " " : "", verb->args);
	out_complain(line);
	free(line);
}

static void
help_all(void)
{
	const struct verb *v;

	(void)printf("usage: patchflow [-c file] [--json] command "
		     "[argument ...]\n\n");
	for (v = verbs; v->name != NULL; v++)
		(void)printf("  %-13s %s\n", v->name, v->help);
	(void)printf(
	    "\n  -c, --config FILE  else $PATCHFLOW_CONFIG, ./patchflow.yaml,\n"
	    "                     %s/patchflow/patchflow.yaml\n"
	    "  --json             results as JSON\n"
	    "  -h, --help, --version\n\n"
	    "`patchflow help COMMAND` tells more, patchflow(1) all.\n",
	    SYSCONFDIR);
}

void
verbs_help(const struct verb *verb)
{
	const char *line, *end;

	if (verb == NULL) {
		help_all();
		return;
	}
	(void)printf("usage: patchflow [-c file] [--json] %s%s%s\n\n%s\n",
	    verb->name, verb->args[0] != '\0' ? " " : "", verb->args,
	    verb->help);
	for (line = verb->options; line != NULL && *line != '\0'; line = end) {
		end = strchrnul(line, '\n');
		(void)printf("%s  %.*s\n", line == verb->options ? "\n" : "",
		    (int)(end - line), line);
		end += *end == '\n';
	}
}

int
run_help(struct ctl *c)
{
	const struct verb *v = NULL;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 1)
		return CTL_USAGE;
	if (c->argc == 1) {
		v = verb_find(c->argv[0]);
		if (v == NULL) {
			ctl_say("no command is called \"%s\"", c->argv[0]);
			return CTL_FAILED;
		}
	}
	verbs_help(v);
	return CTL_DONE;
}
