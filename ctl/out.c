/* SPDX-License-Identifier: ISC */
#include "ctl/out.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/doc.h"
#include "common/utf8.h"
#include "ctl/table.h"

/* For --json: was there a result, and what was complained of. */
static bool printed;
static json_t *complaints;

/* What a terminal would obey is escaped; jansson does that for C0 only. In
 * YAML too it stands between double quotes, where that is the same. */
static void
put_escaped(const char *text)
{
	const char *end = text + strlen(text);
	size_t n;

	for (; text < end; text += n) {
		n = utf8_sequence(text, (size_t)(end - text));
		if (*text == '\n' || !utf8_is_tricky(text))
			(void)fwrite(text, 1, n, stdout);
		else
			(void)printf("\\u%04x", utf8_code(text, n));
	}
}

static void
dump(json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags | JSON_ENCODE_ANY);

	put_escaped(text != NULL ? text : "null");
	(void)putchar('\n');
	printed = true;
	free(text);
	json_decref(value);
}

void
out_json(json_t *value)
{
	dump(value, JSON_INDENT(2));
}

void
out_list(json_t *list, int status)
{
	if (status != 0 && json_array_size(list) == 0)
		json_decref(list);
	else
		out_json(list);
}

void
out_yaml(const json_t *value)
{
	char *text = doc_emit_yaml(value);

	put_escaped(text);
	free(text);
}

void
out_json_line(json_t *value)
{
	dump(value, JSON_COMPACT);
}

void
out_complain(const char *line)
{
	char *clean = table_clean(line);

	(void)fflush(stdout);
	(void)fprintf(stderr, "%s\n", clean);
	if (complaints == NULL)
		complaints = json_array();
	json_array_append_new(complaints, json_string(clean));
	free(clean);
}

void
out_complain_all(const char *lines)
{
	char *copy = xstrdup(lines), *rest = copy;
	const char *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			out_complain(line);
	free(copy);
}

void
out_failure(int status)
{
	if (!printed)
		out_json(json_pack("{s:b, s:i, s:o}", "ok", 0, "status", status,
		    "errors",
		    complaints != NULL ? json_incref(complaints)
				       : json_array()));
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

long long
out_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void
out_lines(const char *margin, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *clean;
	const char *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (rest == NULL && line[0] == '\0')
			break; /* behind the last newline */
		clean = table_clean(line);
		(void)printf("%s%s\n", margin, clean);
		free(clean);
	}
	free(copy);
}

char *
out_command_end(const json_t *command)
{
	const json_t *code = json_object_get(command, "exit_code");
	const json_t *signal = json_object_get(command, "signal");
	const char *why = out_string(command, "reason");
	bool exited = json_is_integer(code);
	bool said = strcmp(why, "exit") == 0 || strcmp(why, "signal") == 0;
	char span[64];

	if (!exited && !json_is_integer(signal))
		return xstrdup(why);
	clock_human_span(
	    json_integer_value(json_object_get(command, "duration_ms")), span,
	    sizeof(span));
	return xasprintf("%s %lld, %s%s%s", exited ? "exit" : "signal",
	    json_integer_value(exited ? code : signal), span,
	    said || why[0] == '\0' ? "" : ", ", said ? "" : why);
}
