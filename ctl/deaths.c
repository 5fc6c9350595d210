/* SPDX-License-Identifier: ISC */
/* deaths: the supervisor's black box, with the suite down too. */
#include "common/deaths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void
add_row(struct table *t, const json_t *d)
{
	long long signal = out_number(d, "signal");
	char up[64];

	clock_human_span(out_number(d, "uptime_ms"), up, sizeof(up));
	table_add(t, COLOUR_NONE, "%s", out_string(d, "at"));
	table_add(t, COLOUR_NONE, "%s", out_string(d, "daemon"));
	table_add(t, COLOUR_BAD, "%s", out_string(d, "reason"));
	if (signal != 0)
		table_add(t, COLOUR_NONE, "signal %s",
		    sigabbrev_np((int)signal) != NULL
			? sigabbrev_np((int)signal)
			: "?");
	else
		table_add(t, COLOUR_NONE, "exit %lld", out_number(d, "code"));
	table_add(t, COLOUR_NONE, "%s", up);
	table_add(t, COLOUR_NONE, "%lld kB", out_number(d, "memory_kb"));
	table_add(t, COLOUR_NONE, "%s", out_string(d, "why"));
	table_end_row(t);
}

static void
print(const json_t *all, bool tails)
{
	static const char *const heads[] = {"AT", "DAEMON", "REASON", "END",
	    "UP", "MEMORY", "WHY"};
	struct table t = {0};
	const json_t *d;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(&t, COLOUR_DIM, "%s", heads[i]);
	table_end_row(&t);
	json_array_foreach (all, i, d) {
		add_row(&t, d);
	}
	table_print(&t);
	table_free(&t);
	/* With one daemon named, the last one's last words. */
	d = json_array_get(all, json_array_size(all) - 1);
	if (tails && d != NULL) {
		(void)printf("\nlast lines:\n");
		out_lines("  ", out_string(d, "tail"));
	}
}

/* Of one daemon only. Takes all. */
static json_t *
choose(json_t *all, const char *name)
{
	json_t *some = json_array(), *d;
	size_t i;

	json_array_foreach (all, i, d)
		if (name == NULL || strcmp(out_string(d, "daemon"), name) == 0)
			(void)json_array_append(some, d);
	json_decref(all);
	return some;
}

int
run_deaths(struct ctl *c)
{
	json_t *all;
	int status, dir;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 1)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	dir = spool_dir(c->t.state, "watchdog");
	all = dir != -1 ? deaths_read(dir) : NULL;
	if (all == NULL && errno != ENOENT) {
		ctl_say_path("state/watchdog/" DEATHS_FILE, errno);
		return CTL_FAILED;
	}
	if (dir != -1)
		(void)close(dir);
	all = choose(all != NULL ? all : json_array(),
	    c->argc == 1 ? c->argv[0] : NULL);
	if (c->json)
		out_json(all);
	else {
		if (json_array_size(all) == 0)
			ctl_say("no death%s%s is remembered",
			    c->argc == 1 ? " of " : "",
			    c->argc == 1 ? c->argv[0] : "");
		else
			print(all, c->argc == 1);
		json_decref(all);
	}
	return CTL_DONE;
}
