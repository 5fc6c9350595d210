/* SPDX-License-Identifier: ISC */
/*
 * Values of a configuration. A default is text like any value, so that it
 * goes through the same parser and the same bounds.
 */
#include "common/conf_value.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <libutil.h>

#include "common/clock.h"
#include "common/utf8.h"

static int
wrong(struct conf_file *f, const char *path, const char *what)
{
	conf_error(f, path, "must be %s", what);
	return 1;
}

static bool
among(const char *words, const char *s)
{
	size_t len, want = strlen(s);

	for (;;) {
		len = strcspn(words, "|");
		if (len == want && strncmp(words, s, len) == 0)
			return true;
		if (words[len] == '\0')
			return false;
		words += len + 1;
	}
}

static bool
is_utf8(const char *s)
{
	size_t n = 1, left = strlen(s);

	for (; left > 0 && n > 0; s += n, left -= n)
		n = utf8_sequence(s, left);
	return n > 0;
}

static int
bind_string(struct conf_file *f, const struct conf_key *k, const char *s,
    const char *path, char *at)
{
	char *copy;

	if (k->words != NULL && !among(k->words, s)) {
		conf_error(f, path, "\"%s\" is none of %s", s, k->words);
		return 1;
	}
	if (s[0] == '\0' && k->dflt == NULL)
		return wrong(f, path, "not empty");
	copy = k->type == CONF_PATH ? conf_absolute(f, s) : xstrdup(s);
	memcpy(at, &copy, sizeof(copy));
	if (k->type == CONF_PATH && strlen(copy) >= PATH_MAX)
		return wrong(f, path, "a shorter path");
	/* Cursors, records and states are JSON, and paths stand in them. */
	if (k->type == CONF_PATH && !is_utf8(copy))
		return wrong(f, path,
		    "UTF-8, as must the names of the directories that the "
		    "configuration lies in");
	return 0;
}

static int
bind_bool(struct conf_file *f, const char *s, const char *path, char *at)
{
	bool value = strcmp(s, "true") == 0;

	if (!value && strcmp(s, "false") != 0)
		return wrong(f, path, "true or false");
	memcpy(at, &value, sizeof(value));
	return 0;
}

static int
parse_number(const struct conf_key *k, const char *s, int64_t *value)
{
	const char *err = NULL;
	uint64_t bytes;

	if (k->type == CONF_SPAN)
		return clock_parse_span(s, value);
	if (k->type == CONF_COUNT) {
		*value = strtonum(s, INT64_MIN, INT64_MAX, &err);
		return err == NULL ? 0 : -1;
	}
	/* expand_number(3) takes a sign and blanks, and wraps */
	if (s[0] < '0' || s[0] > '9' || expand_number(s, &bytes) == -1 ||
	    bytes > INT64_MAX)
		return -1;
	*value = (int64_t)bytes;
	return 0;
}

static void
format_number(enum conf_type type, int64_t value, char *out, size_t size)
{
	static const char unit[] = {'\0', 'K', 'M', 'G', 'T'};
	char *text;
	size_t u = 0;

	if (type == CONF_SPAN) {
		clock_format_span(value, out, size);
		return;
	}
	if (type == CONF_BYTES)
		while (
		    u + 1 < sizeof(unit) && value != 0 && value % 1024 == 0) {
			value /= 1024;
			u++;
		}
	text = xasprintf("%lld%c", (long long)value, unit[u]);
	(void)strlcpy(out, text, size);
	free(text);
}

static int
bind_number(struct conf_file *f, const struct conf_key *k, const char *s,
    const char *path, char *at)
{
	char low[32], high[32];
	int64_t value;

	if (parse_number(k, s, &value) == -1)
		return wrong(f, path,
		    k->type == CONF_SPAN    ? "a span of time such as 30s"
		    : k->type == CONF_BYTES ? "a size such as 10M"
					    : "a whole number");
	if (value < k->min || value > k->max) {
		format_number(k->type, k->min, low, sizeof(low));
		format_number(k->type, k->max, high, sizeof(high));
		conf_error(f, path, "%s is not between %s and %s", s, low,
		    high);
		return 1;
	}
	memcpy(at, &value, sizeof(value));
	return 0;
}

static int
bind_text(struct conf_file *f, const struct conf_key *k, const char *s,
    const char *path, char *at)
{
	if (k->type == CONF_STRING || k->type == CONF_PATH)
		return bind_string(f, k, s, path, at);
	if (k->type == CONF_BOOL)
		return bind_bool(f, s, path, at);
	return bind_number(f, k, s, path, at);
}

