/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as flags, a pattern, a replacement and a file, parted by NULs: a
 * result within the limit or a record that says why not, and no hang.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "executor/pattern.h"

#define MAX 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes up to the next NUL, which goes; a copy, as documents give it. */
static struct plan_text
part(const char **at, const char *end)
{
	const char *nul = memchr(*at, '\0', (size_t)(end - *at));
	struct plan_text t = {NULL, (size_t)((nul != NULL ? nul : end) - *at)};

	t.bytes = xstrndup(*at, t.len);
	*at = nul != NULL ? nul + 1 : end;
	return t;
}

static void
try_pattern(const struct pattern *p, const char *text, size_t len)
{
	int64_t began = clock_mono_ms();
	struct buf out = {0};
	json_t *error = NULL;
	int answer = pattern_replace(p, text, len, &out, &error);

	if (answer == 0 ? error != NULL || out.len > MAX
			: json_object_get(error, "hint") == NULL)
		abort();
	if (clock_mono_ms() - began > 2 * PATTERN_MS)
		abort();
	json_decref(error);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct plan_text flags = part(&at, end), expression = part(&at, end),
			 replacement = part(&at, end);
	struct pattern p = {expression, replacement, flags.bytes, MAX};
	char why[256];
	size_t offset;

	if (flags.bytes[strspn(flags.bytes, "gimsuy")] == '\0' &&
	    expression.len > 0) {
		if (pattern_check(&p, why, sizeof(why), &offset))
			try_pattern(&p, at, (size_t)(end - at));
		else if (offset > expression.len || why[0] == '\0')
			abort();
	}
	free(flags.bytes);
	free(expression.bytes);
	free(replacement.bytes);
	return 0;
}
