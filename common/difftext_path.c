/* SPDX-License-Identifier: ISC */
/* Names in diff headers: quoting, times behind a tab, prefixes. */
#include <stdlib.h>
#include <string.h>

#include "common/difftext.h"
#include "common/difftext_path.h"

static const char names[] = "abtnvfr", bytes[] = "\a\b\t\n\v\f\r";

/* The byte of an escape that begins behind the backslash; s moves behind. */
static char
unescape(const char **s, const char *end)
{
	const char *at = memchr(names, **s, sizeof(names) - 1);
	int n = 0;

	if (at != NULL) {
		(*s)++;
		return bytes[at - names];
	}
	if (**s < '0' || **s > '7')
		return *(*s)++;
	for (int i = 0; i < 3 && *s < end && **s >= '0' && **s <= '7'; i++)
		n = n * 8 + (*(*s)++ - '0');
	return (char)n;
}

/* A quoted name; s moves behind the closing quote. */
static char *
quoted(const char **s, const char *end)
{
	struct buf b = {0};

	(*s)++;
	while (*s < end && **s != '"') {
		if (**s == '\\' && *s + 1 < end) {
			(*s)++;
			buf_putc(&b, unescape(s, end));
		} else {
			buf_putc(&b, *(*s)++);
		}
	}
	if (*s < end)
		(*s)++;
	return buf_take(&b);
}

void
diff_path_set(char **path, const char *s, const char *end)
{
	const char *tab;

	free(*path);
	*path = NULL;
	if (s >= end)
		return;
	if (*s == '"') {
		*path = quoted(&s, end);
		return;
	}
	tab = memchr(s, '\t', (size_t)(end - s));
	if (tab != NULL)
		end = tab;
	*path = xstrndup(s, (size_t)(end - s));
}

void
diff_path_pair(const char *s, const char *end, char **a, char **b)
{
	size_t len = (size_t)(end - s), half = len / 2;

	if (len > 0 && *s == '"') {
		*a = quoted(&s, end);
		if (s < end)
			diff_path_set(b, s + 1, end);
		return;
	}
	/* The same name twice, but for the prefix. */
	if (len % 2 == 0 || len < 5 || s[half] != ' ' || s[1] != '/' ||
	    memcmp(s + 2, s + half + 3, half - 2) != 0)
		return;
	*a = xstrndup(s, half);
	*b = xstrndup(s + half + 1, half);
}

static bool
has_prefix(const char *path, const char *letters)
{
	return path[0] != '\0' && strchr(letters, path[0]) != NULL &&
	       path[1] == '/' && path[2] != '\0';
}

bool
diff_path_prefixed(const char *a, const char *b)
{
	if (a != NULL && b != NULL)
		return has_prefix(a, "acio") && has_prefix(b, "bciw") &&
		       a[0] != b[0];
	if (a != NULL)
		return has_prefix(a, "a");
	return b != NULL && has_prefix(b, "b");
}

const char *
diff_path_bare(const char *path, bool prefixed)
{
	return path != NULL && prefixed ? path + 2 : path;
}

static bool
is_control(char c)
{
	return (c > 0 && c < ' ') || c == '\177';
}

static void
escape(struct buf *out, char c)
{
	const char *at = memchr(bytes, c, sizeof(bytes) - 1);

	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else if (at != NULL)
		buf_printf(out, "\\%c", names[at - bytes]);
	else if (is_control(c))
		buf_printf(out, "\\%03o", (unsigned char)c);
	else
		buf_putc(out, c);
}

void
difftext_put_path(struct buf *out, const char *prefix, const char *path)
{
	bool plain = true;

	for (const char *s = path; *s != '\0' && plain; s++)
		plain = !is_control(*s) && *s != '"' && *s != '\\';
	if (plain) {
		buf_printf(out, "%s%s", prefix, path);
		return;
	}
	buf_printf(out, "\"%s", prefix);
	for (const char *s = path; *s != '\0'; s++)
		escape(out, *s);
	buf_putc(out, '"');
}
