/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/merge.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define BOM "\xef\xbb\xbf"

static char *
merge(const char *text, const char *patch, json_t **error)
{
	json_t *p = json_loads(patch, 0, NULL);
	struct buf out = {0};
	int answer;

	assert_non_null(p);
	answer = merge_apply(text, strlen(text), p, &out, error);
	json_decref(p);
	if (answer == 0)
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

static const struct {
	const char *text, *patch, *want;
} merges[] = {
    /* replaced in place; numbers, order and blanks stay */
    {"{\"a\":1,\"b\":2}", "{\"a\":3}", "{\"a\":3,\"b\":2}"},
    {"{ \"a\" : 1 , \"b\" : 12345678901234567890.50 }\n", "{\"a\":\"x\"}",
	"{ \"a\" : \"x\" , \"b\" : 12345678901234567890.50 }\n"},
    {"{\"b\":1e2,\"a\":\"\\u00e9\\/\"}", "{\"c\":true}",
	"{\"b\":1e2,\"a\":\"\\u00e9\\/\",\"c\":true}"},
    /* the same value keeps its spelling */
    {"{\"a\": 1.50, \"b\": \"\\u0041\"}", "{\"a\":1.5,\"b\":\"A\"}",
	"{\"a\": 1.50, \"b\": \"\\u0041\"}"},
    /* members go with their comma */
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":null}", "{\"b\":2,\"c\":3}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":null}", "{\"a\":1,\"c\":3}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":null}", "{\"a\":1,\"b\":2}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":null,\"c\":null}", "{\"a\":1}"},
    {"{\"a\":1,\"b\":2}", "{\"a\":null,\"b\":null}", "{}"},
    {"{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\"a\":null}", "{\n  \"b\": 2\n}\n"},
    {"{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\"b\":null}", "{\n  \"a\": 1\n}\n"},
    {"{\n  \"a\": 1\n}\n", "{\"a\":null,\"b\":2}", "{\n  \"b\": 2\n}\n"},
    {"{\"a\":1}", "{\"x\":null}", "{\"a\":1}"},
    /* additions in the style of the neighbours */
    {"{\n  \"a\": 1\n}\n", "{\"b\":{\"c\":[1,2],\"d\":{}}}",
	"{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n      1,\n      2\n"
	"    ],\n    \"d\": {}\n  }\n}\n"},
    {"{\n\t\"a\":1\n}", "{\"b\":[true]}",
	"{\n\t\"a\":1,\n\t\"b\":[\n\t\ttrue\n\t]\n}"},
    {"{\"a\": 1, \"b\": 2}", "{\"c\":{\"d\":1,\"e\":2}}",
	"{\"a\": 1, \"b\": 2, \"c\": {\"d\": 1, \"e\": 2}}"},
    {"{\r\n  \"a\": 1\r\n}\r\n", "{\"b\":{\"c\":2}}",
	"{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": 2\r\n  }\r\n}"
	"\r\n"},
    {"{}", "{\"a\":1}", "{\n  \"a\": 1\n}"},
    {"{\n  \"a\": {}\n}\n", "{\"a\":{\"b\":1}}",
	"{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"},
    {"{\"a\":{}}", "{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"},
    /* nested, as far as both are objects */
    {"{\n    \"o\": {\n        \"x\": 1,\n        \"y\": 2\n    },\n"
     "    \"z\": 0\n}\n",
	"{\"o\":{\"x\":null,\"n\":{\"m\":1}}}",
	"{\n    \"o\": {\n        \"y\": 2,\n        \"n\": {\n"
	"            \"m\": 1\n        }\n    },\n    \"z\": 0\n}\n"},
    {"{\"a\":[{\"b\":1}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"{\"a\":[1]}", "{\"a\":{\"b\":1,\"c\":null}}", "{\"a\":{\"b\":1}}"},
    {"{\"a\":\"b\"}", "{\"a\":{\"b\":{\"c\":null}}}", "{\"a\":{\"b\":{}}}"},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    /* keys are what they decode to */
    {"{\"\\u0061\":1}", "{\"a\":2}", "{\"\\u0061\":2}"},
    {"{\"\\ud83d\\ude00\":1}", "{\"\xf0\x9f\x98\x80\":2}",
	"{\"\\ud83d\\ude00\":2}"},
    {BOM "{\"a\":1}", "{\"a\":2}", BOM "{\"a\":2}"},
    {" \n{\"a\":1}\n\n", "{\"a\":0.1}", " \n{\"a\":0.1}\n\n"},
    {"{\"a\":1}", "{\"b\":\"\\u0001\\\"\"}", "{\"a\":1,\"b\":\"\\u0001\\\"\"}"},
};

static void
changes_only_what_the_patch_names(void **state)
{

	(void)state;
	for (size_t i = 0; i < LENGTH(merges); i++) {
		json_t *error = NULL;
		char *got = merge(merges[i].text, merges[i].patch, &error);

		if (got == NULL || strcmp(got, merges[i].want) != 0)
			fail_msg("row %zu: %s, %s", i, got != NULL ? got : "-",
			    error != NULL ? json_dumps(error, 0) : "");
		free(got);
	}
}