static int
bind_scalar(struct conf_file *f, const struct conf_key *k, const json_t *v,
    const char *path, char *at)
{
	char *text;
	int errors;

	if (json_is_string(v))
		return bind_text(f, k, json_string_value(v), path, at);
	if (json_is_boolean(v))
		return k->type == CONF_BOOL
			   ? bind_text(f, k, json_is_true(v) ? "true" : "false",
				 path, at)
			   : wrong(f, path, "another kind of value; quote it");
	if (!json_is_number(v))
		return wrong(f, path, "a single value");
	if (k->type == CONF_STRING || k->type == CONF_PATH)
		return wrong(f, path, "text; quote the number");
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	errors = bind_text(f, k, text != NULL ? text : "", path, at);
	free(text);
	return errors;
}

/* A lone text stands for a list of one. */
static int
bind_strings(struct conf_file *f, const struct conf_key *k, const json_t *v,
    const char *path, char *at)
{
	struct conf_strings list = {0};
	const json_t *item;
	size_t i, n = json_is_string(v) ? 1 : json_array_size(v);
	const char *s;

	if (!json_is_string(v) && !json_is_array(v))
		return wrong(f, path, "a list of texts");
	list.items = xcalloc(n + 1, sizeof(*list.items));
	for (i = 0; i < n; i++) {
		item = json_is_string(v) ? v : json_array_get(v, i);
		s = json_string_value(item);
		if (s == NULL || s[0] == '\0')
			break;
		list.items[list.count++] =
		    k->type == CONF_PATHS ? conf_absolute(f, s) : xstrdup(s);
	}
	memcpy(at, &list, sizeof(list));
	return i == n ? 0
		      : wrong(f, path, "a list of texts that are not empty");
}

static int
bind_pairs(struct conf_file *f, const json_t *v, const char *path, char *at)
{
	struct conf_pairs pairs = {0};
	json_t *map = json_deep_copy(v);
	const char *name, *s;
	json_t *item;
	int errors = 0;

	if (!json_is_object(map)) {
		json_decref(map);
		return wrong(f, path, "a mapping of texts");
	}
	pairs.names = xcalloc(json_object_size(map) + 1, sizeof(char *));
	pairs.values = xcalloc(json_object_size(map) + 1, sizeof(char *));
	json_object_foreach (map, name, item) {
		s = json_string_value(item);
		if (s == NULL || s[0] == '\0' || name[0] == '\0') {
			errors += wrong(f, path, "a mapping of texts");
			continue;
		}
		pairs.names[pairs.count] = xstrdup(name);
		pairs.values[pairs.count++] = xstrdup(s);
	}
	json_decref(map);
	memcpy(at, &pairs, sizeof(pairs));
	return errors;
}

static bool
is_many(enum conf_type type)
{
	return type == CONF_STRINGS || type == CONF_PATHS || type == CONF_PAIRS;
}

int
conf_value_bind(struct conf_file *f, const struct conf_key *k, const json_t *v,
    const char *path, char *at)
{
	if (v == NULL && k->dflt == NULL) {
		conf_error(f, path, "missing");
		return 1;
	}
	if (v == NULL && is_many(k->type))
		return 0; /* the zeroed struct is the empty list */
	if (v == NULL)
		return bind_text(f, k, k->dflt, path, at);
	if (k->type == CONF_PAIRS)
		return bind_pairs(f, v, path, at);
	if (is_many(k->type))
		return bind_strings(f, k, v, path, at);
	return bind_scalar(f, k, v, path, at);
}

static void
free_all(char **items, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(items[i]);
	free(items);
}

void
conf_value_free(const struct conf_key *k, char *at)
{
	struct conf_strings list;
	struct conf_pairs pairs;
	char *s, *none = NULL;

	if (k->type == CONF_STRING || k->type == CONF_PATH) {
		memcpy(&s, at, sizeof(s));
		free(s);
		memcpy(at, &none, sizeof(none));
	} else if (k->type == CONF_PAIRS) {
		memcpy(&pairs, at, sizeof(pairs));
		free_all(pairs.names, pairs.count);
		free_all(pairs.values, pairs.count);
		memset(at, 0, sizeof(pairs));
	} else if (is_many(k->type)) {
		memcpy(&list, at, sizeof(list));
		free_all(list.items, list.count);
		memset(at, 0, sizeof(list));
	}
}
