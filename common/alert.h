/* SPDX-License-Identifier: ISC */
/*
 * Raising an alert: a checked file put into alerts/new, durable before the
 * call returns, so it works with alertd down.
 *   {format, type, component, subject, severity, text, queue, id, at, uid,
 *    resolved}
 * Deduplication (alertd) is over type, component and subject; text may vary.
 */
#ifndef COMMON_ALERT_H
#define COMMON_ALERT_H

#include <stdbool.h>
#include <jansson.h>

#include "common/spool.h"
#include "common/tree.h"

#define ALERT_FORMAT "patchflow-alert-1"
#define ALERT_TEXT_MAX 4096 /* bytes; longer text is cut */

enum alert_severity {
	ALERT_INFO,
	ALERT_WARNING,
	ALERT_ERROR,
	ALERT_CRITICAL,
	ALERT__MAX
};
extern const char *const alert_severity_name[ALERT__MAX];

struct alert {
	const char *type;      /* "patch-failed", "queue-depth", ... */
	const char *component; /* process name: "ghost-bridge" */
	const char *subject;   /* what it is about: a queue, an id, a path */
	enum alert_severity severity;
	const char *text;  /* one or a few lines for people */
	const char *queue; /* or NULL */
	const char *id;    /* or NULL */
	bool resolved;     /* the trouble is over */
	int64_t at_us;     /* when it came up (wall); 0: now */
};

/* other where name, which may be NULL, is none. */
enum alert_severity alert_severity_named(const char *name,
    enum alert_severity other);
enum spool_answer alert_raise(struct tree *t, const struct alert *a);
/* The document as alert_raise writes it. */
json_t *alert_encode(const struct alert *a);
/* Strict; the strings are doc's, queue and id NULL where empty. at (ISO) and
 * uid stay in doc. 0, or -1 EINVAL. */
int alert_decode(const json_t *doc, struct alert *a);

#endif
