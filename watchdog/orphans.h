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

struct orphans {
	/* The daemons' own processes, the dying one's too: never touched. */
	const pid_t *known;
	size_t known_count;
	/* Of these, the ones that live: their sessions are let be. */
	const pid_t *living;
	size_t living_count;
};

/* Kills and reaps one round; how many there were (0: clean). */
int orphans_round(const struct orphans *o);
/* Reaps those that ended by themselves; kills nothing. */
void orphans_reap(const struct orphans *o);

#endif
