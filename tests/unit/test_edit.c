/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/edit.h"
#include "executor/udiff.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* cmocka wants void **; the texts are not written to. */
static struct plan_text
text_of(const char *s)
{
	struct plan_text t = {xstrdup(s), strlen(s)};

	return t;
}

static char *
replace(const char *file, const char *find, const char *with, int64_t count,
    json_t **error)
{
	struct plan_edit e = {text_of(find), text_of(with), count};
	struct buf out = {0};
	int answer = edit_replace(file, strlen(file), &e, &out, error);

	free(e.find.bytes);
	free(e.replace.bytes);
	if (answer == 0)
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

static void
replaces_what_it_finds_and_nothing_else(void **state)
{
	static const struct {
		const char *file, *find, *with, *want;
		int64_t count;
	} rows[] = {
	    {"a b c", "b", "x", "a x c", 1},
	    {"a b a", "a", "x", "x b x", 2},
	    {"a b a", "a", "x", "x b x", 0},
	    {"aaaa", "aa", "b", "bb", 2},
	    {"one\ntwo\n", "two\n", "", "one\n", 1},
	    {"one\ntwo", "two", "2", "one\n2", 1},
	    /* trailing blanks and line ends */
	    {"one  \ntwo\n", "one\ntwo\n", "one\n2\n", "one  \n2\n", 1},
	    {"a\r\nb\r\nc\r\n", "a\nb\n", "a\nx\nb\n", "a\r\nx\r\nb\r\nc\r\n",
		1},
	    {"a\r\nb\r\n", "b", "x\ny", "a\r\nx\r\ny\r\n", 1},
	    {"a\r\nb\r\n", "b\r\n", "b\n", "a\r\nb\n", 1},
	    {"a\nb", "a\nb\n", "a\nc\n", "a\nc", 1},
	    {"\xef\xbb\xbf"
	     "a \nb\n",
		"a\nb\n", "a\nc\n",
		"\xef\xbb\xbf"
		"a \nc\n",
		1},
	    /* uniform indentation */
	    {"\tif (x)\n\t\ty();\n", "if (x)\n\ty();\n",
		"if (x) {\n\ty();\n}\n", "\tif (x) {\n\t\ty();\n\t}\n", 1},
	    {"if x:\n  y\n", "  if x:\n    y\n", "  if x:\n    z\n",
		"if x:\n  z\n", 1},
	    {"\t  a\n\nb\n", "  a\n\n", "  a\n  c\n\n", "\t  a\n\t  c\n\nb\n",
		1},
	    {"\t  a = 1\n", "  a =", "  b =", "\t  b = 1\n", 1},
	    /* bytes that are no text stay */
	    {"\xff\xfe b \x80", "b", "c", "\xff\xfe c \x80", 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		json_t *error = NULL;
		char *got = replace(rows[i].file, rows[i].find, rows[i].with,
		    rows[i].count, &error);

		if (got == NULL || strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s, %s", i,
			    got != NULL ? got : "refused",
			    error != NULL ? json_dumps(error, 0) : "");
		free(got);
	}
}

static void
refuses_what_it_would_have_to_guess(void **state)
{
	static const struct {
		const char *file, *find, *with, *code;
		int64_t count;
	} rows[] = {
	    {"a b a", "a", "x", "ambiguous", 1},
	    {"a b a", "a", "x", "ambiguous", 3},
	    {"abc", "x", "y", "not-found", 1},
	    {"", "x", "y", "not-found", 1},
	    {"new", "old", "new", "already-applied", 1},
	    {"x y\n", "x  y\n", "z\n", "not-found", 1},      /* inner blanks */
	    {"\ta\n  b\n", "a\nb\n", "c\n", "not-found", 1}, /* not uniform */
	    /* the replacement is indented less than what goes */
	    {"a\nb\n", "  a\n  b\n", "c\n", "not-found", 1},
	    {"x\n\n\ny\n", "  \n\n", "z", "not-found", 1}, /* blanks only */
	    {"f  \nf\t\n", "f \n", "g\n", "ambiguous", 1},
	    /* places that overlap are two */
	    {"aaa", "aa", "b", "ambiguous", 1},
	    {"x\n\n\n\ny", "\n\n\n", "\n", "ambiguous", 1},
	    {"f \nf \nf \n", "f\nf\n", "g\n", "ambiguous", 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		json_t *error = NULL;
		char *got = replace(rows[i].file, rows[i].find, rows[i].with,
		    rows[i].count, &error);

		if (got != NULL)
			fail_msg("row %zu: %s", i, got);
		assert_string_equal(
		    json_string_value(json_object_get(error, "code")),
		    rows[i].code);
		assert_true(json_string_length(
				json_object_get(error, "file_sha256")) == 64);
		json_decref(error);
	}
}

static void
says_where_a_text_first_diverges(void **state)
{
	json_t *error = NULL, *d, *c;

	(void)state;
	assert_null(replace("x\none\ntwo\nthree\ny\n", "one\ntow\nthree\n",
	    "z\n", 1, &error));
	d = json_object_get(error, "first_divergence");
	assert_int_equal(json_integer_value(json_object_get(d, "find_line")),
	    2);
	assert_int_equal(json_integer_value(json_object_get(d, "file_line")),
	    3);
	assert_string_equal(json_string_value(json_object_get(d, "expected")),
	    "tow");
	assert_string_equal(json_string_value(json_object_get(d, "actual")),
	    "two");
	c = json_array_get(json_object_get(error, "candidates"), 0);
	assert_int_equal(json_integer_value(json_object_get(c, "line")), 2);
	json_decref(error);
}

static void
lists_the_places_of_an_ambiguous_text(void **state)
{
	json_t *error = NULL, *list;

	(void)state;
	assert_null(replace("a\nb\na\nb\n", "b\n", "c\n", 1, &error));
	list = json_object_get(error, "candidates");
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(json_integer_value(
			     json_object_get(json_array_get(list, 1), "line")),
	    4);
	json_decref(error);
}

static void
inserts_whole_lines(void **state)
{
	static const struct {
		const char *file, *anchor, *contents, *want;
		enum plan_place place;
	} rows[] = {
	    {"a\nb\n", "a", "x", "a\nx\nb\n", PLACE_AFTER},
	    {"a\nb\n", "a\n", "x\n", "a\nx\nb\n", PLACE_AFTER},
	    {"a\nb", "b", "x", "a\nb\nx", PLACE_AFTER},
	    {"a\nb\n", "b", "x", "a\nx\nb\n", PLACE_BEFORE},
	    {"a\r\nb\r\n", "b", "x\ny", "a\r\nx\r\ny\r\nb\r\n", PLACE_BEFORE},
	    {"  call(a,\n    b)\n", "b)", "x\n", "  call(a,\n    b)\nx\n",
		PLACE_AFTER},
	    {"a\n", "", "b\n", "a\nb\n", PLACE_APPEND},
	    {"a", "", "b", "a\nb", PLACE_APPEND},
	    {"", "", "b", "b", PLACE_APPEND},
	    {"a\n", "", "b", "b\na\n", PLACE_PREPEND},
	    {"\xef\xbb\xbf"
	     "a\n",
		"", "b\n",
		"\xef\xbb\xbf"
		"b\na\n",
		PLACE_PREPEND},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct plan_step s = {.place = rows[i].place,
		    .anchor = text_of(rows[i].anchor),
		    .text = text_of(rows[i].contents)};
		struct buf out = {0};
		json_t *error = NULL;

		assert_int_equal(edit_insert(rows[i].file, strlen(rows[i].file),
				     &s, &out, &error),
		    0);
		assert_string_equal(out.bytes, rows[i].want);
		buf_free(&out);
		free(s.anchor.bytes);
		free(s.text.bytes);
	}
}

static void
shows_a_unified_diff(void **state)
{
	static const struct {
		const char *a, *b, *want;
	} rows[] = {
	    {"a\n", "a\n", ""},
	    {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
	    {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
	    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nX\n6\n7\n8\n9\n",
		"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+X\n 6\n 7\n 8\n"},
	    {"a", "a\n",
		"@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
	    /* a line end that changes is seen */
	    {"a\nb\n", "a\r\nb\n", "@@ -1,2 +1,2 @@\n-a\n+a^M\n b\n"},
	    {"a\r\n", "a\n", "@@ -1,1 +1,1 @@\n-a^M\n+a\n"},
	    {"a\r\nb\r\n", "a\r\nc\r\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct buf out = {0};

		udiff_text(rows[i].a, strlen(rows[i].a), rows[i].b,
		    strlen(rows[i].b), &out);
		assert_string_equal(out.bytes != NULL ? out.bytes : "",
		    rows[i].want);
		buf_free(&out);
	}
}

/* Takes the lines of a hunk apart again: old from ' ' and '-', new from ' '
 * and '+'. With hunks of one whole file that gives both texts. */
static void
rebuild(const char *diff, char sign, struct buf *out)
{
	for (const char *l = diff; *l != '\0';) {
		const char *nl = strchr(l, '\n');

		if (*l == ' ' || *l == sign)
			buf_add(out, l + 1, (size_t)(nl - l));
		l = nl + 1;
	}
	buf_puts(out, "");
}

static void
diffs_of_random_texts_give_both_sides(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct buf a = {0}, b = {0}, d = {0}, x = {0}, y = {0};

		for (int i = 0; i < 6; i++) {
			/* Short files: one hunk covers them. */
			seed = seed * 1103515245u + 12345u;
			buf_printf(&a, "%u\n", (seed >> 16) % 3);
			seed = seed * 1103515245u + 12345u;
			buf_printf(&b, "%u\n", (seed >> 16) % 3);
		}
		udiff_text(a.bytes, a.len, b.bytes, b.len, &d);
		if (strcmp(a.bytes, b.bytes) != 0) {
			rebuild(d.bytes, '-', &x);
			rebuild(d.bytes, '+', &y);
			assert_non_null(strstr(a.bytes, x.bytes));
			assert_non_null(strstr(b.bytes, y.bytes));
		}
		buf_free(&a);
		buf_free(&b);
		buf_free(&d);
		buf_free(&x);
		buf_free(&y);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaces_what_it_finds_and_nothing_else),
	    cmocka_unit_test(refuses_what_it_would_have_to_guess),
	    cmocka_unit_test(says_where_a_text_first_diverges),
	    cmocka_unit_test(lists_the_places_of_an_ambiguous_text),
	    cmocka_unit_test(inserts_whole_lines),
	    cmocka_unit_test(shows_a_unified_diff),
	    cmocka_unit_test(diffs_of_random_texts_give_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
