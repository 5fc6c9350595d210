/* SPDX-License-Identifier: ISC */
/* Log lines to stderr: one write a line, so that lines of several processes
 * on one pipe never mix. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/utf8.h"

enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_FATAL, LEVEL__MAX };

static const char *const level_name[LEVEL__MAX] = {
    [LEVEL_DEBUG] = "debug",
    [LEVEL_INFO] = "info",
    [LEVEL_WARN] = "warn",
    [LEVEL_FATAL] = "fatal",
};

static char program[64] = "patchflow";
static int verbosity;
static bool (*taker)(void *arg, const char *line, size_t len);
static void *taker_arg;

void
log_init(const char *name)
{
	(void)snprintf(program, sizeof program, "%s", name);
}

void
log_verbose(int level)
{
	verbosity = level;
}

void
log_divert(bool (*take)(void *arg, const char *line, size_t len), void *arg)
{
	taker = take;
	taker_arg = arg;
}

static size_t __attribute__((format(printf, 3, 0)))
append(char *line, size_t used, const char *fmt, va_list ap)
{
	int n = vsnprintf(line + used, LOG_LINE - used, fmt, ap);

	if (n < 0)
		return used;
	used += (size_t)n;
	return used < LOG_LINE - 2 ? used : LOG_LINE - 2;
}

static size_t __attribute__((format(printf, 3, 4)))
append_text(char *line, size_t used, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	used = append(line, used, fmt, ap);
	va_end(ap);
	return used;
}

/*
 * The pipe's reader may be stopped, and then a full pipe would stop every
 * daemon of the suite with it. A pipe that polls writable takes a line of
 * ours whole (LOG_LINE <= PIPE_BUF).
 */
static bool
has_room(void)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) != 0;
}

static void
write_line(const char *line, size_t len)
{
	static unsigned long lost;
	char note[128];
	int n;

	if (lost > 0 && has_room()) {
		n = snprintf(note, sizeof note,
		    "%s: log lines lost, count %lu\n", program, lost);
		if (write(STDERR_FILENO, note, (size_t)n) == n)
			lost = 0;
	}
	/* A lost log line must never cost work: it is only counted. */
	if (!has_room() || write(STDERR_FILENO, line, len) < 0)
		lost++;
}

static void __attribute__((format(printf, 3, 0)))
emit(enum level level, int saved_errno, const char *fmt, va_list ap)
{
	char line[LOG_LINE];
	char now[ISO_TIME_SIZE];
	size_t used;

	clock_iso(clock_wall_us(), now);
	used =
	    append_text(line, 0, "%s %s %s: ", now, program, level_name[level]);
	used = append(line, used, fmt, ap);
	if (saved_errno != 0)
		used = append_text(line, used, ": %s", strerror(saved_errno));
	utf8_blank_controls(line, used);
	line[used++] = '\n';
	if (taker == NULL || !taker(taker_arg, line, used))
		write_line(line, used);
}

#define EMIT(level, number)                                                    \
	do {                                                                   \
		int saved = errno;                                             \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		emit(level, (number) ? saved : 0, fmt, ap);                    \
		va_end(ap);                                                    \
		errno = saved;                                                 \
	} while (0)

void
log_debug(const char *fmt, ...)
{
	if (verbosity > 0)
		EMIT(LEVEL_DEBUG, 0);
}

void
log_info(const char *fmt, ...)
{
	EMIT(LEVEL_INFO, 0);
}

void
log_warn(const char *fmt, ...)
{
	EMIT(LEVEL_WARN, 1);
}

void
log_warnx(const char *fmt, ...)
{
	EMIT(LEVEL_WARN, 0);
}

void
fatal(const char *fmt, ...)
{
	EMIT(LEVEL_FATAL, 1);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	EMIT(LEVEL_FATAL, 0);
	exit(1);
}
