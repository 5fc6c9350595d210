/* SPDX-License-Identifier: ISC */
/* The targets that a document names to the queues that it goes to. Pure. */
#ifndef BRIDGE_ROUTE_H
#define BRIDGE_ROUTE_H

#include <jansson.h>
#include "common/settings.h"

struct route {
	const struct queue_settings **queues; /* each once; at least one */
	size_t count;
};

/*
 * targets: array of names or aliases as written; BOTH is every queue, an
 * unknown name and an empty array mean fallback (a queue's name, or "" for
 * the default queue) with a warning added to warnings. Free with route_free.
 */
void route_targets(const struct settings *set, const json_t *targets,
    const char *fallback, json_t *warnings, struct route *out);
void route_free(struct route *r);

#endif
