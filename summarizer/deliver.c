/* SPDX-License-Identifier: ISC */
/*
 * Which summary goes where, and when it is tried again. A destination that is
 * not well is left alone until its time; the others go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alert.h"
#include "common/clock.h"
#include "common/log.h"
#include "summarizer/summarizer.h"

#define BACKOFF_MAX_MS (15 * 60 * 1000)
/* Giving up takes this many failed attempts as well as the time: a clock that
 * jumps must not end a delivery. */
#define GIVE_UP_ATTEMPTS 3

void
deliver_open(struct summarizer *s)
{
	const struct summary_settings *set = &s->settings->summaries;
	size_t i;

	s->destination_count = set->destination_count;
	s->destinations =
	    xcalloc(s->destination_count + 1, sizeof *s->destinations);
	for (i = 0; i < s->destination_count; i++) {
		struct destination *d = &s->destinations[i];

		d->settings = &set->destinations[i];
		d->name = d->settings->name;
	}
}

void
deliver_close(struct summarizer *s)
{
	size_t i;

	for (i = 0; i < s->destination_count; i++)
		reply_forget(&s->destinations[i].reply);
	free(s->destinations);
	s->destinations = NULL;
	s->destination_count = 0;
}

static enum delivery
attempt(struct destination *d, struct parcel *p)
{
	p->where[0] = p->why[0] = '\0';
	if (strcmp(d->settings->type, "append") == 0)
		return reply_append(d, p);
	return place_directory(d, p);
}

static void
alert_delivery(struct summarizer *s, const struct parcel *p,
    const char *destination, enum alert_severity severity)
{
	char *subject = xasprintf("%s@%s", p->name, p->queue->name);
	char *text = xasprintf("summary %s of queue %s was not delivered to "
			       "%s: %s",
	    p->name, p->queue->name, destination, p->why);

	summarizer_alert(s,
	    &(struct alert){.type = "delivery-failed",
		.component = "summarizer",
		.subject = subject,
		.severity = severity,
		.text = text,
		.queue = p->queue->name,
		.id = json_string_value(json_object_get(p->front, "id"))});
	free(subject);
	free(text);
}

