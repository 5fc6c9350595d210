/* SPDX-License-Identifier: ISC */
/*
 * What a supervisor that was killed left behind: its daemons die with it, but
 * what they had started and let go of is nobody's child any more. All of it
 * inherited a mark in its environment.
 */
#ifndef WATCHDOG_PREDECESSORS_H
#define WATCHDOG_PREDECESSORS_H

#include <stdbool.h>
#include <stdint.h>

/* In the environment of every daemon we start: LIFE:SPOOL, where LIFE is a
 * number of this supervisor's own. */
#define PREDECESSORS_MARK "PATCHFLOW_SUPERVISED"
#define PREDECESSORS_MARK_SET "PATCHFLOW_SUPERVISED="

/*
 * Kills the processes that carry the mark for this spool and of another life
 * than ours. Only under the lock, when no other watchdog of the spool can be
 * alive. How many were killed; no look begins after limit_ms. sure: it ended
 * because nobody was left, not because time was over. May be NULL.
 */
int predecessors_kill(const char *spool, int64_t life, int64_t limit_ms,
    bool *sure);

#endif
