/* SPDX-License-Identifier: ISC */
/*
 * state/watchdog/memory.json: {format, held[], incidents[], restarts{},
 * last{}, troubles[], running, died}. Lost or broken it costs nothing but
 * memory: everybody is started, and troubles that still hold are told again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "watchdog/watchdog.h"

#define MEMORY_FILE "memory.json"
#define MEMORY_FORMAT "patchflow-watchdog-1"

static bool
lists(const json_t *array, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (array, i, item)
		if (json_is_string(item) &&
		    strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

static void
recall_last(struct service *s, json_t *last)
{
	const char *reason;
	json_int_t at;

	if (json_unpack(last, "{s:s, s:i, s:i, s:I}", "reason", &reason, "code",
		&s->last.code, "signal", &s->last.signal, "at", &at) == -1)
		return;
	(void)strlcpy(s->last.reason, reason, sizeof s->last.reason);
	s->last.at_us = at;
}

static void
recall_service(struct service *s, const json_t *doc)
{
	const json_t *restarts = json_object_get(doc, "restarts");
	json_int_t n = json_integer_value(json_object_get(restarts, s->name));

	s->held = lists(json_object_get(doc, "held"), s->name);
	s->fsm.incident = lists(json_object_get(doc, "incidents"), s->name);
	s->told_degraded = s->fsm.incident; /* which of the two is not kept */
	s->restarts = n > 0 ? (uint64_t)n : 0;
	recall_last(s, json_object_get(json_object_get(doc, "last"), s->name));
}

static void
recall_troubles(struct watchdog *w, const json_t *troubles)
{
	const char *type, *subject;
	json_t *item;
	size_t i;

	json_array_foreach (troubles, i, item)
		if (json_unpack(item, "[ss]", &type, &subject) == 0)
			check_recall(&w->check, type, subject);
}

/* One that went in order says so last of all. */
static void
recall_end(struct watchdog *w, const json_t *doc)
{
	json_int_t n = json_integer_value(json_object_get(doc, "died"));

	w->died = n > 0 ? (uint64_t)n : 0;
	if (!json_is_true(json_object_get(doc, "running")))
		return;
	w->died++;
	log_warnx("watchdog: the one before did not end by itself");
}

int
memory_load(struct watchdog *w)
{
	struct service *s;
	json_t *doc = NULL;

	if (state_open(&w->state, w->tree, "watchdog") == -1)
		return -1;
	switch (state_load(&w->state, MEMORY_FILE, MEMORY_FORMAT, &doc)) {
	case 0:
		return 0;
	case 1:
		break;
	default:
		log_warn("state/watchdog/%s: not read, begins anew",
		    MEMORY_FILE);
		return 0;
	}
	/* What an earlier image of ours handed over is newer than the file. */
	TAILQ_FOREACH (s, &w->services, link)
		if (!s->adopted)
			recall_service(s, doc);
	if (w->past == NULL) {
		recall_troubles(w, json_object_get(doc, "troubles"));
		recall_end(w, doc);
	}
	json_decref(doc);
	return 0;
}

/* Takes item; a part that runs out of memory fails the whole save. */
static bool
add(json_t *array, json_t *item)
{
	return json_array_append_new(array, item) == 0;
}

static bool
remember_service(const struct service *s, const json_t *doc)
{
	json_t *last = json_pack("{s:s, s:i, s:i, s:I}", "reason",
	    s->last.reason, "code", s->last.code, "signal", s->last.signal,
	    "at", (json_int_t)s->last.at_us);

	return (!s->held ||
		   add(json_object_get(doc, "held"), json_string(s->name))) &&
	       (!s->fsm.incident || add(json_object_get(doc, "incidents"),
					json_string(s->name))) &&
	       json_object_set_new(json_object_get(doc, "restarts"), s->name,
		   json_integer((json_int_t)s->restarts)) == 0 &&
	       json_object_set_new(json_object_get(doc, "last"), s->name,
		   last) == 0;
}

static json_t *
encode(struct watchdog *w)
{
	json_t *doc = json_pack("{s:s, s:[], s:[], s:{}, s:{}, s:o, s:b, s:I}",
	    "format", MEMORY_FORMAT, "held", "incidents", "restarts", "last",
	    "troubles", check_troubles(&w->check), "running", !w->closing,
	    "died", (json_int_t)w->died);
	const struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (doc != NULL && !s->going && !remember_service(s, doc)) {
			json_decref(doc);
			doc = NULL;
		}
	return doc;
}

int
memory_save(struct watchdog *w)
{
	json_t *doc = encode(w);
	char *text = doc != NULL ? json_dumps(doc, JSON_COMPACT) : NULL;
	bool put =
	    text != NULL && writer_put(w, WRITER_MEMORY, text, strlen(text));

	free(text);
	json_decref(doc);
	if (put)
		return 0;
	log_warnx("state/watchdog/%s: not saved", MEMORY_FILE);
	return -1;
}

int
memory_write(struct watchdog *w, const char *text, size_t len)
{
	json_t *doc = json_loadb(text, len, 0, NULL);
	enum spool_answer a = SPOOL_REFUSED;

	errno = ENOMEM;
	if (doc != NULL)
		a = state_save(&w->state, MEMORY_FILE, doc);
	json_decref(doc);
	if (a == SPOOL_DONE)
		return 0;
	log_warn("state/watchdog/%s: not saved", MEMORY_FILE);
	return -1;
}