/* Doubling from summaries.retry; one failure is logged, not each. */
static void
postpone(struct summarizer *s, struct destination *d, const char *why)
{
	int64_t delay = s->settings->summaries.retry;
	int i;

	for (i = 0; i < d->failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	d->next_ms = clock_mono_ms() + delay;
	if (d->failures++ == 0)
		log_warnx("%s: delivery deferred, %s", d->name, why);
}

/* The word for the receipt after an attempt that did not come about. failed:
 * so many of the destination had before it, of whatever summaries. */
static const char *
verdict(struct summarizer *s, struct receipt *r, const char *destination,
    int failed)
{
	if ((receipt_attempts(r, destination) + 1 >= GIVE_UP_ATTEMPTS ||
		failed >= GIVE_UP_ATTEMPTS) &&
	    receipt_age_ms(r, destination) >= s->settings->summaries.give_up)
		return "failed";
	return "deferred";
}

/*
 * While a destination is not well, one summary is tried each time and the
 * others wait for it. Their time runs all the same, and when it is over they
 * have their attempt at once: else the last one's would begin when the first
 * one had been given up.
 */
static bool
must_wait(struct summarizer *s, const struct destination *d, struct receipt *r)
{
	if (d->next_ms <= clock_mono_ms())
		return false;
	receipt_begin(r, d->name);
	return d->failures < GIVE_UP_ATTEMPTS ||
	       receipt_age_ms(r, d->name) < s->settings->summaries.give_up;
}

static void
deliver_to(struct summarizer *s, struct destination *d, struct parcel *p,
    struct receipt *r)
{
	enum delivery answer;
	const char *state;

	if (receipt_settled(r, d->name) || receipt_failed(r, d->name) ||
	    must_wait(s, d, r))
		return;
	answer = attempt(d, p);
	if (answer == DELIVERED) {
		d->failures = 0;
		d->next_ms = 0;
		receipt_note(r, d->name, "confirmed", p);
		log_info("%s@%s: delivered to %s", p->name, p->queue->name,
		    d->name);
		return;
	}
	state =
	    answer == REFUSED ? "failed" : verdict(s, r, d->name, d->failures);
	receipt_note(r, d->name, state, p);
	if (answer == LATER)
		postpone(s, d, p->why);
	if (strcmp(state, "failed") == 0)
		alert_delivery(s, p, d->name, ALERT_ERROR);
}

/* The patch's own wish never holds up the delivery: at the end it is
 * "refused" with an alert. */
static void
deliver_copy(struct summarizer *s, struct parcel *p, struct receipt *r)
{
	enum delivery answer;

	if (json_object_get(p->front, "copy") == NULL ||
	    receipt_settled(r, COPY_NAME))
		return;
	p->where[0] = p->why[0] = '\0';
	answer = copy_make(s, p);
	if (answer == DELIVERED) {
		receipt_note(r, COPY_NAME, "confirmed", p);
		return;
	}
	if (answer == LATER &&
	    strcmp(verdict(s, r, COPY_NAME, 0), "deferred") == 0) {
		receipt_note(r, COPY_NAME, "deferred", p);
		return;
	}
	receipt_note(r, COPY_NAME, "refused", p);
	alert_delivery(s, p, COPY_NAME, ALERT_WARNING);
}

static bool
all_settled(const struct summarizer *s, const struct parcel *p,
    const struct receipt *r, bool *failed)
{
	bool settled = json_object_get(p->front, "copy") == NULL ||
		       receipt_settled(r, COPY_NAME);
	size_t i;

	*failed = false;
	for (i = 0; i < s->destination_count; i++) {
		const char *name = s->destinations[i].name;

		if (receipt_failed(r, name))
			*failed = true;
		else if (!receipt_settled(r, name))
			settled = false;
	}
	return settled;
}

/* Out of summaries/, once every destination has its answer. */
static void
conclude(struct summarizer *s, struct parcel *p, struct receipt *r)
{
	enum spool_answer answer;
	bool failed;

	if (!all_settled(s, p, r, &failed)) {
		s->waiting++;
		return;
	}
	if (s->destination_count == 0)
		return;
	answer = spool_move(p->queue->summaries[S_READY], p->name,
	    p->queue->summaries[failed ? S_FAILED : S_COMPLETED], NULL);
	if (answer != SPOOL_DONE) {
		log_warn("%s: not moved on", p->name);
		s->waiting++;
		return;
	}
	journal_write(&s->journal, failed ? "delivery-failed" : "delivered",
	    json_pack("{s:O*,s:s,s:O*,s:s}", "id",
		json_object_get(p->front, "id"), "queue", p->queue->name,
		"attempt", json_object_get(p->front, "attempt"), "summary",
		p->name));
	s->work++;
}

/* A summary that lies here again after it was given up was put back by a
 * person: its failed destinations start anew. While another one is still
 * tried it has not been anywhere else, and what failed stays failed. */
static void
begin_again(struct summarizer *s, struct receipt *r)
{
	json_t *rows = json_object_get(r->doc, "destinations");
	size_t i;

	/* One that was configured since has no row, and is not tried yet. */
	if (receipt_waits(r, COPY_NAME))
		return;
	for (i = 0; i < s->destination_count; i++)
		if (receipt_waits(r, s->destinations[i].name))
			return;
	for (i = 0; i < s->destination_count; i++)
		if (receipt_failed(r, s->destinations[i].name) &&
		    json_object_del(rows, s->destinations[i].name) == 0)
			r->changed = true;
}

static void
deliver_parcel(struct summarizer *s, struct parcel *p)
{
	struct receipt r;
	size_t i;

	if (receipt_load(s, p, &r) == -1) {
		log_warn("%s: receipt not read", p->name);
		s->waiting++;
		return;
	}
	begin_again(s, &r);
	for (i = 0; i < s->destination_count; i++)
		deliver_to(s, &s->destinations[i], p, &r);
	deliver_copy(s, p, &r);
	if (receipt_store(s, p, &r) == SPOOL_DONE) {
		conclude(s, p, &r);
	} else {
		log_warn("%s: receipt not written", p->name);
		s->waiting++;
	}
	json_decref(r.doc);
}

/* 1 and the parcel; a damaged one is replaced first. */
static int
open_parcel(struct summarizer *s, struct queue_tree *q, const char *name,
    struct parcel *p)
{
	int dir = q->summaries[S_READY];
	int r;

	p->queue = q;
	r = summary_load(dir, name, p);
	if (r != -1 || errno != EBADMSG)
		return r;
	if (publish_set_aside(s, q, dir, name, "checksum") != SPOOL_DONE ||
	    publish_restore(s, q, q->summaries[S_BACKUP], dir, name) !=
		SPOOL_DONE) {
		s->scrub_now = true;
		return -1;
	}
	return summary_load(dir, name, p);
}

void
deliver_summary(struct summarizer *s, struct queue_tree *q, const char *name)
{
	struct parcel p = {0};
	int r = open_parcel(s, q, name, &p);

	if (r == 1)
		deliver_parcel(s, &p);
	if (r == -1) {
		log_warn("%s: summary not read", name);
		s->waiting++;
	}
	parcel_free(&p);
}

static void
deliver_queue(struct summarizer *s, struct queue_tree *q)
{
	struct spool_names names;
	size_t i;

	if (spool_list(q->summaries[S_READY], 0, &names) == -1) {
		log_warn("%s/summaries: not listed", q->name);
		s->waiting++;
		return;
	}
	for (i = 0; i < names.count && !loop_stopping(&s->loop); i++) {
		summarizer_tick(s);
		deliver_summary(s, q, names.names[i]);
	}
	spool_names_free(&names);
}

int64_t
deliver_all(struct summarizer *s)
{
	int64_t next = -1;
	int64_t now;
	size_t i;

	s->waiting = 0;
	for (i = 0; i < s->tree->queue_count; i++)
		deliver_queue(s, &s->tree->queues[i]);
	if (s->waiting == 0)
		return -1;
	now = clock_mono_ms();
	for (i = 0; i < s->destination_count; i++) {
		const struct destination *d = &s->destinations[i];

		if (d->next_ms > now && (next == -1 || d->next_ms - now < next))
			next = d->next_ms - now;
	}
	return next == -1 ? s->settings->summaries.retry : next;
}
