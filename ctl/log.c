/* SPDX-License-Identifier: ISC */
/* log: what the daemons did, merged by time. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "ctl/events.h"
#include "ctl/look.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

#define LINES_DEFAULT 100
#define TAIL_BYTES (1 << 20) /* of each daemon, where no id is asked for */
#define FOLLOW_MS 200

struct log_view {
	struct ctl *c;
	size_t lines; /* 0: all */
	bool follow;
	char id[ID_MAX + 1];
	struct events events;
};

static bool
stands_elsewhere(const char *key)
{
	static const char *const shown[] = {"at", "event", "id", "queue"};
	size_t i;

	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (strcmp(key, shown[i]) == 0)
			return true;
	return false;
}

static void
add_rest(struct buf *line, const json_t *doc)
{
	json_t *copy = json_deep_copy(doc), *v;
	const char *key;
	char *text;

	json_object_foreach (copy, key, v) {
		if (stands_elsewhere(key) || json_is_null(v))
			continue;
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		buf_printf(line, "  %s=%s", key,
		    json_is_string(v) && strchr(text, ' ') == NULL
			? json_string_value(v)
			: text);
		free(text);
	}
	json_decref(copy);
}

static void
print_event(const struct event *e)
{
	const char *id = out_string(e->doc, "id");
	const char *queue = out_string(e->doc, "queue");
	struct buf line = {0};
	char when[32] = "", *clean;
	int64_t at;

	if (clock_parse_iso(out_string(e->doc, "at"), &at) == 0)
		out_time(at, when, sizeof(when));
	buf_printf(&line, "%s  %-15s %-10s", when, e->daemon,
	    out_string(e->doc, "event"));
	if (id[0] != '\0' || queue[0] != '\0')
		buf_printf(&line, " %s%s%s", id, queue[0] != '\0' ? "@" : "",
		    queue);
	add_rest(&line, e->doc);
	clean = table_clean(line.bytes);
	(void)puts(clean);
	free(clean);
	buf_free(&line);
}

static void
print(struct log_view *v)
{
	size_t i = 0;

	events_sort(&v->events);
	if (v->lines > 0 && v->events.count > v->lines)
		i = v->events.count - v->lines;
	for (; i < v->events.count; i++) {
		if (!v->c->json) {
			print_event(&v->events.items[i]);
			continue;
		}
		json_object_set_new(v->events.items[i].doc, "daemon",
		    json_string(v->events.items[i].daemon));
		out_json_line(json_incref(v->events.items[i].doc));
	}
	(void)fflush(stdout);
	events_clear(&v->events);
}

/* A pipe that nobody reads any more ends it now, not with the next event. */
static bool
is_read(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};

	if (poll(&p, 1, 0) != 1 || (p.revents & (POLLERR | POLLHUP)) == 0)
		return true;
	(void)raise(SIGPIPE);
	return false;
}

static int
follow(struct log_view *v, struct events_follow *f)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_MS * 1000000L};
	size_t lines = v->lines;

	v->lines = 0;
	while (events_more(&v->events, v->c->t.journal, f) == 0) {
		print(v);
		if (ferror(stdout) != 0 || !is_read())
			return CTL_FAILED;
		(void)nanosleep(&pause, NULL);
	}
	v->lines = lines;
	ctl_say("journal: %s", strerror(errno));
	return CTL_FAILED;
}

/* A patch that waits may not have met a daemon yet; one that nobody knows is
 * a slip of the one who asks. */
static int
say_nothing(const struct log_view *v)
{
	ctl_say("nothing is logged about \"%s\"", v->id);
	return look_is_known(v->c, v->id) ? CTL_DONE : CTL_FAILED;
}

static int
show(struct log_view *v)
{
	struct events_follow f = {0};
	int status = CTL_DONE;

	/* The ends are noted before the past is read: what comes in between
	 * is shown twice rather than never. */
	if ((v->follow && events_more(&v->events, v->c->t.journal, &f) == -1) ||
	    events_read(&v->events, v->c->t.journal,
		v->events.id == NULL && v->lines <= LINES_DEFAULT ? TAIL_BYTES
								  : 0) == -1) {
		ctl_say("journal: %s", strerror(errno));
		status = CTL_FAILED;
	} else {
		if (v->events.count == 0 && v->events.id != NULL && !v->follow)
			status = say_nothing(v);
		print(v);
		if (v->follow)
			status = follow(v, &f);
	}
	events_follow_free(&f);
	events_clear(&v->events);
	return status;
}

/* ID@QUEUE where QUEUE is one of ours. */
static int
choose(struct log_view *v, const char *ref)
{
	const struct queue_settings *q;
	char queue[QUEUE_MAX + 1];

	if (key_parse_ref(ref, v->id, queue) == -1) {
		ctl_say("\"%s\" cannot be an id", ref);
		return CTL_FAILED;
	}
	q = queue[0] != '\0' ? settings_queue(&v->c->s, queue) : NULL;
	if (q == NULL)
		(void)strlcpy(v->id, ref, sizeof(v->id));
	v->events.id = v->id;
	key_hash8(v->id, v->events.hash8);
	v->events.queue = q != NULL ? q->name : NULL;
	return CTL_DONE;
}

int
run_log(struct ctl *c)
{
	static const struct option words[] = {
	    {"follow", no_argument, NULL, 'f'},
	    {"lines", required_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	struct log_view v = {.c = c};
	int opt, status;

	while ((opt = ctl_option(c, "fn:", words)) != -1)
		if (opt == 'f')
			v.follow = true;
		else if (opt != 'n' || (v.lines = ctl_count(optarg)) == 0)
			return CTL_USAGE;
	if (c->argc > 1)
		return CTL_USAGE;
	if (v.lines == 0 && c->argc == 0)
		v.lines = LINES_DEFAULT;
	status = ctl_open(c);
	if (status == 0 && c->argc == 1)
		status = choose(&v, c->argv[0]);
	return status == 0 ? show(&v) : status;
}
