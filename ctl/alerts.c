/* SPDX-License-Identifier: ISC */
/*
 * alerts: by default what needs somebody: each (type, component, subject)
 * whose last alert is no resolution and is waiting, undeliverable or younger
 * than a day. With --history all that the spool keeps.
 */
#include "common/alert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define RECENT_US (INT64_C(86400) * 1000000)

static const char delivered[] = "delivered";

static int
add_file(json_t *all, int dir, const char *name, const char *where)
{
	struct spool_file f;
	json_t *doc;

	/* members of patchflow-submit raise alerts too */
	if (spool_read(dir, name, SPOOL_FILE_MAX, true, &f) != 1)
		return -1;
	doc = spool_check(f.bytes, f.len);
	spool_file_free(&f);
	if (!json_is_object(doc)) {
		json_decref(doc);
		return -1;
	}
	json_object_set_new(doc, "delivery", json_string(where));
	json_object_set_new(doc, "file", text_json(name));
	json_array_append_new(all, doc);
	return 0;
}

/* The number of files that could not be read, or -1. */
static int
add_dir(json_t *all, int dir, const char *where)
{
	struct spool_names names;
	size_t i;
	int unread = 0;

	if (spool_list(dir, 0, &names) == -1)
		return -1;
	for (i = 0; i < names.count; i++)
		unread += add_file(all, dir, names.names[i], where) == -1 &&
			  spool_exists(dir, names.names[i]);
	spool_names_free(&names);
	return unread;
}

static int
by_time(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	int order = strcmp(out_string(x, "at"), out_string(y, "at"));

	return order != 0
		   ? order
		   : strcmp(out_string(x, "file"), out_string(y, "file"));
}

static json_t *
sorted(const json_t *all)
{
	size_t i, n = json_array_size(all);
	json_t **items = xcalloc(n + 1, sizeof(json_t *));
	json_t *out = json_array();

	for (i = 0; i < n; i++)
		items[i] = json_array_get(all, i);
	qsort(items, n, sizeof(json_t *), by_time);
	for (i = 0; i < n; i++)
		json_array_append(out, items[i]);
	free(items);
	return out;
}

/* What an alert is about, as one text. */
static char *
matter_of(const json_t *a)
{
	json_t *parts = json_pack("[s, s, s]", out_string(a, "type"),
	    out_string(a, "component"), out_string(a, "subject"));
	char *text = json_dumps(parts, JSON_COMPACT);

	json_decref(parts);
	return text;
}

static bool
is_recent(const json_t *a)
{
	int64_t at;

	return strcmp(out_string(a, "delivery"), delivered) != 0 ||
	       (clock_parse_iso(out_string(a, "at"), &at) == 0 &&
		   clock_wall_us() - at < RECENT_US);
}

/* The last of each matter, where it is still open; in the order of all. */
static json_t *
open_ones(const json_t *all)
{
	json_t *out = json_array(), *seen = json_object(), *a;
	char *matter;

	for (size_t i = json_array_size(all); i-- > 0;) {
		a = json_array_get(all, i);
		matter = matter_of(a);
		if (json_object_get(seen, matter) == NULL && is_recent(a) &&
		    !json_is_true(json_object_get(a, "resolved")))
			json_array_insert(out, 0, a);
		json_object_set_new(seen, matter, json_true());
		free(matter);
	}
	json_decref(seen);
	return out;
}

static void
print(const json_t *all)
{
	static const char *const heads[] = {"AT", "SEVERITY", "DELIVERY",
	    "TYPE", "ABOUT", "TEXT"};
	struct table t = {0};
	const json_t *a;
	const char *severity;
	char when[32];
	int64_t at;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(&t, COLOUR_DIM, "%s", heads[i]);
	table_end_row(&t);
	json_array_foreach (all, i, a) {
		when[0] = '\0';
		if (clock_parse_iso(out_string(a, "at"), &at) == 0)
			out_time(at, when, sizeof(when));
		severity = json_is_true(json_object_get(a, "resolved"))
			       ? "resolved"
			       : out_string(a, "severity");
		table_add(&t, COLOUR_NONE, "%s", when);
		table_add(&t, colour_of(severity), "%s", severity);
		table_add(&t, COLOUR_NONE, "%s", out_string(a, "delivery"));
		table_add(&t, COLOUR_NONE, "%s", out_string(a, "type"));
		table_add(&t, COLOUR_NONE, "%s", out_string(a, "subject"));
		table_add(&t, COLOUR_NONE, "%s", out_string(a, "text"));
		table_end_row(&t);
	}
	table_print(&t);
	table_free(&t);
}

static json_t *
collect(struct ctl *c)
{
	struct {
		int dir;
		const char *where;
	} places[] = {
	    {c->t.alerts.dir[BOX_NEW], "waiting"},
	    {c->t.alerts.dir[BOX_CUR], "waiting"},
	    {c->t.alerts_dead, "undeliverable"},
	    {c->t.alerts.dir[BOX_DONE], delivered},
	};
	json_t *all = json_array(), *out;
	size_t i;
	int unread;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		unread = add_dir(all, places[i].dir, places[i].where);
		if (unread == -1)
			ctl_say("alerts: %s", strerror(errno));
		else if (unread > 0)
			ctl_say("alerts: %d unreadable, see patchflow fsck",
			    unread);
	}
	out = sorted(all);
	json_decref(all);
	return out;
}

int
run_alerts(struct ctl *c)
{
	static const struct option words[] = {
	    {"history", no_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
	json_t *all, *shown;
	bool history = false;
	int opt, status;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 'a')
			return CTL_USAGE;
		history = true;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	all = collect(c);
	shown = history ? json_incref(all) : open_ones(all);
	if (c->json)
		out_json(json_incref(shown));
	else if (json_array_size(shown) == 0)
		ctl_say("no alert%s", history ? "" : " is open");
	else
		print(shown);
	json_decref(shown);
	json_decref(all);
	return CTL_DONE;
}
