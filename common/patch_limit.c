/* SPDX-License-Identifier: ISC */
/* limits: spans, sizes and counts as integers. */
#include <ctype.h>
#include <string.h>

#include "common/clock.h"
#include "common/patch_part.h"

/* "2G", "512M", 1048576: bytes, or -1. */
static int64_t
parse_size(const json_t *v)
{
	static const char units[] = "KMGT";
	const char *s = json_string_value(v), *unit;
	int64_t n = 0;

	if (json_is_integer(v))
		return json_integer_value(v);
	if (s == NULL || !isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *s - '0', &n))
			return -1;
	if (*s == '\0')
		return n;
	unit = strchr(units, toupper((unsigned char)*s));
	s++;
	if (unit == NULL || strspn(s, "iB") != strlen(s))
		return -1;
	for (; unit >= units; unit--)
		if (__builtin_mul_overflow(n, 1024, &n))
			return -1;
	return n;
}

static int64_t
parse_span(const json_t *v)
{
	int64_t ms;

	if (json_is_integer(v)) {
		ms = json_integer_value(v);
		return ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : -1;
	}
	if (!json_is_string(v) ||
	    clock_parse_span(json_string_value(v), &ms) == -1)
		return -1;
	return ms;
}

static int64_t
parse_count(const json_t *v)
{
	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static const struct {
	const char *key;
	const char *canonical;
	int64_t (*parse)(const json_t *);
	const char *form;
} limits[] = {
    {"timeout", "timeout_ms", parse_span, "a span like 300s"},
    {"command_timeout", "command_timeout_ms", parse_span, "a span like 30s"},
    {"commandTimeout", "command_timeout_ms", parse_span, "a span like 30s"},
    {"memory", "memory_bytes", parse_size, "a size like 2G"},
    {"processes", "processes", parse_count, "a number from 1"},
    {"cpu_time", "cpu_time_ms", parse_span, "a span like 60s"},
    {"disk", "disk_bytes", parse_size, "a size like 512M"},
    {"file_size", "file_size_bytes", parse_size, "a size like 10M"},
    {"timeout_ms", "timeout_ms", parse_count, "a number from 1"},
    {"command_timeout_ms", "command_timeout_ms", parse_count,
	"a number from 1"},
    {"memory_bytes", "memory_bytes", parse_count, "a number from 1"},
    {"cpu_time_ms", "cpu_time_ms", parse_count, "a number from 1"},
    {"disk_bytes", "disk_bytes", parse_count, "a number from 1"},
    {"file_size_bytes", "file_size_bytes", parse_count, "a number from 1"},
};

static bool
put_limit(struct front *f, const char *key, const json_t *v, struct where at,
    json_t *out)
{
	if (strcmp(key, "network") == 0) {
		if (!json_is_boolean(v))
			return patch_refuse(f, PATCH_INVALID, at,
			    "network must be true or false");
		patch_put(out, key, json_boolean(json_is_true(v)));
		return true;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int64_t n;

		if (strcmp(key, limits[i].key) != 0)
			continue;
		n = limits[i].parse(v);
		if (n < 1)
			return patch_refuse(f, PATCH_INVALID, at,
			    "%s must be %s", key, limits[i].form);
		patch_put(out, limits[i].canonical, json_integer(n));
		return true;
	}
	(void)patch_refuse(f, PATCH_INVALID, at, "a limit that does not exist");
	return patch_hint(f, "timeout, command_timeout, memory, processes, "
			     "cpu_time, disk, file_size, network");
}

/* The runner of those days wrote its own limits in milliseconds. */
static void
put_old_limits(struct front *f)
{
	const json_t *v =
	    json_object_get(patch_get(f, "constraints", NULL), "maxRuntimeMs");
	json_t *known = json_object_get(f->form, "limits");

	if (v == NULL)
		v = json_object_get(patch_get(f, "execution", NULL), "timeout");
	if (!json_is_integer(v) || json_integer_value(v) < 1 || known != NULL)
		return;
	patch_put(f->form, "limits",
	    json_pack("{s:I}", "timeout_ms", json_integer_value(v)));
}

bool
patch_put_limits(struct front *f)
{
	struct where at;
	const json_t *v = patch_get(f, "limits", &at);
	void *it = json_object_iter((json_t *)(uintptr_t)v);
	json_t *out = json_object();

	if (v != NULL && !json_is_object(v)) {
		json_decref(out);
		return patch_refuse(f, PATCH_INVALID, at,
		    "limits must be a mapping");
	}
	for (; it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
		const char *key = json_object_iter_key(it);

		if (!put_limit(f, key, json_object_iter_value(it),
			patch_key(at, key), out)) {
			json_decref(out);
			return false;
		}
	}
	if (json_object_size(out) > 0)
		patch_put(f->form, "limits", out);
	else
		json_decref(out);
	put_old_limits(f);
	return true;
}
