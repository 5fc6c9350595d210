/* SPDX-License-Identifier: ISC */
/* Results on standard output. */
#ifndef CTL_OUT_H
#define CTL_OUT_H

#include <jansson.h>
#include <stdint.h>

/* The value, indented, with a newline; takes the reference. */
void out_json(json_t *value);
/* As out_json; an empty list of a failure is none: see out_failure. */
void out_list(json_t *list, int status);
/* As YAML. Borrows it. */
void out_yaml(const json_t *value);
/* One line: for streams. Takes the reference. */
void out_json_line(json_t *value);
/* A line of text to standard error, cleaned. */
void out_complain(const char *line);
void out_complain_all(const char *lines);
/* --json without a result: {ok, status, errors}, what was complained of. */
void out_failure(int status);
/* "  label     text", the text cleaned; nothing where text is NULL or "". */
void out_field(const char *label, const char *text);
void out_fieldf(const char *label, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* "2026-01-31 12:00:00" of wall-clock microseconds, local time. */
void out_time(int64_t wall_us, char *text, size_t size);
/* The string at key, or "". */
const char *out_string(const json_t *object, const char *key);
long long out_number(const json_t *object, const char *key);
/* Text from outside, cleaned, a line each behind margin. */
void out_lines(const char *margin, const char *text);
/* How a command of an outcome ended: "exit 1, 2.1 s", "signal 9, 8 s,
 * limit:memory", "not-run". The caller frees it. */
char *out_command_end(const json_t *command);

#endif
