/* SPDX-License-Identifier: ISC */
#include "ctl/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/buf.h"
#include "ctl/table.h"

static void
dump(json_t *value, size_t flags)
{
	(void)json_dumpf(value, stdout, flags | JSON_ENCODE_ANY);
	(void)putchar('\n');
	json_decref(value);
}

void
out_json(json_t *value)
{
	dump(value, JSON_INDENT(2));
}

void
out_json_line(json_t *value)
{
	dump(value, JSON_COMPACT);
}

void
out_field(const char *label, const char *text)
{
	char *clean;

	if (text == NULL || text[0] == '\0')
		return;
	clean = table_clean(text);
	(void)printf("  %-11s %s\n", label, clean);
	free(clean);
}

void
out_fieldf(const char *label, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	out_field(label, text.bytes);
	buf_free(&text);
}

void
out_time(int64_t wall_us, char *text, size_t size)
{
	time_t t = (time_t)(wall_us / 1000000);
	struct tm tm;

	text[0] = '\0';
	if (wall_us > 0 && localtime_r(&t, &tm) != NULL &&
	    strftime(text, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		text[0] = '\0';
}

const char *
out_string(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "";
}
