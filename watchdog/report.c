/* SPDX-License-Identifier: ISC */
/* Incidents, not events: one alert when a daemon first dies, one when it is
 * given only probes, one when it has been well for a while. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

struct alert
report_alert_of(const struct report_entry *e)
{
	return (struct alert){
	    .type = e->type,
	    .component = "watchdog",
	    .subject = e->subject,
	    .severity = e->severity,
	    .text = e->text,
	    .queue = e->queue[0] != '\0' ? e->queue : NULL,
	    .resolved = e->resolved,
	};
}

static bool
raise_one(struct watchdog *w, const struct report_entry *e)
{
	struct writer_alert a = {.at_us = clock_wall_us(), .entry = *e};

	return writer_put(w, WRITER_ALERT, &a, sizeof a);
}

/* A newer word about the same thing replaces the owed one. */
static void
owe(struct report *r, const struct report_entry *e)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (strcmp(r->owed[i].type, e->type) == 0 &&
		    strcmp(r->owed[i].subject, e->subject) == 0)
			break;
	if (i == REPORT_OWED) {
		log_warnx("%s: alert given up, too many are owed: %s",
		    e->subject, e->text);
		return;
	}
	if (i == r->count)
		r->count++;
	r->owed[i] = *e;
}

void
report_alert(struct watchdog *w, const struct report_entry *e)
{
	if (e->resolved)
		log_info("%s: %s resolved, %s", e->subject, e->type, e->text);
	else
		log_warnx("%s: %s, %s", e->subject, e->type, e->text);
	fallback_take(w, e);
	if (raise_one(w, e))
		return;
	log_warnx("%s: alert not stored, tried again", e->subject);
	owe(&w->report, e);
}

void
report_take_back(struct watchdog *w)
{
	struct writer_box *b = w->writer.box;
	size_t i;

	for (i = 0; i < WRITER_REFUSED; i++) {
		if (!atomic_load(&b->refused[i]))
			continue;
		owe(&w->report, &b->alerts[i].entry);
		atomic_store(&b->refused[i], false);
	}
}

void
report_retry(struct watchdog *w)
{
	struct report *r = &w->report;
	size_t i, left = 0;

	report_take_back(w);
	for (i = 0; i < r->count; i++)
		if (!raise_one(w, &r->owed[i]))
			r->owed[left++] = r->owed[i];
	r->count = left;
}

static void
describe_exit(const struct service *s, char *out, size_t size)
{
	if (s->last.signal != 0)
		(void)snprintf(out, size, "%s (signal %d, %s)", s->last.reason,
		    s->last.signal, strsignal(s->last.signal));
	else
		(void)snprintf(out, size, "%s (exit %d)", s->last.reason,
		    s->last.code);
}

static struct report_entry
entry(const struct service *s, const char *type, enum alert_severity severity)
{
	struct report_entry e = {.severity = severity};

	(void)strlcpy(e.type, type, sizeof e.type);
	(void)strlcpy(e.subject, s->name, sizeof e.subject);
	(void)strlcpy(e.queue, s->queue, sizeof e.queue);
	return e;
}

static void
report_died(struct service *s)
{
	struct report_entry e = entry(s, "daemon-died", ALERT_WARNING);
	char how[128];

	describe_exit(s, how, sizeof how);
	(void)snprintf(e.text, sizeof e.text,
	    "%s died: %s. It is being restarted; one message follows when it "
	    "has been ready for %d s.",
	    s->name, how, FSM_STABLE_MS / 1000);
	report_alert(s->owner, &e);
}

static void
report_degraded(struct service *s)
{
	struct report_entry e = entry(s, "daemon-degraded", ALERT_ERROR);
	char how[128];

	describe_exit(s, how, sizeof how);
	(void)snprintf(e.text, sizeof e.text,
	    "%s failed %d times within %d s, last: %s. It is tried every "
	    "%d s; `patchflow start %s` tries at once.%s%.120s",
	    s->name, FSM_STRIKES, FSM_STRIKE_WINDOW_MS / 1000, how,
	    FSM_PROBE_MS / 1000, s->name, s->trouble[0] != '\0' ? " " : "",
	    s->trouble);
	report_alert(s->owner, &e);
}

