/* SPDX-License-Identifier: ISC */
/*
 * Descendants that outlived their daemon. The watchdog is a child subreaper,
 * so whatever loses its parent becomes our child: killing our own unknown
 * children, round after round, takes whole trees, however they forked.
 */
#ifndef WATCHDOG_ORPHANS_H
#define WATCHDOG_ORPHANS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

/* In the environment of every daemon we start: SPOOL's path. */
#define ORPHANS_MARK "PATCHFLOW_SUPERVISED"
#define ORPHANS_MARK_SET "PATCHFLOW_SUPERVISED="

struct orphans {
	/* The daemons' own processes, the dying one's too: never touched. */
	const pid_t *known;
	size_t known_count;
	/* Of these, the ones that live: their sessions are let be. */
	const pid_t *living;
	size_t living_count;
};

/* Kills and reaps one round; how many were still there (0: clean). */
int orphans_round(const struct orphans *o);
/* Reaps those that ended by themselves; kills nothing. */
void orphans_reap(const struct orphans *o);
/*
 * At start: kills what a predecessor that was killed left behind, told by its
 * mark for this spool. Only under the lock, when no other watchdog of the
 * spool can be alive. How many were killed.
 */
int orphans_kill_marked(const char *spool);

#endif
