/* SPDX-License-Identifier: ISC */
/*
 * Time. Deadlines are monotonic milliseconds in int64_t; wall time is for
 * display and for the age part of a KEY only.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define ISO_TIME_SIZE sizeof("2026-01-01T00:00:00.000Z")

int64_t clock_mono_ms(void);
int64_t clock_wall_us(void);
/* "2026-01-31T12:00:00.123Z", UTC. */
void clock_iso(int64_t wall_us, char out[ISO_TIME_SIZE]);
/* Reads RFC 3339 with Z or an offset; 0, or -1 with errno EINVAL. */
int clock_parse_iso(const char *s, int64_t *wall_us);
/*
 * "250ms", "30s", "5m", "2h", "7d", "1.5s", or a bare number of seconds, to
 * milliseconds; 0, or -1 with errno EINVAL or ERANGE.
 */
int clock_parse_span(const char *s, int64_t *ms);
/* The shortest of the forms above that means exactly ms. */
void clock_format_span(int64_t ms, char *out, size_t size);
/* For people: "3 s", "4 min 10 s", "2 h 5 min". */
void clock_human_span(int64_t ms, char *out, size_t size);
/* The boot id of this kernel, or "" where /proc is missing. */
const char *clock_boot_id(void);

#endif
