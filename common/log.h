/* SPDX-License-Identifier: ISC */
/*
 * The only logger. Lines go to stderr (a pipe that the watchdog holds, or the
 * terminal), one line a call, at most LOG_LINE bytes, control characters
 * replaced. Shape: "<subject>: <past-tense verb>[, key value]...".
 *
 * warn   an operator may have to act      info   one line a state change
 * debug  free (-v)                        the form with x adds no strerror
 *
 * fatal() and fatalx() exit 1; only before ready, on out of memory and on a
 * broken invariant. Common's libraries never log: only its rungs (daemon,
 * loop, sandbox) and the daemons do.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_LINE 2048

/* take() gets each line, with its newline, instead of stderr where it returns
 * true; it must not log. NULL: all go to stderr again. */
void log_divert(bool (*take)(void *arg, const char *line, size_t len),
    void *arg);

void log_init(const char *name);
void log_verbose(int level);
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
_Noreturn void fatalx(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
