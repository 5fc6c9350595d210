/* SPDX-License-Identifier: ISC */
/* What `patchflow status` shows: only what is known now, and why. */
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/version.h"
#include "watchdog/watchdog.h"

static json_t *
iso(int64_t wall_us)
{
	char text[ISO_TIME_SIZE];

	if (wall_us == 0)
		return json_null();
	clock_iso(wall_us, text);
	return json_string(text);
}

static json_t *
last_exit(const struct service *s)
{
	if (s->last.at_us == 0)
		return json_null();
	return json_pack("{s:s, s:i, s:i, s:o}", "reason", s->last.reason,
	    "code", s->last.code, "signal", s->last.signal, "at",
	    iso(s->last.at_us));
}

/* Milliseconds, or null where there is nothing to count from or to. */
static json_t *
span(bool known, int64_t ms)
{
	return known ? json_integer(ms > 0 ? ms : 0) : json_null();
}

static json_t *
describe(const struct service *s, int64_t now)
{
	const struct fsm *f = &s->fsm;
	bool dated = !f->alive && f->wanted && f->deadline_ms != 0;
	char why[SERVICE_WHY];

	service_why(s, why, sizeof why);
	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:b, s:o, s:s, s:I, s:I, "
			 "s:o, s:o, s:s, s:b, s:b, s:o, s:o}",
	    "name", s->name, "state", fsm_state_word[f->state], "pid",
	    f->alive ? json_integer(s->pid) : json_null(), "uptime_ms",
	    span(f->alive, now - f->started_ms), "restarts",
	    (json_int_t)s->restarts, "ready", f->state == FSM_READY,
	    "beat_age_ms", span(f->alive && s->beat_ms != 0, now - s->beat_ms),
	    "status", s->status, "work", (json_int_t)s->work, "busy_ms",
	    (json_int_t)s->busy_ms, "last_exit", last_exit(s),
	    "next_attempt_ms", span(dated, f->deadline_ms - now),
	    "why_not_running", why, "incident", f->incident, "degraded",
	    f->degraded, "usage", usage_json(s), "limits",
	    limits_json(settings_daemon(s->owner->settings, s->name),
		&s->limits));
}

static json_t *
logs(const struct watchdog *w)
{
	const struct collector *c = &w->logs.collector;

	return json_pack("{s:s, s:s}", "to",
	    w->opts->foreground ? "stderr" : w->settings->logs.to, "trouble",
	    c->error != 0 ? strerror(c->error) : "");
}

json_t *
status_json(struct watchdog *w)
{
	int64_t now = clock_mono_ms();
	json_t *daemons = json_array();
	const struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (json_array_append_new(daemons, describe(s, now)) == -1) {
			json_decref(daemons);
			return NULL;
		}
	return json_pack(
	    "{s:b, s:{s:I, s:o, s:I, s:s, s:b, s:I, s:I, s:I, s:I, s:s, "
	    "s:o, s:o}, "
	    "s:o}",
	    "ok", 1, "watchdog", "pid", (json_int_t)getpid(), "since",
	    iso(w->since_us), "uptime_ms", now - w->since_ms, "version",
	    PATCHFLOW_VERSION, "going_down", w->going_down, "died",
	    (json_int_t)w->died, "late", (json_int_t)w->late, "slowest_turn_ms",
	    (json_int_t)w->loop.slowest_ms, "upgrades",
	    (json_int_t)w->upgrade.count, "upgrade_refused", w->upgrade.refused,
	    "logs", logs(w), "records", writer_json(w), "daemons", daemons);
}
