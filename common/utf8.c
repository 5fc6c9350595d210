/* SPDX-License-Identifier: ISC */
#include "common/utf8.h"

#include <string.h>

size_t
utf8_sequence(const char *s, size_t left)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

unsigned
utf8_code(const char *s, size_t n)
{
	static const unsigned char lead[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned code = (unsigned char)s[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

bool
utf8_is_control(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return p[0] < 0x20 || p[0] == 0x7f ||
	       (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
}

bool
utf8_is_tricky(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (utf8_is_control(s))
		return true;
	return p[0] == 0xe2 &&
	       ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
		   (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

static bool
has(const char *s, bool (*is)(const char *))
{
	for (; *s != '\0'; s++)
		if (is(s))
			return true;
	return false;
}

bool
utf8_has_control(const char *s)
{
	return has(s, utf8_is_control);
}

bool
utf8_has_tricky(const char *s)
{
	return has(s, utf8_is_tricky);
}

void
utf8_blank_controls(char *s, size_t len)
{
	char pair[3] = "";

	for (size_t i = 0; i < len; i++) {
		pair[0] = s[i];
		pair[1] = i + 1 < len ? s[i + 1] : '\0';
		if (!utf8_is_control(pair))
			continue;
		if (pair[0] == '\xc2')
			s[i++] = ' ';
		s[i] = ' ';
	}
}

void
utf8_trim(char *s)
{
	size_t len = strlen(s), at = len;

	while (
	    at > 0 && len - at < 3 && ((unsigned char)s[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && utf8_sequence(s + at - 1, len - at + 1) == 0)
		s[at - 1] = '\0';
}
