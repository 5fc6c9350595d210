/* SPDX-License-Identifier: ISC */
/* Paths through JSON and back: any bytes that a name may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/pathjson.h"

static const char *const paths[] = {"", "a/b", "gr\xc3\xbc\xc3\x9f", "\xff",
    "a\xc3", "a\xc3/b", "\xed\xa0\x80", "ff", "/ff"};

#define COUNT (sizeof(paths) / sizeof(paths)[0])

static json_t *
written(const char *path)
{
	json_t *doc = json_object();
	char *text;

	pathjson_put(doc, path);
	text = json_dumps(doc, 0);
	json_decref(doc);
	assert_non_null(text);
	doc = json_loads(text, 0, NULL);
	free(text);
	return doc;
}

static void
every_byte_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		json_t *doc = written(paths[i]);
		char *back = pathjson_take(doc);

		assert_string_equal(back, paths[i]);
		for (size_t j = 0; j < COUNT; j++)
			assert_int_equal(pathjson_is(doc, paths[j]), i == j);
		free(back);
		json_decref(doc);
	}
}

static void
what_is_text_stays_readable(void **state)
{
	json_t *doc = written("a/b");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(doc, "path")),
	    "a/b");
	assert_null(json_object_get(doc, "hex"));
	json_decref(doc);
}

/* Two names that read alike are two members. */
static void
keys_differ_as_paths_do(void **state)
{
	char *a = pathjson_key("a\xc3"), *b = pathjson_key("a\xc4");

	(void)state;
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static void
without_a_path_there_is_none(void **state)
{
	json_t *doc = json_object();

	(void)state;
	assert_null(pathjson_take(doc));
	assert_false(pathjson_is(doc, ""));
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_comes_back),
	    cmocka_unit_test(what_is_text_stays_readable),
	    cmocka_unit_test(keys_differ_as_paths_do),
	    cmocka_unit_test(without_a_path_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
