/* SPDX-License-Identifier: ISC */
/* Numbers and texts of a struct to JSON and back, by one table for both. */
#ifndef WATCHDOG_HANDOVER_ROW_H
#define WATCHDOG_HANDOVER_ROW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row {
	const char *name; /* NULL ends the table */
	size_t offset;
	size_t size;
	int64_t low; /* of a number: what lies outside spoils the whole */
	int64_t high;
	bool text;  /* a char array; hexadecimal, for it may hold any byte */
	bool later; /* 0 where an older image does not have it */
};

#define ROW_MEMBER(type, member) sizeof(((type *)0)->member)
/* Of a size that the code behind it can copy, or the program does not build. */
#define ROW_NUMBER_SIZE(size)                                                  \
	sizeof(char[(size) == 1 || (size) == 4 || (size) == 8 ? (int)(size)    \
							      : -1])
/* ... is its range, "low, high". */
#define ROW_NUMBER(type, member, ...)                                          \
	{                                                                      \
#member, offsetof(type, member),                               \
		    ROW_NUMBER_SIZE(ROW_MEMBER(type, member)), __VA_ARGS__,    \
		    false, false                                               \
	}
#define ROW_LATER(type, member, ...)                                           \
	{                                                                      \
#member, offsetof(type, member),                               \
		    ROW_NUMBER_SIZE(ROW_MEMBER(type, member)), __VA_ARGS__,    \
		    false, true                                                \
	}
#define ROW_TEXT(type, member)                                                 \
	{                                                                      \
#member, offsetof(type, member), ROW_MEMBER(type, member), 0,  \
		    0, true, false                                             \
	}
#define ROW_END                                                                \
	{                                                                      \
		NULL, 0, 0, 0, 0, false, false                                 \
	}

json_t *row_hex(const void *bytes, size_t len);
/* How many bytes were written, or -1. */
ssize_t row_unhex(const json_t *hex, void *out, size_t size);
/* NULL when memory runs out. */
json_t *row_write(const struct row *rows, const void *from);
/* The first row that is missing or wrong, to half filled then; or NULL. What
 * no row asks for is passed over. */
const char *row_fault(const struct row *rows, const json_t *doc, void *to);
bool row_read(const struct row *rows, const json_t *doc, void *to);

#endif
