/* SPDX-License-Identifier: ISC */
/* Which of two times is the later one. */
#include "executor/instant.h"

bool
instant_is_after(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec ||
	       (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}
