/* SPDX-License-Identifier: ISC */
/*
 * A start that has to wait: for a disk that hangs, or for what a killed
 * supervisor's writer still writes under the suite's lock. It waits for as
 * long as that takes and says so, to the log and to whoever supervises us.
 */
#ifndef WATCHDOG_PATIENCE_H
#define WATCHDOG_PATIENCE_H

#include "common/settings.h"

/* daemon_enter() finds the spool and its lock within moments then; a lock that
 * a living supervisor holds is left to that. */
void patience(const struct settings *s);

#endif
