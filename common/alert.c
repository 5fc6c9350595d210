/* SPDX-License-Identifier: ISC */
/* Alerts into the spool. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/alert.h"
#include "common/clock.h"
#include "common/text.h"

#define NAME_PART_MAX 256 /* bytes of type, component, subject and id */

const char *const alert_severity_name[ALERT__MAX] = {
    [ALERT_INFO] = "info",
    [ALERT_WARNING] = "warning",
    [ALERT_ERROR] = "error",
    [ALERT_CRITICAL] = "critical",
};

json_t *
alert_encode(const struct alert *a)
{
	char at[ISO_TIME_SIZE];

	clock_iso(a->at_us != 0 ? a->at_us : clock_wall_us(), at);
	return json_pack("{s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:s,s:I,s:b}",
	    "format", ALERT_FORMAT, "type",
	    text_json_cut(a->type, NAME_PART_MAX), "component",
	    text_json_cut(a->component, NAME_PART_MAX), "subject",
	    text_json_cut(a->subject, NAME_PART_MAX), "severity",
	    alert_severity_name[a->severity], "text",
	    text_json_cut(a->text, ALERT_TEXT_MAX), "queue",
	    text_json_cut(a->queue, NAME_PART_MAX), "id",
	    text_json_cut(a->id, NAME_PART_MAX), "at", at, "uid",
	    (json_int_t)getuid(), "resolved", a->resolved);
}

enum spool_answer
alert_raise(struct tree *t, const struct alert *a)
{
	char name[NAME_SIZE];
	json_t *doc = alert_encode(a);
	enum spool_answer answer;

	spool_unique_name("json", name, sizeof(name));
	answer = tree_put_json(t, t->alerts.dir, name, doc);
	json_decref(doc);
	return answer;
}

static int
severity_of(const char *word)
{
	for (int i = 0; i < ALERT__MAX; i++)
		if (strcmp(alert_severity_name[i], word) == 0)
			return i;
	return -1;
}

enum alert_severity
alert_severity_named(const char *name, enum alert_severity other)
{
	int found = name == NULL ? -1 : severity_of(name);

	return found == -1 ? other : (enum alert_severity)found;
}

static const char *
or_null(const char *s)
{
	return s[0] == '\0' ? NULL : s;
}

int
alert_decode(const json_t *doc, struct alert *a)
{
	const char *format, *severity, *queue, *id, *at;
	struct alert out = {0};
	json_int_t uid;
	int resolved, level;

	/* Jansson's unpack takes no const; it changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)doc, NULL, JSON_STRICT,
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:b}", "format",
		&format, "type", &out.type, "component", &out.component,
		"subject", &out.subject, "severity", &severity, "text",
		&out.text, "queue", &queue, "id", &id, "at", &at, "uid", &uid,
		"resolved", &resolved) == -1 ||
	    strcmp(format, ALERT_FORMAT) != 0 || out.type[0] == '\0' ||
	    (level = severity_of(severity)) == -1) {
		errno = EINVAL;
		return -1;
	}
	out.severity = (enum alert_severity)level;
	out.queue = or_null(queue);
	out.id = or_null(id);
	out.resolved = resolved != 0;
	*a = out;
	return 0;
}
