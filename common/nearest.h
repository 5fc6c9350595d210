/* SPDX-License-Identifier: ISC */
/* "Did you mean": how far apart two words are. */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Letters to insert, drop, exchange or swap with their neighbour. Words of
 * more than 63 bytes are infinitely (INT_MAX) far from everything. */
int nearest_distance(const char *a, const char *b);
/*
 * Offers candidate for given: where it is nearer than *best, *best becomes
 * its distance and the answer is true. Start with nearest_limit(given).
 */
bool nearest_offer(const char *given, const char *candidate, int *best);
/* What is too far to be worth a hint: 1 for three letters, 4 for twelve. */
int nearest_limit(const char *given);

#endif
