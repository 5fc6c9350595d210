/* SPDX-License-Identifier: ISC */
/* Queues that are held: executor_hold, and the alerts about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "executor/hold.h"
#include "executor/isolate.h"

#define TOLD "hold.json"
#define TOLD_FORMAT "patchflow-hold-1"
#define FIRST_MS 2000
#define LAST_MS 60000

static const char *const type_name[HOLD__MAX] = {"queue-stuck",
    "workspace-missing"};

void
hold_open(struct executor *ex)
{
	json_t *doc = NULL;

	if (state_load(&ex->state, TOLD, TOLD_FORMAT, &doc) == -1)
		log_warn(TOLD ": not read");
	for (int i = 0; i < HOLD__MAX; i++)
		ex->hold_told[i] =
		    json_is_true(json_object_get(doc, type_name[i]));
	json_decref(doc);
}

static void
save(struct executor *ex)
{
	json_t *doc = json_pack("{s:s}", "format", TOLD_FORMAT);
	bool any = false, saved;

	for (int i = 0; i < HOLD__MAX; i++) {
		any = any || ex->hold_told[i];
		json_object_set_new(doc, type_name[i],
		    json_boolean(ex->hold_told[i]));
	}
	saved = any ? state_save(&ex->state, TOLD, doc) == SPOOL_DONE
		    : state_remove(&ex->state, TOLD) == SPOOL_DONE;
	if (!saved)
		log_warn(TOLD ": not written");
	json_decref(doc);
}

static void
note(struct executor *ex, enum hold_type type, bool is)
{
	if (ex->dry.on || ex->hold_told[type] == is)
		return;
	ex->hold_told[type] = is;
	save(ex);
}

void
hold_note_stuck(struct executor *ex, bool is)
{
	note(ex, HOLD_STUCK, is);
}

static void
tell(struct executor *ex, enum hold_type type, enum alert_severity severity)
{
	const struct alert a = {.type = type_name[type],
	    .component = ex->instance,
	    .subject = ex->q->name,
	    .severity = severity,
	    .queue = ex->q->name,
	    .text = ex->hold};

	note(ex, type, true);
	executor_alert(ex, &a);
	status_write(ex);
}

void
executor_hold(struct executor *ex, const char *fmt, ...)
{
	char text[sizeof(ex->hold)];
	bool news = ex->hold[0] == '\0' || !ex->hold_told[HOLD_STUCK];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	log_warnx("queue held: %s", text);
	strlcpy(ex->hold, text, sizeof(ex->hold));
	ex->trouble = true;
	ex->recovered = false;
	ex->hold_ms = ex->hold_ms == 0 ? FIRST_MS : ex->hold_ms * 2;
	if (ex->hold_ms > LAST_MS)
		ex->hold_ms = LAST_MS;
	loop_after(&ex->loop, &ex->retry, ex->hold_ms);
	if (news)
		tell(ex, HOLD_STUCK, ALERT_CRITICAL);
}

static const char *
want_of(int error)
{
	if (error == ENODEV)
		return UNMOUNTED;
	return error == EWOULDBLOCK ? "another executor uses its staging place"
				    : strerror(error);
}

void
hold_missing(struct executor *ex)
{
	int saved = errno;
	bool news = ex->hold[0] == '\0' || !ex->hold_told[HOLD_MISSING];

	if (snprintf(ex->hold, sizeof(ex->hold),
		"workspace %.120s cannot be used: %s", ex->queue->workspace,
		want_of(saved)) < 0)
		ex->hold[0] = '\0';
	ex->trouble = true;
	loop_after(&ex->loop, &ex->retry, FIRST_MS);
	if (!news)
		return;
	log_warnx("%s", ex->hold);
	tell(ex, HOLD_MISSING, ALERT_ERROR);
}

void
hold_release(struct executor *ex)
{
	struct alert a = {.component = ex->instance,
	    .subject = ex->q->name,
	    .severity = ALERT_INFO,
	    .queue = ex->q->name,
	    .text = "the queue goes on",
	    .resolved = true};
	bool any = false;

	for (int i = 0; i < HOLD__MAX; i++) {
		if (!ex->hold_told[i])
			continue;
		a.type = type_name[i];
		executor_alert(ex, &a);
		any = true;
	}
	if (!any)
		return;
	memset(ex->hold_told, 0, sizeof(ex->hold_told));
	save(ex);
	log_info("queue goes on");
}
