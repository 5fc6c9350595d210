/* SPDX-License-Identifier: ISC */
/*
 * What each destination said about a summary: a checked file
 * state/summarizer/receipts/QUEUE@SUMMARY.json, written before the summary
 * is moved. Lost, it is made again: every destination is searched first.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/text.h"
#include "summarizer/summarizer.h"

#define RECEIPT_NAME (NAME_SIZE + QUEUE_MAX + 8)

static void
receipt_name(const struct queue_tree *q, const char *summary,
    char out[RECEIPT_NAME])
{
	(void)snprintf(out, RECEIPT_NAME, "%s@%s.json", q->name, summary);
}

static json_t *
fresh(const struct parcel *p)
{
	char sha[DIGEST_SIZE];

	digest_bytes(p->bytes, p->len, sha);
	return json_pack("{s:s,s:s,s:s,s:O*,s:O*,s:s,s:{}}", "format",
	    RECEIPT_FORMAT, "queue", p->queue->name, "summary", p->name, "id",
	    json_object_get(p->front, "id"), "attempt",
	    json_object_get(p->front, "attempt"), "sha256", sha,
	    "destinations");
}

int
receipt_load(struct summarizer *s, const struct parcel *p, struct receipt *r)
{
	char name[RECEIPT_NAME];
	int got;

	r->doc = NULL;
	r->changed = false;
	receipt_name(p->queue, p->name, name);
	got = spool_read_json(s->receipts, name, &r->doc);
	if (got == -1 && errno != EBADMSG && errno != ENOMSG)
		return -1;
	if (got == -1 && tree_set_aside(s->tree, s->receipts, "receipts",
			     name) != SPOOL_DONE)
		return -1;
	if (got == 1 && json_is_object(json_object_get(r->doc, "destinations")))
		return 0;
	json_decref(got == 1 ? r->doc : NULL);
	r->doc = fresh(p);
	return r->doc == NULL ? -1 : 0;
}

enum spool_answer
receipt_store(struct summarizer *s, const struct parcel *p, struct receipt *r)
{
	char name[RECEIPT_NAME];
	enum spool_answer answer = SPOOL_DONE;

	receipt_name(p->queue, p->name, name);
	if (r->changed)
		answer =
		    spool_replace_json(s->state.tmp, s->receipts, name, r->doc);
	if (answer == SPOOL_REFUSED && reserve_spend(&s->reserve, errno))
		answer =
		    spool_replace_json(s->state.tmp, s->receipts, name, r->doc);
	if (answer == SPOOL_DONE)
		r->changed = false;
	return answer;
}

enum spool_answer
receipt_remove(struct summarizer *s, const struct queue_tree *q,
    const char *name)
{
	char file[RECEIPT_NAME];

	receipt_name(q, name, file);
	return spool_remove(s->receipts, file);
}

static json_t *
row_of(const struct receipt *r, const char *destination)
{
	return json_object_get(json_object_get(r->doc, "destinations"),
	    destination);
}

static const char *
state_of(const struct receipt *r, const char *destination)
{
	const char *state =
	    json_string_value(json_object_get(row_of(r, destination), "state"));

	return state == NULL ? "" : state;
}

bool
receipt_settled(const struct receipt *r, const char *destination)
{
	const char *state = state_of(r, destination);

	return strcmp(state, "confirmed") == 0 || strcmp(state, "refused") == 0;
}

bool
receipt_failed(const struct receipt *r, const char *destination)
{
	return strcmp(state_of(r, destination), "failed") == 0;
}

bool
receipt_waits(const struct receipt *r, const char *destination)
{
	return strcmp(state_of(r, destination), "deferred") == 0;
}

int
receipt_attempts(const struct receipt *r, const char *destination)
{
	return (int)json_integer_value(
	    json_object_get(row_of(r, destination), "attempts"));
}

/* Since the first attempt; a clock that was set back counts as now. */
int64_t
receipt_age_ms(struct receipt *r, const char *destination)
{
	const char *first = json_string_value(
	    json_object_get(row_of(r, destination), "first_at"));
	int64_t now = clock_wall_us();
	int64_t at;

	if (first == NULL || clock_parse_iso(first, &at) == -1 || at > now)
		return 0;
	return (now - at) / 1000;
}

static void
set_row(struct receipt *r, const char *destination, json_t *row)
{
	if (json_object_set_new(json_object_get(r->doc, "destinations"),
		destination, row) == 0)
		r->changed = true;
}

void
receipt_begin(struct receipt *r, const char *destination)
{
	char now[ISO_TIME_SIZE];

	if (row_of(r, destination) != NULL)
		return;
	clock_iso(clock_wall_us(), now);
	set_row(r, destination,
	    json_pack("{s:s,s:i,s:s,s:s}", "state", "deferred", "attempts", 0,
		"first_at", now, "last_at", now));
}

void
receipt_note(struct receipt *r, const char *destination, const char *state,
    const struct parcel *p)
{
	char now[ISO_TIME_SIZE];
	const char *first = json_string_value(
	    json_object_get(row_of(r, destination), "first_at"));
	json_t *row;

	clock_iso(clock_wall_us(), now);
	row = json_pack("{s:s,s:i,s:s,s:s}", "state", state, "attempts",
	    receipt_attempts(r, destination) + 1, "first_at",
	    first == NULL ? now : first, "last_at", now);
	if (p->where[0] != '\0')
		(void)json_object_set_new(row, "where", text_json(p->where));
	if (p->why[0] != '\0')
		(void)json_object_set_new(row, "error", text_json(p->why));
	set_row(r, destination, row);
}
