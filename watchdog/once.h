/* SPDX-License-Identifier: ISC */
/*
 * Without supervision: every daemon once with --once, in the order in which
 * work flows, for cron and tests. The exit status is 0, or the temporary one
 * when nothing worse happened, else 1.
 */
#ifndef WATCHDOG_ONCE_H
#define WATCHDOG_ONCE_H

#include "common/daemon.h"

int once_run(const struct daemon_opts *o, const struct settings *s,
    const struct tree *t);

#endif
