/* SPDX-License-Identifier: ISC */
/* Which of two times is the later one, and whether that tells anything. */
#include "common/clock.h"
#include "executor/instant.h"

#define SLACK_US 5000 /* of two clocks read in turn, one in ms */

bool
instant_is_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

int64_t
instant_ahead_us(void)
{
	return clock_wall_us() - clock_mono_ms() * 1000;
}

bool
instant_was_set_back(int64_t then_us)
{
	return instant_ahead_us() < then_us - SLACK_US;
}
