/* SPDX-License-Identifier: ISC */
/* GetSubstitution of ECMA-262. */
#include <ctype.h>
#include <string.h>

#include "executor/template.h"

#define GROUP_NAME 64 /* PCRE2 takes no longer names */

static uint32_t
groups(const struct template *t)
{
	uint32_t n = 0;

	(void)pcre2_pattern_info(t->code, PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

/* A group that did not take part is empty. */
static void
put_group(const struct template *t, uint32_t n, struct buf *out)
{
	const size_t *o = pcre2_get_ovector_pointer(t->data);

	if (o[2 * n] != PCRE2_UNSET)
		buf_add(out, t->text + o[2 * n], o[2 * n + 1] - o[2 * n]);
}

/* $1 to $99: two digits where there are so many groups. Bytes used, or 0. */
static size_t
put_number(const struct template *t, const char *s, size_t left,
    struct buf *out)
{
	uint32_t n = (uint32_t)(s[0] - '0'), most = groups(t), two;

	if (left > 1 && isdigit((unsigned char)s[1])) {
		two = n * 10 + (uint32_t)(s[1] - '0');
		if (two > 0 && two <= most) {
			put_group(t, two, out);
			return 2;
		}
	}
	if (n == 0 || n > most)
		return 0;
	put_group(t, n, out);
	return 1;
}

/* $<name>: text of its own where no group has a name. Bytes used, or 0. */
static size_t
put_name(const struct template *t, const char *s, size_t left, struct buf *out)
{
	const char *end = memchr(s, '>', left);
	size_t len = end != NULL ? (size_t)(end - s) - 1 : 0;
	uint32_t names = 0;
	char name[GROUP_NAME];
	int n;

	(void)pcre2_pattern_info(t->code, PCRE2_INFO_NAMECOUNT, &names);
	if (end == NULL || names == 0)
		return 0;
	if (len >= sizeof(name))
		return len + 2;
	memcpy(name, s + 1, len);
	name[len] = '\0';
	n = pcre2_substring_number_from_name(t->code, (PCRE2_SPTR)name);
	if (n > 0)
		put_group(t, (uint32_t)n, out);
	return len + 2;
}

/* What stands behind a dollar. Bytes used; 0: the dollar is one. */
static size_t
put_special(const struct template *t, const char *s, size_t left,
    struct buf *out)
{
	const size_t *o = pcre2_get_ovector_pointer(t->data);

	switch (*s) {
	case '$':
		buf_putc(out, '$');
		return 1;
	case '&':
		put_group(t, 0, out);
		return 1;
	case '`':
		buf_add(out, t->text, o[0]);
		return 1;
	case '\'':
		buf_add(out, t->text + o[1], t->len - o[1]);
		return 1;
	case '<':
		return put_name(t, s, left, out);
	default:
		return isdigit((unsigned char)*s) ? put_number(t, s, left, out)
						  : 0;
	}
}

void
template_put(const struct template *t, struct buf *out)
{
	const char *s = t->replacement->bytes;
	size_t len = t->replacement->len;

	for (size_t i = 0; i < len && out->len <= t->max;) {
		size_t used = 0;

		if (s[i] == '$' && i + 1 < len)
			used = put_special(t, s + i + 1, len - i - 1, out);
		if (used == 0)
			buf_putc(out, s[i]);
		i += 1 + used;
	}
}