static void
report_operator(struct service *s)
{
	struct report_entry e = entry(s, "daemon-degraded", ALERT_ERROR);

	(void)snprintf(e.text, sizeof e.text,
	    "%s does not accept its configuration (exit %d). It is started "
	    "again when %.160s changes; `patchflow check-config` says what is "
	    "wrong.",
	    s->name, EXIT_BAD_CONFIG, s->owner->settings->path);
	report_alert(s->owner, &e);
}

static void
report_unkillable(struct service *s)
{
	struct report_entry e = entry(s, "daemon-degraded", ALERT_CRITICAL);

	(void)snprintf(e.text, sizeof e.text,
	    "%s (pid %ld) does not die by SIGKILL: the kernel holds it. No "
	    "second one is started beside it.",
	    s->name, (long)s->pid);
	report_alert(s->owner, &e);
}

static void
report_resolved(struct service *s)
{
	struct report_entry e = entry(s, "daemon-died", ALERT_INFO);

	e.resolved = true;
	(void)snprintf(e.text, sizeof e.text, "%s is %s, deaths %" PRIu64,
	    s->name, s->fsm.wanted ? "well again" : "stopped on request",
	    s->incident_deaths);
	report_alert(s->owner, &e);
	if (s->told_degraded) {
		(void)strlcpy(e.type, "daemon-degraded", sizeof e.type);
		report_alert(s->owner, &e);
	}
	s->told_degraded = false;
	s->incident_deaths = 0;
}

void
report_service(struct service *s, unsigned actions)
{
	if ((actions & (FSM_DEGRADE | FSM_OPERATOR | FSM_UNKILLABLE)) != 0)
		s->told_degraded = true;
	if ((actions & FSM_DIED) != 0)
		report_died(s);
	if ((actions & FSM_DEGRADE) != 0)
		report_degraded(s);
	if ((actions & FSM_OPERATOR) != 0)
		report_operator(s);
	if ((actions & FSM_UNKILLABLE) != 0)
		report_unkillable(s);
	if ((actions & FSM_RESOLVE) != 0)
		report_resolved(s);
}

static void
journal(struct service *s, const char *event, json_t *fields)
{
	if (fields != NULL &&
	    json_object_set_new(fields, "daemon", json_string(s->name)) == -1) {
		json_decref(fields);
		fields = NULL;
	}
	writer_journal(s->owner, event, fields);
}

void
report_death(struct service *s)
{
	const struct log_sink *l = &s->log;
	struct writer_death d = {.last = s->last, .tail_used = l->tail_used};

	if (s->last.asked)
		return;
	(void)strlcpy(d.name, s->name, sizeof d.name);
	memcpy(d.tail, l->tail, l->tail_used);
	if (!writer_put(s->owner, WRITER_DEATH, &d,
		offsetof(struct writer_death, tail) + d.tail_used))
		log_warnx("%s: its death is not recorded", s->name);
}

void
report_exit(struct service *s)
{
	char how[128];

	describe_exit(s, how, sizeof how);
	log_info("%s: ended, %s, pid %ld", s->name, how, (long)s->last.pid);
	journal(s, "exit",
	    json_pack("{s:s, s:i, s:i, s:I, s:I}", "reason", s->last.reason,
		"code", s->last.code, "signal", s->last.signal, "pid",
		(json_int_t)s->last.pid, "restarts", (json_int_t)s->restarts));
}

void
report_start(struct service *s)
{
	log_info("%s: started, pid %ld", s->name, (long)s->pid);
	journal(s, "start", json_pack("{s:I}", "pid", (json_int_t)s->pid));
}
