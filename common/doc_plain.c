/* SPDX-License-Identifier: ISC */
/* What an unquoted YAML word means: doc.h states the rules. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc_part.h"

/* [-+]?[0-9]+ without a leading zero. */
static bool
is_integer(const char *s, size_t len)
{
	size_t i = *s == '-' || *s == '+';

	if (i == len || (s[i] == '0' && len - i > 1))
		return false;
	for (; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return true;
}

static size_t
count_digits(const char *s, size_t len, size_t from)
{
	size_t i = from;

	while (i < len && isdigit((unsigned char)s[i]))
		i++;
	return i - from;
}

/* The core schema's floats that JSON can say: 1.5, .5, 1., 1e3. */
static bool
is_real(const char *s, size_t len)
{
	size_t i = *s == '-' || *s == '+';
	size_t whole = count_digits(s, len, i), part = 0;

	if (whole > 1 && s[i] == '0')
		return false;
	i += whole;
	if (i < len && s[i] == '.') {
		part = count_digits(s, len, i + 1);
		i += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		i++;
		if (i < len && (s[i] == '-' || s[i] == '+'))
			i++;
		part = count_digits(s, len, i);
		if (part == 0)
			return false;
		i += part;
	}
	return i == len;
}

static json_t *
integer(const char *s)
{
	long long n;

	errno = 0;
	n = strtoll(s, NULL, 10);
	return errno == ERANGE ? NULL : json_integer(n);
}

static json_t *
real(const char *s)
{
	double d = strtod(s, NULL);

	if (isfinite(d))
		return json_real(d);
	errno = ERANGE;
	return NULL;
}

json_t *
doc_yaml_plain(const char *s, size_t len)
{
	static const char *const yes[] = {"true", "True", "TRUE"};
	static const char *const no[] = {"false", "False", "FALSE"};
	static const char *const null[] = {"null", "Null", "NULL"};

	if (len == 0 || strcmp(s, "~") == 0)
		return json_null();
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(s, yes[i]) == 0)
			return json_true();
		if (strcmp(s, no[i]) == 0)
			return json_false();
		if (strcmp(s, null[i]) == 0)
			return json_null();
	}
	if (is_integer(s, len))
		return integer(s);
	if (is_real(s, len))
		return real(s);
	return json_stringn(s, len);
}
