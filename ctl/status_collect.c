/* SPDX-License-Identifier: ISC */
/* What is known about daemons and queues, from the control socket, the
 * executors' state files and the spool's directories. */
#include "ctl/status.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/spool.h"
#include "ctl/control.h"
#include "ctl/held.h"

static void
add_lone(struct ctl *c, json_t *daemons, const char *name)
{
	bool runs = control_is_running(c, name);

	json_array_append_new(daemons,
	    json_pack("{s:s, s:s, s:o, s:s}", "name", name, "state",
		runs ? "unsupervised" : "stopped", "pid",
		runs ? json_integer(control_pid(c, name)) : json_null(),
		"why_not_running",
		runs ? "" : "no supervisor runs; `patchflow up`"));
}

static void
collect_locks(struct ctl *c, json_t *into)
{
	static const char *const names[] = {"ghost-bridge", "summarizer",
	    "alertd"};
	json_t *daemons = json_array();
	char *name;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add_lone(c, daemons, names[i]);
	for (i = 0; i < c->t.queue_count; i++) {
		name = xasprintf("executor@%s", c->t.queues[i].name);
		add_lone(c, daemons, name);
		free(name);
	}
	json_object_set_new(into, "daemons", daemons);
}

static void
collect_daemons(struct ctl *c, json_t *into)
{
	json_t *answer = NULL;
	bool up = control_ask(c, "status", NULL, &answer) == 0 &&
		  json_is_true(json_object_get(answer, "ok"));

	json_object_set_new(into, "supervised", json_boolean(up));
	if (up) {
		json_object_set(into, "watchdog",
		    json_object_get(answer, "watchdog"));
		json_object_set(into, "daemons",
		    json_object_get(answer, "daemons"));
	} else {
		json_object_set_new(into, "watchdog", json_null());
		collect_locks(c, into);
	}
	json_decref(answer);
}

/* How many queue files dir holds, and the oldest one's KEY time. */
static int64_t
count(int dir, int64_t *oldest_us)
{
	DIR *d = spool_opendir(dir);
	struct queue_name n;
	const char *name;
	int64_t total = 0, us;

	if (d == NULL)
		return 0;
	while ((name = spool_readdir(d)) != NULL) {
		if (key_parse_queue_file(name, &n) == -1)
			continue;
		total++;
		us = key_time_us(n.key);
		if (oldest_us != NULL && (*oldest_us == 0 || us < *oldest_us))
			*oldest_us = us;
	}
	(void)closedir(d);
	return total;
}

json_t *
status_state(struct ctl *c, const char *name, const char *file)
{
	int dir = spool_dir(c->t.state, name);
	json_t *doc = NULL;

	if (dir == -1)
		return NULL;
	if (spool_read_json(dir, file, &doc) != 1)
		doc = NULL;
	(void)close(dir);
	return doc;
}

static void
add_executor_state(struct ctl *c, const char *queue, json_t *into)
{
	static const char *const keys[] = {"isolation", "why", "durability",
	    "limits", "limits_why", "paused", "hold", "staging", "running"};
	char *name = xasprintf("executor@%s", queue);
	json_t *doc = status_state(c, name, "queue.json");
	size_t i;

	/* what a dead executor was doing it does no more */
	if (!control_is_running(c, name))
		json_object_del(doc, "running");
	free(name);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_get(doc, keys[i]) != NULL)
			json_object_set(into, keys[i],
			    json_object_get(doc, keys[i]));
		else
			json_object_set_new(into, keys[i], json_null());
	json_decref(doc);
}

static json_t *
collect_queue(struct ctl *c, size_t i)
{
	struct queue_tree *q = &c->t.queues[i];
	const struct queue_settings *set = settings_queue(&c->s, q->name);
	int64_t oldest_us = 0, depth = count(q->dir[Q_PATCHES], &oldest_us);
	json_t *j = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o}",
	    "name", q->name, "workspace", set->workspace, "default",
	    set->is_default, "depth", (json_int_t)depth, "held",
	    (json_int_t)count(q->dir[Q_HELD], NULL), "need_approval",
	    (json_int_t)held_for_approval(c, q), "running_count",
	    (json_int_t)count(q->dir[Q_RUNNING], NULL), "oldest_ms",
	    oldest_us > 0 ? json_integer((clock_wall_us() - oldest_us) / 1000)
			  : json_null());

	add_executor_state(c, q->name, j);
	return j;
}

/* alertd's own account of its channels. */
static void
collect_channels(struct ctl *c, json_t *into)
{
	json_t *doc = status_state(c, "alertd", "alerts.json");
	json_t *channels = json_object_get(doc, "channels");

	if (json_is_array(channels))
		json_object_set(into, "channels", channels);
	else
		json_object_set_new(into, "channels", json_array());
	json_decref(doc);
}

json_t *
status_collect(struct ctl *c)
{
	json_t *all = json_object(), *queues = json_array();
	size_t i;

	collect_daemons(c, all);
	for (i = 0; i < c->t.queue_count; i++)
		json_array_append_new(queues, collect_queue(c, i));
	json_object_set_new(all, "queues", queues);
	collect_channels(c, all);
	json_object_set_new(all, "spool", json_string(c->t.path));
	return all;
}
