/* SPDX-License-Identifier: ISC */
/* The words of the notify protocol that a supervised daemon may say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "watchdog/notify.h"

static bool
says(const char *line, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(line, word, len) == 0;
}

static const char *
value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && memcmp(line, name, n) == 0 ? line + n : NULL;
}

/* Digits only, up to the line's end; false leaves out alone. */
static bool
number(const char *digits, const char *end, uint64_t *out)
{
	uint64_t n = 0;

	if (digits == end || end - digits > 18)
		return false;
	for (; digits < end; digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		n = n * 10 + (uint64_t)(*digits - '0');
	}
	*out = n;
	return true;
}

/* The status is shown on terminals and put into JSON: printable ASCII. */
static void
take_status(const char *text, size_t len, struct notify *out)
{
	size_t i;

	if (len > NOTIFY_STATUS)
		len = NOTIFY_STATUS;
	for (i = 0; i < len; i++)
		out->status[i] =
		    (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	out->status[len] = '\0';
	out->has_status = true;
}

static bool
take_line(const char *line, size_t len, struct notify *out)
{
	const char *end = line + len;
	const char *v;
	uint64_t n = 0;

	if (says(line, len, "READY=1"))
		return out->ready = true;
	if (says(line, len, "WATCHDOG=1"))
		return out->beat = true;
	if (says(line, len, "STOPPING=1"))
		return out->stopping = true;
	v = value(line, len, "X_WORK=");
	if (v != NULL && number(v, end, &n)) {
		out->work = n;
		return out->has_work = true;
	}
	v = value(line, len, "X_BUSY_MS=");
	if (v != NULL && number(v, end, &n)) {
		out->busy_ms = (int64_t)n;
		return true;
	}
	v = value(line, len, "STATUS=");
	if (v == NULL)
		return false;
	take_status(v, (size_t)(end - v), out);
	return true;
}

bool
notify_parse(const char *bytes, size_t len, struct notify *out)
{
	const char *end = bytes + len;
	const char *line = bytes, *stop;
	bool known = false;

	memset(out, 0, sizeof *out);
	if (len == 0 || len > NOTIFY_MAX || memchr(bytes, '\0', len) != NULL)
		return false;
	for (; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		if (take_line(line, (size_t)(stop - line), out))
			known = true;
	}
	return known;
}

int64_t
notify_arrival(int64_t now_ms, int64_t age_us, int64_t empty_ms)
{
	int64_t at_ms = now_ms - (age_us > 0 ? age_us / 1000 : 0);

	return at_ms > empty_ms ? at_ms : empty_ms;
}
