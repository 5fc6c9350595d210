/* SPDX-License-Identifier: ISC */
/* Characters in bytes from outside: which are some, and which would act on
 * whoever looks at them. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at s, of left: 1 to 4, 0 where there is none
 * (Unicode table 3-7: no overlong form, no surrogate). NUL is one. */
size_t utf8_sequence(const char *s, size_t left);
/* The code point of a whole character of n bytes. */
unsigned utf8_code(const char *s, size_t n);
/* Of a whole character: C0, DEL and C1, which move terminals. */
bool utf8_is_control(const char *s);
/* ... and what turns or breaks the line that it stands in, unseen (U+2028 to
 * U+202E, U+2066 to U+2069). */
bool utf8_is_tricky(const char *s);
/* Is there one of the former in s, of the latter? */
bool utf8_has_control(const char *s);
bool utf8_has_tricky(const char *s);
/* Takes half a character from the end of a text that was cut. */
void utf8_trim(char *s);
/* Each byte of one becomes a blank: for lines of a log. */
void utf8_blank_controls(char *s, size_t len);

#endif
