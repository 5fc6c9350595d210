/* SPDX-License-Identifier: ISC */
/* Everything that a daemon's process is given: arguments, environment, user,
 * limits, standard descriptors. */
#ifndef WATCHDOG_LAUNCH_H
#define WATCHDOG_LAUNCH_H

#include "watchdog/spawn.h"

struct service;

/* 0, or -1 with the service's trouble filled. */
int launch(struct service *s, struct spawned *made);

#endif
