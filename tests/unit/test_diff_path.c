/* SPDX-License-Identifier: ISC */
/* Names that we write into the headers of a diff are read as what they are,
 * and stay on their line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/difftext.h"

static char *
put(const char *path)
{
	struct buf b = {0};

	difftext_put_path(&b, "b/", path);
	return buf_take(&b);
}

static void
a_name_that_a_line_holds_is_written_as_it_is(void **state)
{
	static const char *const paths[] = {"a", "dir/with blank", "\xc3\xa9",
	    "a'b", "caf\xe9"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = put(paths[i]);

		assert_memory_equal(text, "b/", 2);
		assert_string_equal(text + 2, paths[i]);
		free(text);
	}
}

static void
any_other_is_quoted_as_git_does(void **state)
{
	char *text = put("x\n+++ b/other\t\033[2J\"\\\177");

	(void)state;
	assert_string_equal(text,
	    "\"b/x\\n+++ b/other\\t\\033[2J\\\"\\\\\\177\"");
	free(text);
}

/* Each byte that a name may have, between a letter and a digit. */
static void
what_is_written_is_read(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char path[4] = {'p', (char)c, '1', '\0'}, *name = put(path);
		struct buf text = {0};
		struct diff_file f;
		struct difftext d = {0};

		buf_printf(&text, "--- /dev/null\n+++ %s\n@@ -0,0 +1 @@\n+x\n",
		    name);
		d.at = text.bytes;
		d.end = text.bytes + text.len;
		assert_null(strchr(name, '\n'));
		assert_true(difftext_next(&d, &f));
		assert_string_equal(diff_file_new(&f), path);
		diff_file_free(&f);
		buf_free(&text);
		free(name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_that_a_line_holds_is_written_as_it_is),
	    cmocka_unit_test(any_other_is_quoted_as_git_does),
	    cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
