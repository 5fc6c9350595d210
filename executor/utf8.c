/* SPDX-License-Identifier: ISC */
/* Foreign bytes made fit for a JSON document. */
#include <stdarg.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "executor/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

bool
utf8_valid(const char *bytes, size_t len, size_t *bad)
{
	size_t n;

	for (*bad = 0; *bad < len; *bad += n) {
		n = utf8_sequence(bytes + *bad, len - *bad);
		if (n == 0)
			return false;
	}
	return true;
}

json_t *
utf8_json(const char *bytes, size_t len)
{
	struct buf out = {0};
	json_t *value;

	for (size_t i = 0; i < len;) {
		size_t n =
		    bytes[i] != '\0' ? utf8_sequence(bytes + i, len - i) : 0;

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
