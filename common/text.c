/* SPDX-License-Identifier: ISC */
/* Text from outside into JSON strings. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/text.h"

static json_t *
text_span(const char *s, size_t len)
{
	json_t *string = json_stringn(s, len);
	char *copy;

	if (string != NULL)
		return string;
	copy = xstrndup(s, len);
	for (char *c = copy; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	string = json_string(copy);
	free(copy);
	return string;
}

json_t *
text_json(const char *s)
{
	return s == NULL ? json_string("") : text_span(s, strlen(s));
}

json_t *
text_json_cut(const char *s, size_t max)
{
	size_t len;

	if (s == NULL)
		return json_string("");
	len = strnlen(s, max);
	if (s[len] != '\0')
		while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	return text_span(s, len);
}

const char *
text_s(uint64_t count)
{
	return count == 1 ? "" : "s";
}
