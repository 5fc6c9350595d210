/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/hunk.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define BOM "\xef\xbb\xbf"
#define TEN "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
#define FAR TEN TEN TEN
#define FRAMED "\\ No newline at end of file"
#define OPEN FRAMED "\n"

static char *
apply(const char *text, const char *diff, json_t **error)
{
	struct buf out = {0};
	struct hunks h;
	const char *why = NULL;
	int answer = -1;

	if (!hunks_read(diff, strlen(diff), &h, &why))
		*error =
		    json_pack("{s:s, s:s}", "code", "unreadable", "hint", why);
	else
		answer = hunks_apply(&h, text, strlen(text), &out, error);
	hunks_free(&h);
	if (answer == 0)
		return buf_take(&out);
	buf_free(&out);
	return NULL;
}

struct row {
	const char *text, *diff, *want;
};

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *error = NULL;
		char *got = apply(rows[i].text, rows[i].diff, &error);

		if (got == NULL || strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s, %s", i, got != NULL ? got : "-",
			    error != NULL ? json_dumps(error, 0) : "");
		free(got);
	}
}

static void
applies_hunks_to_exactly_their_lines(void **state)
{
	static const struct row rows[] = {
	    {"a\nb\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n", "a\nx\nc\n"},
	    {"a\nb\nc\n", "@@ -1,3 +1,4 @@ func\n a\n+x\n b\n c\n",
		"a\nx\nb\nc\n"},
	    /* no numbers, wrong numbers, wrong counts */
	    {"a\nb\nc\n", "@@\n a\n-b\n+x\n c\n", "a\nx\nc\n"},
	    {"a\nb\nc\n", "@@ main() @@\n-b\n+x\n", "a\nx\nc\n"},
	    {"a\nb\nc\n", "@@ -90,9 +70,1 @@\n a\n-b\n+x\n c\n", "a\nx\nc\n"},
	    {"a\nb\nc\n", "-b\n+x\n", "a\nx\nc\n"},
	    {"a\nb\nc\n", "--- a/f\n+++ b/f\n@@ -2 +2 @@\n-b\n+x\n",
		"a\nx\nc\n"},
	    {"a\nb\nc\n",
		"diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n"
		"@@ -2 +2 @@\n-b\n+x\n-- \n2.39.2\n\n",
		"a\nx\nc\n"},
	    /* the diff's own newline is missing */
	    {"a\nb\nc\n", "@@\n-b\n+x", "a\nx\nc\n"},
	    /* two hunks, the second moved by the first */
	    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n",
		"@@ -1,2 +1,3 @@\n 1\n+x\n 2\n@@ -8,2 +9,1 @@\n-8\n 9\n",
		"1\nx\n2\n3\n4\n5\n6\n7\n9\n"},
	    /* a hint chooses between equals */
	    {"k\nv\n" FAR "k\nv\n", "@@ -34 +34 @@\n-v\n+x\n",
		"k\nv\n" FAR "k\nx\n"},
	    /* and one that the hunk before moved does so too */
	    {"new\nk\n" FAR "v\n" FAR "v\n",
		"@@ -1 +1 @@\n-k\n+l\n@@ -63 +63 @@\n-v\n+x\n",
		"new\nl\n" FAR "v\n" FAR "x\n"},
	    /* blank context that lost its blank; blanks behind the hunk */
	    {"a\n\nb\n", "@@ -1,3 +1,3 @@\n a\n\n-b\n+x\n", "a\n\nx\n"},
	    {"a\nb\n", "@@ -2 +2 @@\n-b\n+x\n\n\n", "a\nx\n"},
	    {"a\n\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n\n", "a\nx\n\nb\n"},
	    /* lines that look like headers */
	    {"-- a\n++ b\nc\n", "@@ -1,3 +1,2 @@\n--- a\n ++ b\n c\n",
		"++ b\nc\n"},
	    {"-- a\nc\n", "@@ -1,2 +1,2 @@\n--- a\n+++ b\n c\n", "++ b\nc\n"},
	    {"@@ x\n", "@@ -1 +1 @@\n-@@ x\n+@@ y\n", "@@ y\n"},
	    /* all lines go; the empty file is filled */
	    {"a\n", "@@ -1 +0,0 @@\n-a\n", ""},
	    {"", "@@ -0,0 +1,2 @@\n+a\n+b\n", "a\nb\n"},
	};

	(void)state;
	check_rows(rows, LENGTH(rows));
}

