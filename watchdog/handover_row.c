/* SPDX-License-Identifier: ISC */
/* Structs by tables of their members. */
#include <sys/types.h>
#include <stdlib.h>
#include <string.h>

#include "watchdog/handover_row.h"

json_t *
row_hex(const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = bytes;
	char *hex = malloc(2 * len + 1);
	json_t *text;
	size_t i;

	if (hex == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		hex[2 * i] = digits[from[i] >> 4];
		hex[2 * i + 1] = digits[from[i] & 15];
	}
	hex[2 * len] = '\0';
	text = json_string(hex);
	free(hex);
	return text;
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

ssize_t
row_unhex(const json_t *hex, void *out, size_t size)
{
	const char *text = json_string_value(hex);
	size_t len = json_string_length(hex), i;
	unsigned char *to = out;

	if (text == NULL || len % 2 != 0 || len / 2 > size)
		return -1;
	for (i = 0; i < len; i += 2) {
		int high = digit(text[i]), low = digit(text[i + 1]);

		if (high == -1 || low == -1)
			return -1;
		to[i / 2] = (unsigned char)(high << 4 | low);
	}
	return (ssize_t)(len / 2);
}

static int64_t
load(const unsigned char *at, size_t size)
{
	uint8_t byte;
	int32_t word;
	int64_t number;

	if (size == sizeof byte) {
		memcpy(&byte, at, sizeof byte);
		return byte;
	}
	if (size == sizeof word) {
		memcpy(&word, at, sizeof word);
		return word;
	}
	memcpy(&number, at, sizeof number);
	return number;
}

static void
store(unsigned char *at, size_t size, int64_t number)
{
	uint8_t byte = (uint8_t)number;
	int32_t word = (int32_t)number;

	if (size == sizeof byte)
		memcpy(at, &byte, sizeof byte);
	else if (size == sizeof word)
		memcpy(at, &word, sizeof word);
	else
		memcpy(at, &number, sizeof number);
}

json_t *
row_write(const struct row *rows, const void *from)
{
	json_t *doc = json_object();
	const struct row *r;

	for (r = rows; r->name != NULL; r++) {
		const unsigned char *at =
		    (const unsigned char *)from + r->offset;
		json_t *value =
		    r->text ? row_hex(at, strnlen((const char *)at, r->size))
			    : json_integer(load(at, r->size));

		if (json_object_set_new(doc, r->name, value) == -1) {
			json_decref(doc);
			return NULL;
		}
	}
	return doc;
}

/* A text must leave room for its NUL and hold none. */
static bool
read_text(const struct row *r, const json_t *value, unsigned char *at)
{
	ssize_t len;

	memset(at, 0, r->size);
	len = row_unhex(value, at, r->size - 1);
	return len >= 0 && strlen((const char *)at) == (size_t)len;
}

static bool
read_number(const struct row *r, const json_t *value, unsigned char *at)
{
	json_int_t n = json_integer_value(value);

	if (value == NULL && r->later)
		n = 0;
	else if (!json_is_integer(value) || n < r->low || n > r->high)
		return false;
	store(at, r->size, n);
	return true;
}

const char *
row_fault(const struct row *rows, const json_t *doc, void *to)
{
	const struct row *r;

	for (r = rows; r->name != NULL; r++) {
		const json_t *value = json_object_get(doc, r->name);
		unsigned char *at = (unsigned char *)to + r->offset;

		if (r->text ? !read_text(r, value, at)
			    : !read_number(r, value, at))
			return r->name;
	}
	return NULL;
}

bool
row_read(const struct row *rows, const json_t *doc, void *to)
{
	return row_fault(rows, doc, to) == NULL;
}
