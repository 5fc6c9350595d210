/* SPDX-License-Identifier: ISC */
/* Targets to queues: a document is never lost for the name of its target. */
#include <stdlib.h>

#include "bridge/route.h"
#include "common/buf.h"
#include "common/patch.h"

static void
add_queue(struct route *r, const struct queue_settings *q)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->queues[i] == q)
			return;
	r->queues[r->count++] = q;
}

static void
warn_once(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_string(text));
	free(text);
}

static const struct queue_settings *
fallback_queue(const struct settings *set, const char *fallback)
{
	const struct queue_settings *q = NULL;

	if (fallback[0] != '\0')
		q = settings_queue(set, fallback);
	return q != NULL ? q : settings_default_queue(set);
}

static void
add_target(const struct settings *set, const char *target,
    const struct queue_settings *other, json_t *warnings, struct route *r)
{
	const struct queue_settings *q = settings_queue(set, target);

	if (q != NULL) {
		add_queue(r, q);
	} else if (patch_target_is_both(target)) {
		for (size_t i = 0; i < set->queue_count; i++)
			add_queue(r, &set->queues[i]);
	} else {
		warn_once(warnings,
		    xasprintf("target %s is no queue here: taken to %s", target,
			other->name));
		add_queue(r, other);
	}
}

void
route_targets(const struct settings *set, const json_t *targets,
    const char *fallback, json_t *warnings, struct route *out)
{
	const struct queue_settings *other = fallback_queue(set, fallback);
	const json_t *target;
	size_t i;

	out->queues = xcalloc(set->queue_count, sizeof(void *));
	out->count = 0;
	json_array_foreach (targets, i, target)
		if (json_is_string(target))
			add_target(set, json_string_value(target), other,
			    warnings, out);
	if (out->count > 0)
		return;
	warn_once(warnings,
	    xasprintf("no target is named: taken to %s", other->name));
	add_queue(out, other);
}

void
route_free(struct route *r)
{
	free(r->queues);
	r->queues = NULL;
	r->count = 0;
}