static void
line_ends_stay_as_they_are(void **state)
{
	static const struct row rows[] = {
	    {"a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n" OPEN "+x\n" OPEN, "a\nx"},
	    {"a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n" OPEN "+b\n", "a\nb\n"},
	    {"a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n+b\n" OPEN, "a\nb"},
	    {"a\nb", "@@ -1,2 +1,3 @@\n+x\n a\n b\n" OPEN, "x\na\nb"},
	    /* the author did not say that the newline is missing */
	    {"a\nb", "@@ -1,2 +1,2 @@\n a\n-b\n+x\n", "a\nx"},
	    {"a", "@@\n a\n+b\n", "a\nb"},
	    /* what is kept keeps its own, as git says it with its marker */
	    {"a\nb", "@@ -1,2 +1 @@\n a\n-b\n", "a\n"},
	    {"a\nb", "@@ -1,2 +1 @@\n a\n-b\n" OPEN, "a\n"},
	    {"a\r\nb", "@@ -1,2 +1 @@\n a\n-b\n", "a\r\n"},
	    /* or that it is there */
	    {"a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n" OPEN "+x\n" OPEN, "a\nx\n"},
	    /* CRLF, shown and not shown */
	    {"a\r\nb\r\nc\r\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n",
		"a\r\nx\r\nc\r\n"},
	    {"a\r\nb\r\nc\r\n", "@@ -1,3 +1,3 @@\n a\r\n-b\r\n+x\r\n c\r\n",
		"a\r\nx\r\nc\r\n"},
	    {"a\r\nb\r\n", "@@ -2 +2 @@\n-b\r\n+b\n", "a\r\nb\n"},
	    {"a\nb\n", "@@ -1,2 +1,2 @@\r\n a\r\n-b\r\n+x\r\n", "a\nx\n"},
	    {"a\r\nb", "@@ -2 +2,2 @@\n-b\n" OPEN "+x\n+y\n" OPEN,
		"a\r\nx\r\ny"},
	    {"a\r", "@@ -1 +1 @@\n-a\r\n" OPEN "+b\r\n" OPEN, "b\r"},
	    /* a CR that each line of the diff has is not the file's */
	    {"a", "@@ -1 +1 @@\r\n-a\r\n" FRAMED "\r\n+b\r\n" FRAMED "\r\n",
		"b"},
	    {"a\r\nb\n", "@@ -2 +2 @@\r\n-b\r\n+c\r\n" FRAMED, "a\r\nc"},
	    /* trailing blanks of what is kept */
	    {"a  \nb\t\nc\n", "@@\n a\n b\n-c\n+x\n", "a  \nb\t\nx\n"},
	    {BOM "a\nb\n", "@@ -1,2 +1,2 @@\n-a\n+x\n b\n", BOM "x\nb\n"},
	    {BOM "a\nb\n", "@@ -1,2 +1,2 @@\n-" BOM "a\n+" BOM "x\n b\n",
		BOM "x\nb\n"},
	    {BOM "a\n", "@@ -1 +1 @@\n-" BOM "a\n+a\n", "a\n"},
	    /* all indented more, or less */
	    {"\tif (x)\n\t\ty();\n", "@@\n if (x)\n-\ty();\n+\tz();\n",
		"\tif (x)\n\t\tz();\n"},
	    {"if x:\n  y\n", "@@\n   if x:\n-    y\n+    z\n", "if x:\n  z\n"},
	    {"\xff\nb\n\xfe\n", "@@ -2 +2 @@\n-b\n+x\n", "\xff\nx\n\xfe\n"},
	};

	(void)state;
	check_rows(rows, LENGTH(rows));
}

