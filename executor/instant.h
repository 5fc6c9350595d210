/* SPDX-License-Identifier: ISC */
/* Times of files, to be compared: what a filesystem's clock says, which may
 * tick coarsely, so that the same time tells nothing of before and after. */
#ifndef EXECUTOR_INSTANT_H
#define EXECUTOR_INSTANT_H

#include <stdbool.h>
#include <time.h>

bool instant_is_after(const struct timespec *a, const struct timespec *b);

#endif
