/* SPDX-License-Identifier: ISC */
/* status: daemons and queues, once or again and again. */
#include "ctl/status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void
add_span(struct table *t, const json_t *j, const char *key)
{
	char text[64] = "-";

	if (json_is_integer(json_object_get(j, key)))
		clock_human_span(out_number(j, key), text, sizeof(text));
	table_add(t, COLOUR_NONE, "%s", text);
}

static void
add_number(struct table *t, const json_t *j, const char *key)
{
	if (json_is_integer(json_object_get(j, key)))
		table_add(t, COLOUR_NONE, "%lld", out_number(j, key));
	else
		table_add(t, COLOUR_NONE, "-");
}

static void
add_heads(struct table *t, const char *const *heads, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		table_add(t, COLOUR_DIM, "%s", heads[i]);
	table_end_row(t);
}

static void
add_daemon(struct table *t, const json_t *d)
{
	const char *state = out_string(d, "state");
	const char *why = out_string(d, "why_not_running");
	char next[64];

	table_add(t, COLOUR_NONE, "%s", out_string(d, "name"));
	table_add(t, colour_of(state), "%s", state);
	add_number(t, d, "pid");
	add_span(t, d, "uptime_ms");
	add_number(t, d, "restarts");
	add_span(t, d, "beat_age_ms");
	if (json_is_integer(json_object_get(d, "next_attempt_ms"))) {
		clock_human_span(out_number(d, "next_attempt_ms"), next,
		    sizeof(next));
		table_add(t, COLOUR_NONE, "%s; next attempt in %s", why, next);
	} else
		table_add(t, COLOUR_NONE, "%s",
		    why[0] != '\0' ? why : out_string(d, "status"));
	table_end_row(t);
}

static void
add_queue(struct table *t, const json_t *q)
{
	const json_t *running = json_object_get(q, "running");
	bool paused = json_is_true(json_object_get(q, "paused"));
	const char *isolation = out_string(q, "isolation");
	const char *hold = out_string(q, "hold");

	table_add(t, COLOUR_NONE, "%s", out_string(q, "name"));
	table_add(t,
	    hold[0] != '\0' ? COLOUR_BAD
	    : paused        ? COLOUR_BUSY
			    : COLOUR_NONE,
	    "%s",
	    hold[0] != '\0' ? "held"
	    : paused        ? "paused"
			    : "open");
	add_number(t, q, "depth");
	add_number(t, q, "held");
	add_span(t, q, "oldest_ms");
	table_add(t, COLOUR_NONE, "%s", isolation[0] != '\0' ? isolation : "-");
	table_add(t, COLOUR_NONE, "%s",
	    out_string(q, "durability")[0] != '\0' ? out_string(q, "durability")
						   : "-");
	if (json_is_object(running))
		table_add(t, COLOUR_BUSY, "running %s",
		    out_string(running, "id"));
	else if (hold[0] == '\0' && out_number(q, "need_approval") > 0)
		table_add(t, COLOUR_BUSY, "%lld wait for approval",
		    out_number(q, "need_approval"));
	else
		table_add(t, COLOUR_NONE, "%s",
		    hold[0] != '\0' ? hold : out_string(q, "why"));
	table_end_row(t);
}

/* One that is back by itself is told as well: somebody killed it. */
static void
print_restarted(const json_t *all)
{
	long long died = out_number(json_object_get(all, "watchdog"), "died");
	size_t i, incidents = 0;
	const json_t *d;

	if (died == 0)
		return;
	json_array_foreach (json_object_get(all, "daemons"), i, d)
		incidents += json_is_true(json_object_get(d, "incident"));
	(void)printf("supervisor restarted: it died %lld times, %zu open "
		     "incidents\n",
	    died, incidents);
}

static void
print_hanging(const json_t *records)
{
	if (out_string(records, "hangs_since")[0] != '\0')
		(void)printf("the disk hangs since %s: %lld records of the "
			     "supervisor's wait, %lld were dropped\n",
		    out_string(records, "hangs_since"),
		    out_number(records, "waiting"),
		    out_number(records, "dropped"));
}

static void
print_top(const json_t *all)
{
	const json_t *w = json_object_get(all, "watchdog");
	const json_t *logs = json_object_get(w, "logs");
	char up[64];

	if (!json_is_object(w)) {
		(void)printf("the suite is not running (spool %s)\n\n",
		    out_string(all, "spool"));
		return;
	}
	clock_human_span(out_number(w, "uptime_ms"), up, sizeof(up));
	(void)printf("up %s, pid %lld, version %s, spool %s\n", up,
	    out_number(w, "pid"), out_string(w, "version"),
	    out_string(all, "spool"));
	if (out_string(logs, "trouble")[0] != '\0')
		(void)printf("%s takes no log lines, %s: see the files\n",
		    out_string(logs, "to"), out_string(logs, "trouble"));
	print_hanging(json_object_get(w, "records"));
	print_restarted(all);
	(void)putchar('\n');
}

static void
print(const json_t *all)
{
	static const char *const daemon_heads[] = {"DAEMON", "STATE", "PID",
	    "UP", "RESTARTS", "BEAT", "DOES"};
	static const char *const queue_heads[] = {"QUEUE", "STATE", "DEPTH",
	    "HELD", "OLDEST", "ISOLATION", "DURABILITY", "DOES"};
	struct table t = {0};
	const json_t *item;
	size_t i;

	print_top(all);
	add_heads(&t, daemon_heads, 7);
	json_array_foreach (json_object_get(all, "daemons"), i, item) {
		add_daemon(&t, item);
	}
	table_print(&t);
	table_free(&t);
	(void)putchar('\n');
	add_heads(&t, queue_heads, 8);
	json_array_foreach (json_object_get(all, "queues"), i, item) {
		add_queue(&t, item);
	}
	table_print(&t);
	table_free(&t);
}

static int
show_once(struct ctl *c, bool line)
{
	json_t *all = status_collect(c);
	bool up = json_is_true(json_object_get(all, "supervised"));

	if (c->json && line)
		out_json_line(json_incref(all));
	else if (c->json)
		out_json(json_incref(all));
	else
		print(all);
	json_decref(all);
	return up ? CTL_DONE : CTL_DOWN;
}

/* Until somebody presses ^C. Home, then erase below: no flicker. */
static int
watch(struct ctl *c)
{
	const struct timespec second = {.tv_sec = 1};
	bool terminal = isatty(STDOUT_FILENO) == 1;

	for (;;) {
		if (terminal && !c->json)
			(void)fputs("\033[H\033[J", stdout);
		(void)show_once(c, true);
		if (fflush(stdout) != 0)
			return CTL_FAILED;
		(void)nanosleep(&second, NULL);
	}
}

int
run_status(struct ctl *c)
{
	static const struct option words[] = {{"watch", no_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0}};
	bool again = false;
	int opt, status;

	while ((opt = ctl_option(c, "w", words)) != -1) {
		if (opt != 'w')
			return CTL_USAGE;
		again = true;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	return again ? watch(c) : show_once(c, false);
}