static void
refuses_what_does_not_fit_or_fits_twice(void **state)
{
	static const struct {
		const char *text, *diff, *code;
	} rows[] = {
	    {"a\nb\n", "@@\n-x\n+y\n", "not-found"},
	    {"k\nv\nk\nv\n", "@@\n-v\n+x\n", "ambiguous"},
	    {"k\nv\nk\nv\n", "@@ -1 +1 @@\n-v\n+x\n", "ambiguous"},
	    /* a number chooses only where no other place is near */
	    {"k\nv\nk\nv\n", "@@ -4 +4 @@\n-v\n+x\n", "ambiguous"},
	    {"new\nk\n" FAR "v\nv\n",
		"@@ -1 +1 @@\n-k\n+l\n@@ -32 +32 @@\n-v\n+x\n", "ambiguous"},
	    /* what was meant has changed, and a copy of it has not */
	    {"a\nb\nX\nd\n" FAR "a\nb\nc\nd\n",
		"@@ -1,4 +1,4 @@\n a\n b\n c\n-d\n+D\n", "elsewhere"},
	    {"a\nb\n", "@@ -1,0 +2 @@\n+x\n", "no-context"},
	    {"a\nx\n", "@@ -1,2 +1,2 @@\n a\n-b\n+x\n", "already-applied"},
	    {"a\nb\n", "@@\n-b\n+c\n@@\n-a\n+d\n", "not-found"},
	    {"a\nb\nc\n", "@@\n a\n-b\n" OPEN "+x\n" OPEN, "not-found"},
	    {"\ta\n  b\n", "@@\n a\n-b\n+x\n", "not-found"},
	    {"a\nb\n", "@@\n  a\n-  b\n+x\n", "not-found"},
	    {"a\n", "", "unreadable"},
	    {"a\n", "some words\n", "unreadable"},
	    {"a\n", "@@\n a\n", "unreadable"},
	    {"a\n", "@@\n", "unreadable"},
	    {"a\n", "@@\n-a\nb\n+c\n", "unreadable"},
	    {"a\n", "@@\n a\n+b\n" OPEN "+c\n", "unreadable"},
	    {"a\n", "--- a/f\n+++ b/f\n", "unreadable"},
	    {"a\n", "--- /dev/null\n+++ b/f\n@@\n-a\n+b\n", "unreadable"},
	    {"a\n", "--- a/f\n+++ /dev/null\n@@\n-a\n+b\n", "unreadable"},
	    {"a\n", "Binary files a/f and b/f differ\n", "unreadable"},
	    {"a\n", "diff --cc f\n@@@ -1,1 -1,1 +1,1 @@@\n--a\n++b\n",
		"unreadable"},
	    {"a\n",
		"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n--- a/g\n+++ b/g\n"
		"@@ -1 +1 @@\n-a\n+b\n",
		"unreadable"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		json_t *error = NULL;
		char *got = apply(rows[i].text, rows[i].diff, &error);

		if (got != NULL ||
		    strcmp(json_string_value(json_object_get(error, "code")),
			rows[i].code) != 0)
			fail_msg("row %zu: %s, %s", i, got != NULL ? got : "-",
			    error != NULL ? json_dumps(error, 0) : "");
		json_decref(error);
	}
}

static void
says_which_hunk_and_where(void **state)
{
	json_t *error = NULL, *d;

	(void)state;
	assert_null(apply("1\n2\n3\nfour\nfive\nsix\n",
	    "@@\n-1\n+x\n@@\n four\n-fife\n+5\n six\n", &error));
	assert_int_equal(json_integer_value(json_object_get(error, "op_index")),
	    1);
	d = json_object_get(error, "first_divergence");
	assert_int_equal(json_integer_value(json_object_get(d, "find_line")),
	    2);
	assert_int_equal(json_integer_value(json_object_get(d, "file_line")),
	    5);
	assert_string_equal(json_string_value(json_object_get(d, "actual")),
	    "five");
	json_decref(error);
}

static void
a_deletion_shows_the_whole_file(void **state)
{
	static const struct {
		const char *text, *body;
		int want;
	} rows[] = {
	    {"a\nb\n", "@@ -1,2 +0,0 @@\n-a\n-b\n", 0},
	    {"a\r\nb", "@@ -1,2 +0,0 @@\n-a\n-b\n", 0},
	    {"a\nb\nc\n", "@@ -1,2 +0,0 @@\n-a\n-b\n", -1},
	    {"a\nx\n", "@@ -1,2 +0,0 @@\n-a\n-b\n", -1},
	    {"", "", 0},
	    {"a\n", "", -1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char *diff =
		    xasprintf("--- a/f\n+++ /dev/null\n%s", rows[i].body);
		json_t *error = NULL;
		struct hunks h;
		const char *why;

		assert_true(hunks_read(diff, strlen(diff), &h, &why));
		assert_true(h.deletes);
		assert_int_equal(
		    hunks_cover(&h, rows[i].text, strlen(rows[i].text), &error),
		    rows[i].want);
		assert_int_equal(error != NULL, rows[i].want == -1);
		json_decref(error);
		hunks_free(&h);
		free(diff);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(applies_hunks_to_exactly_their_lines),
	    cmocka_unit_test(line_ends_stay_as_they_are),
	    cmocka_unit_test(refuses_what_does_not_fit_or_fits_twice),
	    cmocka_unit_test(says_which_hunk_and_where),
	    cmocka_unit_test(a_deletion_shows_the_whole_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