static void
refuses_what_is_no_json_object(void **state)
{
	static const struct {
		const char *text;
		int line, column;
	} rows[] = {
	    {"", 1, 1},
	    {"[1]", 1, 1},
	    {"3", 1, 1},
	    {"{\"a\":1,}", 1, 8},
	    {"{\n  // note\n  \"a\": 1\n}", 2, 3},
	    {"{\"a\":1 /* x */}", 1, 8},
	    {"{\"a\":1}\n# x\n", 2, 1},
	    {"{\"a\":1,\n\"a\":2}", 2, 1},
	    {"{\"a\":1,\"\\u0061\":2}", 1, 8},
	    {"{\"b\":[{\"a\":1,\"a\":2}]}", 1, 14},
	    {"{'a':1}", 1, 2},
	    {"{\"a\":01}", 1, 7},
	    {"{\"a\":+1}", 1, 6},
	    {"{\"a\":1.}", 1, 8},
	    {"{\"a\":NaN}", 1, 6},
	    {"{\"a\":\"\t\"}", 1, 7},
	    {"{\"a\":\"\\x\"}", 1, 8},
	    {"{\"a\":\"\\u12g4\"}", 1, 9},
	    {"{\"a\":1} x", 1, 9},
	    {"{\"a\":\"x", 1, 8},
	    {"{\"a\" 1}", 1, 6},
	    {"{\"a\":\"\xff\"}", 1, 7},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		json_t *error = NULL, *d;
		char *got = merge(rows[i].text, "{\"a\":2}", &error);

		if (got != NULL)
			fail_msg("row %zu: %s", i, got);
		d = json_object_get(error, "first_divergence");
		if (json_integer_value(json_object_get(d, "file_line")) !=
			rows[i].line ||
		    json_integer_value(json_object_get(d, "file_column")) !=
			rows[i].column)
			fail_msg("row %zu: %s", i, json_dumps(error, 0));
		json_decref(error);
	}
}

static void
deep_texts_are_refused(void **state)
{
	struct buf b = {0};
	json_t *error = NULL;

	(void)state;
	buf_puts(&b, "{\"a\":");
	for (int i = 0; i < 100000; i++)
		buf_putc(&b, '[');
	assert_null(merge(b.bytes, "{\"b\":1}", &error));
	json_decref(error);
	buf_free(&b);
}

/* Random documents: the result says what RFC 7396 says, and a merge of what
 * is there already changes no byte. */
static json_t *
random_value(unsigned *seed, int depth)
{
	unsigned kind = (*seed = *seed * 1103515245u + 12345u) >> 16;
	json_t *v;

	if (depth == 0 || kind % 8 < 4)
		return kind % 8 == 0 ? json_null()
				     : json_integer((json_int_t)(kind % 100));
	v = kind % 8 == 4 ? json_array() : json_object();
	for (unsigned i = 0; i < kind / 8 % 5; i++) {
		char key[2] = {(char)('a' + (kind + 3 * i) % 7), '\0'};

		if (json_is_array(v))
			json_array_append_new(v, json_integer(i));
		else
			json_object_set_new(v, key,
			    random_value(seed, depth - 1));
	}
	return v;
}

static json_t *
by_the_rfc(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *v;

	if (!json_is_object(patch))
		return json_deep_copy(patch);
	target =
	    json_is_object(target) ? json_deep_copy(target) : json_object();
	json_object_foreach ((json_t *)(uintptr_t)patch, key, v) {
		if (json_is_null(v))
			(void)json_object_del(target, key);
		else
			json_object_set_new(target, key,
			    by_the_rfc(json_object_get(target, key), v));
	}
	return target;
}

static void
random_merges_are_the_rfcs(void **state)
{
	static const size_t styles[] = {JSON_COMPACT, 0, JSON_INDENT(2),
	    JSON_INDENT(4) | JSON_SORT_KEYS};
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		json_t *doc = json_object(), *patch = json_object();
		json_t *want, *have, *error = NULL;
		char *text, *out, *again, *p;

		json_object_update_new(doc,
		    json_pack("{s:o}", "r", random_value(&seed, 4)));
		json_object_set_new(doc, "s", random_value(&seed, 3));
		json_object_set_new(patch, "r", random_value(&seed, 4));
		json_object_set_new(patch, "t", random_value(&seed, 2));
		text = json_dumps(doc, styles[i % 4]);
		p = json_dumps(patch, 0);
		out = merge(text, p, &error);
		assert_non_null(out);
		have = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
		want = by_the_rfc(doc, patch);
		if (!json_equal(have, want))
			fail_msg("%s + %s = %s", text, p, out);
		again = merge(out, p, &error);
		assert_string_equal(again, out);
		free(again);
		free(out);
		free(text);
		free(p);
		json_decref(doc);
		json_decref(patch);
		json_decref(want);
		json_decref(have);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(changes_only_what_the_patch_names),
	    cmocka_unit_test(refuses_what_is_no_json_object),
	    cmocka_unit_test(deep_texts_are_refused),
	    cmocka_unit_test(random_merges_are_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
