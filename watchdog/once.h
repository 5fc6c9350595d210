/* SPDX-License-Identifier: ISC */
/*
 * Without supervision: every daemon once with --once, in the order in which
 * work flows, for cron and tests. The exit status is 0, or the temporary one
 * when nothing worse happened, else 1.
 */
#ifndef WATCHDOG_ONCE_H
#define WATCHDOG_ONCE_H

#include "common/daemon.h"

/* Under the supervisor's lock; closes both. */
int once_run(struct settings *s, struct tree *t);

#endif
