/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "executor/pattern.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MAX ((size_t)10 << 20)

static char *
replace(const char *text, const char *pattern, const char *with,
    const char *flags, json_t **error)
{
	char *bytes[] = {xstrdup(pattern), xstrdup(with)};
	struct pattern p = {{bytes[0], strlen(pattern)},
	    {bytes[1], strlen(with)}, flags, MAX};
	struct buf out = {0};
	int answer = pattern_replace(&p, text, strlen(text), &out, error);

	free(bytes[0]);
	free(bytes[1]);
	if (answer == 0)
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

/* What String.prototype.replace() of ECMAScript gives, but for the line ends
 * of CRLF, which are one here. */
static const struct {
	const char *text, *pattern, *with, *flags, *want;
} replacements[] = {
    {"aba", "a", "x", "", "xba"},
    {"aba", "a", "x", "g", "xbx"},
    {"aBA", "a", "x", "gi", "xBx"},
    {"a\nb", "^b", "x", "m", "a\nx"},
    {"a\nb", "a.b", "x", "s", "x"},
    {"a1b2", "([a-z])(\\d)", "$2$1", "g", "1a2b"},
    {"abc", "b", "[$&]", "", "a[b]c"},
    {"abc", "b", "[$`]", "", "a[a]c"},
    {"abc", "b", "[$']", "", "a[c]c"},
    {"abc", "b", "$$", "", "a$c"},
    {"abc", "b", "$", "", "a$c"},
    {"abc", "b", "$0", "", "a$0c"},
    {"abc", "b", "$1", "", "a$1c"},
    {"abc", "(b)", "$2", "", "a$2c"},
    {"abc", "(b)", "$10", "", "ab0c"},
    {"abc", "(b)", "$01", "", "abc"},
    {"abc", "(b)", "$00", "", "a$00c"},
    {"abc", "(b)|(x)", "<$2>", "", "a<>c"},
    {"abc", "(?<n>b)", "<$<n>>", "", "a<b>c"},
    {"abc", "(?<n>b)", "<$<m>>", "", "a<>c"},
    {"abc", "(b)", "$<n>", "", "a$<n>c"},
    {"abc", "(?<n>b)", "$<n", "", "a$<nc"},
    {"abcdefghijk", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "$11-$12", "", "k-a2"},
    {"abc", "x*", "-", "g", "-a-b-c-"},
    {"abc", "b*", "-", "g", "-a--c-"},
    {"aab", "a", "x", "gy", "xxb"},
    {"baa", "a", "x", "g", "bxx"},
    {"a\xc3\xa9z", "a.z", "x", "", "x"},
    {"\xc3\xa9\xc3\xa8", "[\xc3\xa9]", "e", "g", "e\xc3\xa8"},
    {"\xf0\x9f\x98\x80", "", "-", "gu", "-\xf0\x9f\x98\x80-"},
    {"\xf0\x9f\x98\x80", "\\u{1F600}", "x", "u", "x"},
    {"a\xff"
     "b\xff",
	"b", "c", "g",
	"a\xff"
	"c\xff"},
    {"a-b", "[^]", "x", "g", "xxx"},
    {"ab", "a(?=b)", "x", "", "xb"},
    {"ab", "(?<=a)b", "x", "", "ax"},
    {"x=1\r\ny=2\r\n", "^y=.*$", "y=3", "m", "x=1\r\ny=3\r\n"},
    {"one\n", "e$", "x", "m", "onx\n"},
    {"a\nb\n", "^", "-", "gm", "-a\n-b\n-"},
    {"", "^", "x", "", "x"},
    {"aaa", "a{2}", "b", "g", "ba"},
    {"tel 555", "(\\w+) (?<n>\\d+)", "$<n> $1", "", "555 tel"},
};

static void
replaces_as_javascript_does(void **state)
{

	(void)state;
	for (size_t i = 0; i < LENGTH(replacements); i++) {
		json_t *error = NULL;
		char *got =
		    replace(replacements[i].text, replacements[i].pattern,
			replacements[i].with, replacements[i].flags, &error);

		if (got == NULL || strcmp(got, replacements[i].want) != 0)
			fail_msg("row %zu: %s, %s", i, got != NULL ? got : "-",
			    error != NULL ? json_dumps(error, 0) : "");
		free(got);
	}
}

static void
refuses_with_a_record(void **state)
{
	static const struct {
		const char *text, *pattern, *flags, *code;
	} rows[] = {
	    {"abc", "x", "", "not-found"},
	    {"abc", "b", "y", "not-found"},
	    {"", "x", "g", "not-found"},
	    {"a\nb", "^b", "", "not-found"},
	    {"one\n", "e$", "", "not-found"},
	    {"a\xff", "a", "u", "not-utf8"},
	    {"a\xff\xe9", "\xc3\xa9", "", "not-utf8"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "^(a+)+$",
		"", "pattern-limit"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		json_t *error = NULL;
		char *got = replace(rows[i].text, rows[i].pattern, "x",
		    rows[i].flags, &error);

		if (got != NULL)
			fail_msg("row %zu: %s", i, got);
		assert_string_equal(
		    json_string_value(json_object_get(error, "code")),
		    rows[i].code);
		assert_true(
		    json_string_length(json_object_get(error, "hint")) > 10);
		json_decref(error);
	}
}

static void
says_where_a_pattern_is_wrong(void **state)
{
	static const struct {
		const char *pattern;
		size_t offset;
	} rows[] = {
	    {"a(b", 3},
	    {"a)", 1},
	    {"[a", 2},
	    {"*", 0},
	    {"a{2,1}", 5},
	    {"(?<n", 4},
	    {"\\", 1},
	};
	char text[32], why[200];
	size_t offset;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct pattern p = {{text, strlen(rows[i].pattern)}, {text, 0},
		    "", 0};

		(void)strlcpy(text, rows[i].pattern, sizeof(text));
		why[0] = '\0';
		assert_false(pattern_check(&p, why, sizeof(why), &offset));
		if (offset != rows[i].offset || why[0] == '\0')
			fail_msg("%s: %zu, %s", rows[i].pattern, offset, why);
	}
}

/* Slow from one start, slow from each of many starts, deep, wide. */
static void
none_hangs(const char *const *patterns, size_t count, size_t len)
{
	char *text = xmalloc(len + 1);

	memset(text, 'a', len);
	text[len - 1] = '!';
	text[len] = '\0';
	for (size_t i = 0; i < count; i++) {
		int64_t began = clock_mono_ms();
		json_t *error = NULL;
		char *got = replace(text, patterns[i], "x", "g", &error);
		int64_t took = clock_mono_ms() - began;

		/* What matters is the end, not which of the limits it was. */
		if (took > 4 * PATTERN_MS)
			fail_msg("%s: %lld ms", patterns[i], (long long)took);
		assert_true((got == NULL) == (error != NULL));
		free(got);
		json_decref(error);
	}
	free(text);
}

static void
no_pattern_hangs_it(void **state)
{
	static const char *const patterns[] = {"(a+)+$", "(a|aa)+$", "(a*)*b",
	    "(?:a?){60}a{60}c", "(.*)(.*)(.*)(.*)(.*)x$", "((a+)(a+))+\\d",
	    "(?=(a+)+b)", "a*a*a*a*a*a*a*c", "([a-z]+)*[^a-z]\\1"};

	(void)state;
	none_hangs(patterns, LENGTH(patterns), 200000);
}

/* Few steps, but each of them reads the file to its end. */
static void
no_large_file_hangs_it(void **state)
{
	static const char *const patterns[] = {"[^b]*b", "a*?b"};

	(void)state;
	if (getenv("PATCHFLOW_LONG") == NULL)
		skip(); /* five seconds each, and a minute where it is wrong */
	none_hangs(patterns, LENGTH(patterns), 8 << 20);
}

static void
a_replacement_does_not_fill_the_memory(void **state)
{
	size_t len = 1 << 20;
	char *text = xmalloc(len + 1);
	json_t *error = NULL;

	(void)state;
	memset(text, 'a', len);
	text[len] = '\0';
	assert_null(replace(text, "a", "$`$'", "g", &error));
	assert_string_equal(json_string_value(json_object_get(error, "code")),
	    "too-large");
	json_decref(error);
	free(text);
}

static void
points_at_lines_that_are_like_it(void **state)
{
	static const char text[] = "int a;\nint count = 12;\nreturn a;\n";
	json_t *error = NULL, *c;

	(void)state;
	assert_null(replace(text, "^int counter = \\d+;$", "x", "m", &error));
	c = json_array_get(json_object_get(error, "candidates"), 0);
	assert_int_equal(json_integer_value(json_object_get(c, "line")), 2);
	json_decref(error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaces_as_javascript_does),
	    cmocka_unit_test(refuses_with_a_record),
	    cmocka_unit_test(says_where_a_pattern_is_wrong),
	    cmocka_unit_test(no_pattern_hangs_it),
	    cmocka_unit_test(no_large_file_hangs_it),
	    cmocka_unit_test(a_replacement_does_not_fill_the_memory),
	    cmocka_unit_test(points_at_lines_that_are_like_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
