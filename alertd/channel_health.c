/* SPDX-License-Identifier: ISC */
/*
 * A channel that cannot tell is itself something to tell: "channel-failed",
 * to the other channels (intake.c leaves the subject out), when an alert of
 * it is dead or when it has failed for a while, and its end when it works
 * again. Whether it was told is read from the table, which survives restarts.
 */
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define SICK_MS (10 * 60 * 1000) /* or a quarter of alerts.lifetime */

static const char type[] = "channel-failed";
static const char component[] = "alertd";

static void
raise_health(struct alertd *a, const struct channel *c, const char *text,
    bool resolved)
{
	alertd_raise(a, &(struct alert){.type = type,
			    .component = component,
			    .subject = c->settings->name,
			    .severity = ALERT_ERROR,
			    .text = text,
			    .resolved = resolved});
}

bool
health_failing(const struct alertd *a, const struct channel *c)
{
	return c->failures > 0 ||
	       rule_find(&a->table, type, component, c->settings->name) != NULL;
}

/* A dead one of these is logged and shown only: it would go round for ever. */
void
health_dead(struct alertd *a, struct channel *c, const struct delivery *d)
{
	const char *what =
	    json_string_value(json_object_get(d->message, "type"));
	char *text;

	log_warnx("%s: alert is dead, %s, channel %s, %s", d->alert, d->error,
	    c->settings->name, what == NULL ? "" : what);
	if (what != NULL && strcmp(what, type) == 0)
		return;
	text = xasprintf("alert %s could not be delivered to channel %s: %s; "
			 "it lies in alerts/dead",
	    d->alert, c->settings->name, d->error);
	raise_health(a, c, text, false);
	free(text);
}

/* After each failure that is to be tried again. */
void
health_sick(struct alertd *a, struct channel *c)
{
	int64_t limit = a->settings->alerts.lifetime / 4;
	int64_t now = clock_mono_ms();
	char span[64];
	char *text;

	if (limit > SICK_MS)
		limit = SICK_MS;
	if (c->failures == 1) {
		c->sick_ms = now;
		c->told_sick = false;
	}
	if (c->told_sick || now - c->sick_ms < limit)
		return;
	c->told_sick = true;
	clock_human_span(now - c->sick_ms, span, sizeof span);
	text = xasprintf("channel %s has taken nothing for %s, %zu alerts "
			 "wait: %s",
	    c->settings->name, span, c->count, c->last_error);
	log_warnx("%s", text);
	raise_health(a, c, text, false);
	free(text);
}

void
health_well(struct alertd *a, struct channel *c)
{
	c->told_sick = false;
	if (rule_find(&a->table, type, component, c->settings->name) != NULL)
		raise_health(a, c, "the channel works again", true);
}
