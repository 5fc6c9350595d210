/* SPDX-License-Identifier: ISC */
/* Bytes of any kind as JSON strings: what is no UTF-8 (and NUL, which a
 * reader would not take) becomes U+FFFD. Never fails. */
#ifndef EXECUTOR_UTF8_H
#define EXECUTOR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>

/* Well-formed throughout (NUL is)? *bad: where not. */
bool utf8_valid(const char *bytes, size_t len, size_t *bad);

json_t *utf8_json(const char *bytes, size_t len);
json_t *utf8_string(const char *s);
/* In place of json_sprintf(), which has no answer for foreign bytes. */
json_t *utf8_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
