/* SPDX-License-Identifier: ISC */
/* Times of files, to be compared: what a filesystem's clock says, which may
 * tick coarsely, so that the same time tells nothing of before and after. */
#ifndef EXECUTOR_INSTANT_H
#define EXECUTOR_INSTANT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

bool instant_is_after(const struct timespec *a, const struct timespec *b);
/* Of two times only the order tells, which is wrong where the clock was set
 * back in between: what the clock is ahead of one that nobody sets, in us, and
 * has that become less since it was then? */
int64_t instant_ahead_us(void);
bool instant_was_set_back(int64_t then_us);

#endif
