/* SPDX-License-Identifier: ISC */
/* Empty boxes: see quiet.h. */
#include "executor/quiet.h"

#define TICK_US 100000    /* no clock of nanoseconds ticks more coarsely */
#define COARSE_US 3000000 /* nor one of seconds */
#define LISTED_MS 1000    /* whatever the directory's times say */

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
quiet_holds(const struct quiet *q, int dir, int64_t mono_ms)
{
	struct stat st;

	return q->until_ms > mono_ms && fstat(dir, &st) == 0 &&
	       st.st_dev == q->dev && st.st_ino == q->ino &&
	       is_same_time(&st.st_mtim, &q->changed) &&
	       is_same_time(&st.st_ctim, &q->noted);
}

/* What changed within the clock's tick could change again unseen. */
void
quiet_note(struct quiet *q, const struct stat *st, int64_t wall_us,
    int64_t mono_ms)
{
	const struct timespec *at = &st->st_ctim;
	int64_t age = wall_us - at->tv_sec * 1000000LL - at->tv_nsec / 1000;
	bool old = age > (at->tv_nsec != 0 ? TICK_US : COARSE_US);

	q->until_ms = old ? mono_ms + LISTED_MS : 0;
	q->dev = st->st_dev;
	q->ino = st->st_ino;
	q->changed = st->st_mtim;
	q->noted = st->st_ctim;
}
