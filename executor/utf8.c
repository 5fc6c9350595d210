/* SPDX-License-Identifier: ISC */
/* Foreign bytes made fit for a JSON document. */
#include <stdarg.h>
#include <string.h>

#include "common/buf.h"
#include "executor/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Length of the well-formed sequence at s, 0 where there is none. */
static size_t
sequence(const unsigned char *s, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t want;

	if (s[0] < 0x80)
		return s[0] != 0 ? 1 : 0;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		want = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		want = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		want = 4;
	else
		return 0;
	/* Overlong forms, surrogates and what lies beyond U+10FFFF. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (left < want || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return want;
}

bool
utf8_valid(const char *bytes, size_t len, size_t *bad)
{
	size_t n;

	for (*bad = 0; *bad < len; *bad += n) {
		n = sequence((const unsigned char *)bytes + *bad, len - *bad);
		if (n == 0 && bytes[*bad] != '\0')
			return false;
		n += n == 0;
	}
	return true;
}

json_t *
utf8_json(const char *bytes, size_t len)
{
	struct buf out = {0};
	json_t *value;

	for (size_t i = 0; i < len;) {
		size_t n = sequence((const unsigned char *)bytes + i, len - i);

		if (n == 0)
			buf_puts(&out, REPLACEMENT);
		else
			buf_add(&out, bytes + i, n);
		i += n == 0 ? 1 : n;
	}
	value = json_stringn(out.bytes != NULL ? out.bytes : "", out.len);
	buf_free(&out);
	return value;
}

json_t *
utf8_string(const char *s)
{
	return utf8_json(s, strlen(s));
}

json_t *
utf8_format(const char *fmt, ...)
{
	struct buf text = {0};
	json_t *value;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	value = utf8_string(text.bytes);
	buf_free(&text);
	return value;
}
