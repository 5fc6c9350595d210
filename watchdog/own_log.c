/* SPDX-License-Identifier: ISC */
/* The supervisor's lines, bounded by their cause. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/own_log.h"
#include "watchdog/watchdog.h"

#define FNV_START UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* Of a line without its time: its letters are the cause. */
static uint64_t
hash_of(const char *text, size_t len)
{
	uint64_t hash = FNV_START;
	size_t i;

	for (i = 0; i < len; i++)
		if (!isdigit((unsigned char)text[i]))
			hash = (hash ^ (unsigned char)text[i]) * FNV_PRIME;
	return hash != 0 ? hash : 1;
}

static bool
is_over(const struct cause *c, int64_t now)
{
	return c->hash == 0 || now - c->since_ms >= OWN_LOG_MINUTE_MS;
}

/* Its place, a free one, or that of the oldest: what it kept back goes with
 * it, but there are more causes then than anybody can read. */
static struct cause *
find(struct own_log *o, uint64_t hash, int64_t now)
{
	struct cause *best = &o->causes[0];
	size_t i;

	for (i = 0; i < OWN_LOG_CAUSES; i++) {
		struct cause *c = &o->causes[i];

		if (c->hash == hash)
			return c;
		if (is_over(best, now) && best->more == 0)
			continue;
		if ((is_over(c, now) && c->more == 0) ||
		    c->since_ms < best->since_ms)
			best = c;
	}
	best->hash = 0;
	return best;
}

static bool
is_too_much(struct own_log *o, const char *text, size_t len)
{
	uint64_t hash = hash_of(text, len);
	int64_t now = clock_mono_ms();
	struct cause *c = find(o, hash, now);
	bool warning = strncmp(text, "watchdog warn: ", 15) == 0;

	if (c->hash == 0 || (is_over(c, now) && c->more == 0)) {
		*c = (struct cause){.hash = hash, .since_ms = now};
		(void)snprintf(c->text, sizeof c->text, "%.*s", (int)len, text);
		c->text[strcspn(c->text, "\n")] = '\0';
	}
	if (c->lines++ < (warning ? OWN_LOG_WARNINGS : OWN_LOG_OTHERS))
		return false;
	c->more++;
	return true;
}

/* What kills the supervisor is always told, and so is what somebody asked for
 * with -v. */
static bool
is_bounded(const char *text)
{
	return strncmp(text, "watchdog fatal: ", 16) != 0 &&
	       strncmp(text, "watchdog debug: ", 16) != 0;
}

static bool
take(void *arg, const char *line, size_t len)
{
	struct watchdog *w = arg;
	const char *text = memchr(line, ' ', len);

	if (text++ != NULL && is_bounded(text) &&
	    is_too_much(&w->own_log, text, len - (size_t)(text - line)))
		return true;
	return collector_take(&w->logs.collector, "watchdog", line, len) ||
	       (w->logs.dir != -1 && writer_log(w, "watchdog", line, len));
}

void
own_log_open(struct watchdog *w)
{
	log_divert(take, w);
}

static void
sum_up(struct own_log *o)
{
	int64_t now = clock_mono_ms();
	size_t i;

	for (i = 0; i < OWN_LOG_CAUSES; i++) {
		struct cause *c = &o->causes[i], was = *c;

		if (!is_over(c, now) || was.more == 0)
			continue;
		c->hash = 0;
		c->more = 0;
		log_info("log: %u more lines like \"%s\"", was.more, was.text);
	}
}

static void
tell_of_collector(struct watchdog *w)
{
	const struct collector *c = &w->logs.collector;
	int error = c->error;

	if (error == w->own_log.collector_error)
		return;
	w->own_log.collector_error = error;
	if (error == 0)
		log_info("log: %s takes lines again", c->path);
	else
		log_warnx("log: %s takes no lines, %s: they go to %s", c->path,
		    strerror(error),
		    w->logs.dir != -1 ? "the files" : "standard error");
}

void
own_log_pulse(struct watchdog *w)
{
	sum_up(&w->own_log);
	tell_of_collector(w);
}
