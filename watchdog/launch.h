/* SPDX-License-Identifier: ISC */
/* Everything that a daemon's process is given: arguments, environment, user,
 * limits, standard descriptors. */
#ifndef WATCHDOG_LAUNCH_H
#define WATCHDOG_LAUNCH_H

#include "watchdog/spawn.h"

struct service;

#define LAUNCH_LATER 1

/* 0, -1 with the service's trouble filled, or LAUNCH_LATER: its account is
 * asked for, and the answer brings its turn. */
int launch(struct service *s, struct spawned *made);

#endif
