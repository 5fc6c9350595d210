/* SPDX-License-Identifier: ISC */
/*
 * A box's directory that was listed and held nothing. While it has not changed
 * since it is empty still: a stat instead of a listing, between any two
 * patches. What its times cannot tell is listed: it changed within a tick of
 * their clock, or that was set back; and once a second, whatever they say.
 */
#ifndef EXECUTOR_QUIET_H
#define EXECUTOR_QUIET_H

#include <sys/stat.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct quiet {
	int64_t until_ms; /* monotonic; 0: list it */
	dev_t dev;
	ino_t ino;
	struct timespec changed;
	struct timespec noted;
};

/* Is dir the one, and empty still? */
bool quiet_holds(const struct quiet *q, int dir, int64_t mono_ms);
/* st, and before it wall_us, are from before the listing that found nothing:
 * what came behind it has other times then. */
void quiet_note(struct quiet *q, const struct stat *st, int64_t wall_us,
    int64_t mono_ms);

#endif
