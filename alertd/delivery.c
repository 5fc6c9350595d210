/* SPDX-License-Identifier: ISC */
/*
 * One delivery: a checked file state/alertd/deliveries/ALERT@CHANNEL.json.
 * It holds the message too, so that every attempt sends the same words.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/log.h"
#include "common/text.h"

const char *const delivery_state_name[DELIVERY__STATES] = {
    [DELIVERY_QUEUED] = "queued",
    [DELIVERY_SENDING] = "sending",
    [DELIVERY_CONFIRMED] = "confirmed",
    [DELIVERY_AMBIGUOUS] = "ambiguous",
    [DELIVERY_DEFERRED] = "deferred",
    [DELIVERY_DEAD] = "dead",
};

bool
delivery_open_state(enum delivery_state s)
{
	return s != DELIVERY_CONFIRMED && s != DELIVERY_DEAD;
}

void
delivery_file(const char *alert, const struct channel *c,
    char out[DELIVERY_NAME_SIZE])
{
	size_t stem = strlen(alert);

	if (stem > 5 && strcmp(alert + stem - 5, ".json") == 0)
		stem -= 5;
	(void)snprintf(out, DELIVERY_NAME_SIZE, "%.*s@%s.json", (int)stem,
	    alert, c->name);
}

/* The same for all attempts, also after a restart. */
static void
make_id(const char *alert, const struct channel *c, char out[DELIVERY_ID_SIZE])
{
	char name[DELIVERY_NAME_SIZE];
	char sha[DIGEST_SIZE];

	delivery_file(alert, c, name);
	digest_bytes(name, strlen(name), sha);
	(void)strlcpy(out, sha, DELIVERY_ID_SIZE);
}

struct delivery *
delivery_new(struct alertd *a, struct channel *c, const char *alert,
    json_t *message)
{
	struct delivery *d = xcalloc(1, sizeof *d);

	(void)a;
	d->channel = c;
	(void)strlcpy(d->alert, alert, sizeof d->alert);
	make_id(alert, c, d->id);
	d->state = DELIVERY_QUEUED;
	d->first_us = clock_wall_us();
	d->severity = alert_severity_named(
	    json_string_value(json_object_get(message, "severity")),
	    ALERT_ERROR);
	d->message = json_incref(message);
	return d;
}

void
delivery_free(struct delivery *d)
{
	if (d == NULL)
		return;
	json_decref(d->message);
	free(d);
}

static json_t *
encode(const struct delivery *d)
{
	char first[ISO_TIME_SIZE], next[ISO_TIME_SIZE];
	int64_t wait_ms = d->next_ms - clock_mono_ms();

	clock_iso(d->first_us, first);
	clock_iso(clock_wall_us() + (wait_ms > 0 ? wait_ms * 1000 : 0), next);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:b,s:o,s:O}",
	    "format", DELIVERY_FORMAT, "delivery_id", d->id, "alert", d->alert,
	    "channel", d->channel->settings->name, "state",
	    delivery_state_name[d->state], "attempts", d->attempts, "first_at",
	    first, "next_at", next, "held", d->held, "repeat", d->repeat,
	    "error", text_json(d->error), "message", d->message);
}

bool
delivery_store(struct alertd *a, const struct delivery *d)
{
	char name[DELIVERY_NAME_SIZE];
	enum spool_answer answer;
	json_t *doc = encode(d);

	delivery_file(d->alert, d->channel, name);
	if (doc == NULL)
		return false;
	answer = spool_replace_json(a->state.tmp, a->deliveries, name, doc);
	if (answer == SPOOL_REFUSED && reserve_spend(&a->reserve, errno))
		answer =
		    spool_replace_json(a->state.tmp, a->deliveries, name, doc);
	json_decref(doc);
	if (answer != SPOOL_DONE)
		log_warn("%s: delivery state not written", name);
	return answer == SPOOL_DONE;
}

static enum delivery_state
state_named(const char *name)
{
	int i;

	for (i = 0; i < DELIVERY__STATES; i++)
		if (strcmp(delivery_state_name[i], name) == 0)
			return (enum delivery_state)i;
	return DELIVERY_AMBIGUOUS;
}

/*
 * A stored time is wall clock. It counts for what is left of it, at most the
 * longest pause there is: a clock that jumped must not hold an alert back.
 */
static int64_t
monotonic_of(const char *iso)
{
	int64_t at_us, wait_ms;

	if (clock_parse_iso(iso, &at_us) == -1)
		return 0;
	wait_ms = (at_us - clock_wall_us()) / 1000;
	if (wait_ms <= 0)
		return 0;
	if (wait_ms > RETRY_AFTER_MAX_MS)
		wait_ms = RETRY_AFTER_MAX_MS;
	return clock_mono_ms() + wait_ms;
}

static struct delivery *
decode(struct alertd *a, struct channel *c, const char *alert, json_t *doc)
{
	const char *state, *first, *next, *error, *format;
	struct delivery *d;
	json_t *message;
	int attempts, held, repeat;

	if (json_unpack(doc, "{s:s,s:s,s:i,s:s,s:s,s:b,s:b,s:s,s:o}", "format",
		&format, "state", &state, "attempts", &attempts, "first_at",
		&first, "next_at", &next, "held", &held, "repeat", &repeat,
		"error", &error, "message", &message) == -1 ||
	    strcmp(format, DELIVERY_FORMAT) != 0)
		return NULL;
	d = delivery_new(a, c, alert, message);
	d->state = state_named(state);
	d->attempts = attempts;
	d->held = held != 0;
	d->repeat = repeat != 0;
	d->next_ms = monotonic_of(next);
	(void)clock_parse_iso(first, &d->first_us);
	(void)strlcpy(d->error, error, sizeof d->error);
	return d;
}

int
delivery_load(struct alertd *a, struct channel *c, const char *alert,
    struct delivery **d)
{
	char name[DELIVERY_NAME_SIZE];
	json_t *doc = NULL;
	int r;

	*d = NULL;
	delivery_file(alert, c, name);
	r = spool_read_json(a->deliveries, name, &doc);
	if (r == 1) {
		*d = decode(a, c, alert, doc);
		json_decref(doc);
		if (*d != NULL)
			return 1;
		errno = EBADMSG;
		r = -1;
	}
	/* What was damaged is told anew: twice is better than never. */
	if (r == -1 && (errno == EBADMSG || errno == ENOMSG))
		r = tree_set_aside(a->tree, a->deliveries, "deliveries",
			name) == SPOOL_DONE
			? 0
			: -1;
	return r;
}
