/* SPDX-License-Identifier: ISC */
/* Which of two times is the later one, and whether that tells anything. */
#include "common/clock.h"
#include "executor/instant.h"

#define SAME_MS 1     /* of two clocks read in turn, one in ms */
#define SLACK_US 5000 /* more than that twice */

bool
instant_is_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

int64_t
instant_ahead_us(void)
{
	int64_t before, wall, after;

	/* Held up between the two, we would see a step that nobody made. */
	do {
		before = clock_mono_ms();
		wall = clock_wall_us();
		after = clock_mono_ms();
	} while (after - before > SAME_MS);
	return wall - after * 1000;
}

bool
instant_was_set_back(int64_t then_us)
{
	return instant_ahead_us() < then_us - SLACK_US;
}
