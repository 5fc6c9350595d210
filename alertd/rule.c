/* SPDX-License-Identifier: ISC */
/* Deduplication and resolution. */
#include <stdlib.h>
#include <string.h>

#include "alertd/rule.h"
#include "common/buf.h"
#include "common/clock.h"

void
rule_open(struct rule_table *t)
{
	TAILQ_INIT(&t->entries);
	t->count = 0;
}

void
rule_drop(struct rule_table *t, struct rule_entry *e)
{
	TAILQ_REMOVE(&t->entries, e, link);
	t->count--;
	free(e->type);
	free(e->component);
	free(e->subject);
	free(e->text);
	free(e->queue);
	free(e->id);
	json_decref(e->channels);
	free(e);
}

void
rule_close(struct rule_table *t)
{
	struct rule_entry *e, *next;

	TAILQ_FOREACH_SAFE (e, &t->entries, link, next)
		rule_drop(t, e);
}

struct rule_entry *
rule_find(const struct rule_table *t, const char *type, const char *component,
    const char *subject)
{
	struct rule_entry *e;

	TAILQ_FOREACH (e, &t->entries, link)
		if (strcmp(e->subject, subject) == 0 &&
		    strcmp(e->type, type) == 0 &&
		    strcmp(e->component, component) == 0)
			return e;
	return NULL;
}

static struct rule_entry *
add_entry(struct rule_table *t, const char *type, const char *component,
    const char *subject)
{
	struct rule_entry *e = xcalloc(1, sizeof *e);

	e->type = xstrdup(type);
	e->component = xstrdup(component);
	e->subject = xstrdup(subject);
	e->channels = json_object();
	TAILQ_INSERT_TAIL(&t->entries, e, link);
	t->count++;
	return e;
}

static void
set_text(char **to, const char *from)
{
	free(*to);
	*to = xstrdup(from == NULL ? "" : from);
}

/* The last word about it; the entry becomes the youngest. */
static void
refresh(struct rule_table *t, struct rule_entry *e, const struct alert *a,
    int64_t now_us)
{
	set_text(&e->text, a->text);
	set_text(&e->queue, a->queue);
	set_text(&e->id, a->id);
	e->severity = a->severity;
	e->last_us = now_us;
	e->count++;
	TAILQ_REMOVE(&t->entries, e, link);
	TAILQ_INSERT_TAIL(&t->entries, e, link);
}

/* A clock that was set back must not silence anything. */
static bool
within_dedupe(const struct rule_entry *e, const struct rule_times *when)
{
	int64_t age_us = when->now_us - e->told_us;

	return age_us >= 0 && age_us < when->dedupe_ms * 1000;
}

enum rule_verdict
rule_judge(struct rule_table *t, const struct alert *a,
    const struct rule_times *when, bool told, int64_t *repeats)
{
	struct rule_entry *e = rule_find(t, a->type, a->component, a->subject);
	bool known = e != NULL;

	*repeats = known ? e->suppressed : 0;
	if (a->resolved)
		return known ? RULE_RESOLVE : RULE_IGNORE;
	if (!known) {
		e = add_entry(t, a->type, a->component, a->subject);
		e->first_us = when->now_us;
	}
	refresh(t, e, a, when->now_us);
	if (known && !told && within_dedupe(e, when) &&
	    a->severity <= e->told_severity) {
		e->suppressed++;
		return RULE_SUPPRESS;
	}
	e->suppressed = 0;
	e->told_us = when->now_us;
	e->told_severity = a->severity;
	return RULE_TELL;
}

void
rule_forget(struct rule_table *t, const struct rule_times *when)
{
	struct rule_entry *e, *next;

	TAILQ_FOREACH_SAFE (e, &t->entries, link, next)
		if (t->count > RULE_ENTRIES ||
		    when->now_us - e->last_us > when->forget_ms * 1000)
			rule_drop(t, e);
}

static json_t *
encode_entry(const struct rule_entry *e)
{
	char first[ISO_TIME_SIZE], last[ISO_TIME_SIZE], told[ISO_TIME_SIZE];

	clock_iso(e->first_us, first);
	clock_iso(e->last_us, last);
	clock_iso(e->told_us, told);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,"
			 "s:I,s:O}",
	    "type", e->type, "component", e->component, "subject", e->subject,
	    "severity", alert_severity_name[e->severity], "told_severity",
	    alert_severity_name[e->told_severity], "text", e->text, "queue",
	    e->queue, "id", e->id, "first_at", first, "last_at", last,
	    "told_at", told, "count", (json_int_t)e->count, "suppressed",
	    (json_int_t)e->suppressed, "channels", e->channels);
}

json_t *
rule_encode(const struct rule_table *t)
{
	json_t *list = json_array();
	const struct rule_entry *e;

	TAILQ_FOREACH (e, &t->entries, link)
		(void)json_array_append_new(list, encode_entry(e));
	return list;
}

static int
decode_entry(struct rule_table *t, json_t *o)
{
	const char *type, *component, *subject, *severity, *told_severity;
	const char *text, *queue, *id, *first, *last, *told;
	json_int_t count, suppressed;
	struct rule_entry *e;
	json_t *channels;

	if (json_unpack(o,
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o}",
		"type", &type, "component", &component, "subject", &subject,
		"severity", &severity, "told_severity", &told_severity, "text",
		&text, "queue", &queue, "id", &id, "first_at", &first,
		"last_at", &last, "told_at", &told, "count", &count,
		"suppressed", &suppressed, "channels", &channels) == -1)
		return -1;
	e = add_entry(t, type, component, subject);
	set_text(&e->text, text);
	set_text(&e->queue, queue);
	set_text(&e->id, id);
	e->severity = alert_severity_named(severity, ALERT_INFO);
	e->told_severity = alert_severity_named(told_severity, ALERT_INFO);
	e->count = count;
	e->suppressed = suppressed;
	(void)json_object_update(e->channels, channels);
	if (clock_parse_iso(first, &e->first_us) == -1 ||
	    clock_parse_iso(last, &e->last_us) == -1 ||
	    clock_parse_iso(told, &e->told_us) == -1) {
		rule_drop(t, e);
		return -1;
	}
	return 0;
}

int
rule_decode(struct rule_table *t, const json_t *list)
{
	int lost = 0;
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		if (decode_entry(t, json_array_get(list, i)) == -1)
			lost++;
	return lost;
}
