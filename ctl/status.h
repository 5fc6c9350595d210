/* SPDX-License-Identifier: ISC */
/* The suite as one JSON value, for status and health. */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <jansson.h>

#include "ctl/ctl.h"

/*
 * {supervised, watchdog, daemons[], queues[], channels[]}: see patchflow(1).
 * Works with the supervisor down: then daemons are what the locks tell.
 */
json_t *status_collect(struct ctl *c);
/* state/NAME/FILE, a checked document: a new reference, or NULL. */
json_t *status_state(struct ctl *c, const char *name, const char *file);

#endif
