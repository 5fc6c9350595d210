/* SPDX-License-Identifier: ISC */
/* queue: patches in the order they run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/spool.h"
#include "common/text.h"
#include "ctl/held.h"
#include "ctl/look.h"
#include "ctl/out.h"
#include "ctl/stalled.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define LINES_DEFAULT 50

struct listing {
	struct ctl *c;
	size_t limit;
	bool all; /* those that ended too */
	json_t *json;
	struct table table;
	size_t left_off;
	char *stalled; /* why those of the directory at hand do not go on */
};

/* id of a queue file: inside; the key's slug where it cannot be read. */
static void
read_id(struct listing *l, struct queue_tree *q, enum queue_dir d,
    const struct queue_name *n, json_t *into)
{
	bool held = d == Q_HELD;
	char name[NAME_SIZE];
	json_t *doc = NULL;

	key_queue_file(n, name);
	if (spool_read_json(q->dir[d], name, &doc) == 1) {
		json_object_set(into, "id", json_object_get(doc, "id"));
		json_object_set(into, "queued_at",
		    json_object_get(doc, "queued_at"));
		if (held)
			json_object_set_new(into, "held",
			    held_describe(l->c, q, n->key, doc));
		json_decref(doc);
	} else
		json_object_set_new(into, "id", json_string(n->key));
}

/* Where it lies says that it ended; how, its outcome. */
static void
read_end(struct queue_tree *q, const struct queue_name *n, json_t *into)
{
	struct outcome o;

	if (look_outcome(q, n->key, n->attempt, &o) != 1)
		return;
	json_object_set_new(into, "state",
	    json_string(outcome_state_name[o.state]));
	json_object_set_new(into, "words", json_string(outcome_words(&o)));
	outcome_free(&o);
}

static void
add_row(struct listing *l, const json_t *j)
{
	const char *state = out_string(j, "state");
	int64_t at = 0;
	char age[64] = "-";

	if (clock_parse_iso(out_string(j, "queued_at"), &at) == 0)
		clock_human_span((clock_wall_us() - at) / 1000, age,
		    sizeof(age));
	table_add(&l->table, COLOUR_NONE, "%s", out_string(j, "queue"));
	table_add(&l->table, colour_of(state), "%s", state);
	table_add(&l->table, COLOUR_NONE, "%lld",
	    json_integer_value(json_object_get(j, "priority")));
	table_add(&l->table, COLOUR_NONE, "%lld",
	    json_integer_value(json_object_get(j, "attempt")));
	table_add(&l->table, COLOUR_NONE, "%s", age);
	table_add(&l->table, COLOUR_NONE, "%s", out_string(j, "id"));
	table_add(&l->table, COLOUR_NONE, "%s%s%s", out_string(j, "stalled"),
	    out_string(json_object_get(j, "held"), "why"),
	    strcmp(out_string(j, "words"), state) != 0 ? out_string(j, "words")
						       : "");
	table_end_row(&l->table);
}

static void
list_file(struct listing *l, struct queue_tree *q, enum queue_dir d,
    const char *name)
{
	struct queue_name n;
	json_t *j;

	if (key_parse_queue_file(name, &n) == -1)
		return;
	j = json_pack("{s:s, s:s, s:i, s:i, s:s}", "queue", q->name, "state",
	    queue_dir_state[d], "priority", n.digit, "attempt", n.attempt,
	    "key", n.key);
	read_id(l, q, d, &n, j);
	if (d == Q_COMPLETED || d == Q_FAILED)
		read_end(q, &n, j);
	if (l->stalled != NULL)
		json_object_set_new(j, "stalled", text_json(l->stalled));
	add_row(l, j);
	json_array_append_new(l->json, j);
}

static int
list_dir(struct listing *l, struct queue_tree *q, enum queue_dir d)
{
	struct spool_names names = {0};
	size_t i;

	if (spool_list(q->dir[d], l->limit, &names) == -1) {
		ctl_say("%s/%s/%s: %s", l->c->t.path, q->name,
		    queue_dir_path[d], strerror(errno));
		return CTL_FAILED;
	}
	l->stalled = names.count > 0 ? stalled_describe(l->c, q, d) : NULL;
	for (i = 0; i < names.count; i++)
		list_file(l, q, d, names.names[i]);
	free(l->stalled);
	l->left_off += names.cut;
	spool_names_free(&names);
	return CTL_DONE;
}

static int
list_queue(struct listing *l, struct queue_tree *q)
{
	static const enum queue_dir order[] = {Q_RUNNING, Q_PATCHES, Q_HELD,
	    Q_COMPLETED, Q_FAILED, Q_ARCHIVE};
	size_t i, n = l->all ? sizeof(order) / sizeof(order[0]) : 3;
	int status = CTL_DONE;

	for (i = 0; i < n; i++)
		status = ctl_worse(status, list_dir(l, q, order[i]));
	return status;
}

static int
list_all(struct listing *l, const char *only)
{
	static const char *const heads[] = {"QUEUE", "STATE", "PRI", "TRY",
	    "AGE", "ID", "WHY"};
	const struct queue_settings *q = NULL;
	struct ctl *c = l->c;
	size_t i;
	int status = CTL_DONE;

	if (only != NULL && (q = ctl_queue(c, only)) == NULL)
		return CTL_FAILED;
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_add(&l->table, COLOUR_DIM, "%s", heads[i]);
	table_end_row(&l->table);
	for (i = 0; i < c->t.queue_count; i++)
		if (q == NULL || strcmp(q->name, c->t.queues[i].name) == 0)
			status =
			    ctl_worse(status, list_queue(l, &c->t.queues[i]));
	return status;
}

static void
print(struct listing *l)
{
	if (l->c->json)
		out_json(json_incref(l->json));
	else if (json_array_size(l->json) == 0)
		ctl_say("no patch is %s",
		    l->all ? "here" : "waiting or running");
	else
		table_print(&l->table);
	if (l->left_off > 0)
		ctl_say("there are more than %zu of a state; see -n", l->limit);
}

int
run_queue(struct ctl *c)
{
	static const struct option words[] = {{"all", no_argument, NULL, 'a'},
	    {"lines", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	struct listing l = {.c = c, .limit = LINES_DEFAULT};
	int opt, status;

	while ((opt = ctl_option(c, "an:", words)) != -1)
		if (opt == 'a')
			l.all = true;
		else if (opt != 'n' || (l.limit = ctl_count(optarg)) == 0)
			return CTL_USAGE;
	if (c->argc > 1)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	l.json = json_array();
	status = list_all(&l, c->argc == 1 ? c->argv[0] : NULL);
	if (status == CTL_DONE)
		print(&l);
	json_decref(l.json);
	table_free(&l.table);
	return status;
}
