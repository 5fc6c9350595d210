/* SPDX-License-Identifier: ISC */
/* Clocks and the texts of points and spans of time. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define US_PER_S 1000000
#define MS_PER_S 1000

struct unit {
	const char *name;
	int64_t ms;
};

/* Longest first, so that formatting takes the shortest text; "m" must come
 * after "ms" has been tried when parsing, which whole-name matching gives. */
static const struct unit units[] = {
    {"d", 24 * 3600 * MS_PER_S},
    {"h", 3600 * MS_PER_S},
    {"m", 60 * MS_PER_S},
    {"s", MS_PER_S},
    {"ms", 1},
};

#define UNITS (sizeof units / sizeof units[0])

int64_t
clock_mono_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * MS_PER_S + ts.tv_nsec / US_PER_S;
}

int64_t
clock_wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / MS_PER_S;
}

void
clock_iso(int64_t wall_us, char out[ISO_TIME_SIZE])
{
	time_t seconds = (time_t)(wall_us / US_PER_S);
	int ms = (int)(wall_us % US_PER_S / MS_PER_S);
	struct tm tm;
	size_t n;

	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900 ||
	    wall_us < 0) {
		(void)strlcpy(out, "1970-01-01T00:00:00.000Z", ISO_TIME_SIZE);
		return;
	}
	n = strftime(out, ISO_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (snprintf(out + n, ISO_TIME_SIZE - n, ".%03dZ", ms) < 0)
		out[n] = '\0';
}

/* The zone behind the seconds: Z or +hh:mm, in seconds east of UTC. */
static int
parse_zone(const char *s, int64_t *east_s)
{
	int hours, minutes, used = 0;

	*east_s = 0;
	if ((s[0] == 'Z' || s[0] == 'z') && s[1] == '\0')
		return 0;
	if (s[0] != '+' && s[0] != '-')
		return -1;
	/* NOLINTNEXTLINE(cert-err34-c): two digits fit, the rest is checked */
	if (sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
	    used != 5 || s[6] != '\0' || hours > 23 || minutes > 59)
		return -1;
	*east_s = (int64_t)hours * 3600 + minutes * 60;
	if (s[0] == '-')
		*east_s = -*east_s;
	return 0;
}

/* ".123456789": microseconds, and the text behind. */
static const char *
parse_fraction(const char *s, int64_t *us)
{
	int64_t scale = US_PER_S / 10;

	*us = 0;
	if (*s != '.')
		return s;
	for (s++; isdigit((unsigned char)*s); s++, scale /= 10)
		*us += (*s - '0') * scale;
	return s;
}

int
clock_parse_iso(const char *s, int64_t *wall_us)
{
	struct tm tm = {0};
	const char *rest;
	int64_t fraction, east;
	time_t seconds;

	rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	if (rest == NULL)
		goto bad;
	rest = parse_fraction(rest, &fraction);
	if (parse_zone(rest, &east) == -1)
		goto bad;
	seconds = timegm(&tm);
	*wall_us = ((int64_t)seconds - east) * US_PER_S + fraction;
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

static const struct unit *
find_unit(const char *name)
{
	size_t i;

	if (*name == '\0')
		name = "s";
	for (i = 0; i < UNITS; i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

int
clock_parse_span(const char *s, int64_t *ms)
{
	const struct unit *unit;
	char *end;
	double number;

	if (!isdigit((unsigned char)*s)) {
		errno = EINVAL;
		return -1;
	}
	number = strtod(s, &end);
	/* strtod takes hexadecimal and exponents: a span has neither. */
	if (strspn(s, "0123456789.") != (size_t)(end - s) ||
	    (unit = find_unit(end)) == NULL) {
		errno = EINVAL;
		return -1;
	}
	number = number * (double)unit->ms + 0.5;
	if (number > 1e15) {
		errno = ERANGE;
		return -1;
	}
	*ms = (int64_t)number;
	return 0;
}

void
clock_format_span(int64_t ms, char *out, size_t size)
{
	size_t i;

	for (i = 0; i < UNITS - 1; i++)
		if (ms >= units[i].ms && ms % units[i].ms == 0)
			break;
	if (ms == 0)
		i = UNITS - 2;
	if (snprintf(out, size, "%" PRId64 "%s", ms / units[i].ms,
		units[i].name) < 0)
		out[0] = '\0';
}

void
clock_human_span(int64_t ms, char *out, size_t size)
{
	int64_t s = ms / MS_PER_S;
	int n;

	if (ms < MS_PER_S)
		n = snprintf(out, size, "%" PRId64 " ms", ms < 0 ? 0 : ms);
	else if (s < 60)
		n = snprintf(out, size, "%" PRId64 " s", s);
	else if (s < 3600)
		n = snprintf(out, size, "%" PRId64 " min %" PRId64 " s", s / 60,
		    s % 60);
	else if (s < 2 * 24 * 3600)
		n = snprintf(out, size, "%" PRId64 " h %" PRId64 " min",
		    s / 3600, s % 3600 / 60);
	else
		n = snprintf(out, size, "%" PRId64 " days", s / (24 * 3600));
	if (n < 0)
		out[0] = '\0';
}

const char *
clock_boot_id(void)
{
	static char id[64];
	ssize_t n;
	int fd;

	if (id[0] != '\0')
		return id;
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return "";
	n = read(fd, id, sizeof id - 1);
	(void)close(fd);
	id[n < 0 ? 0 : n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return id;
}
