/* SPDX-License-Identifier: ISC */
/*
 * Large texts that repeat themselves. Each of these took many minutes where
 * the work grew with the square of the size, and takes less than a second;
 * the alarm is for the first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "executor/edit.h"
#include "executor/hunk.h"
#include "executor/merge.h"

#define PATIENCE 120 /* seconds, of a machine that has much else to do */

static void
repeat(struct buf *out, const char *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_puts(out, s);
}

static struct plan_text
text_of(const struct buf *b)
{
	return (struct plan_text){b->bytes, b->len};
}

static const char *
code_of(const json_t *error)
{
	const char *code = json_string_value(json_object_get(error, "code"));

	return code != NULL ? code : "";
}

static void
each_match_in_one_line(void **state)
{
	struct buf text = {0}, out = {0};
	struct plan_edit e = {{xstrdup(","), 1}, {xstrdup(";"), 1}, 0};
	json_t *error = NULL;

	(void)state;
	repeat(&text, "ab,", 1000000);
	assert_int_equal(edit_replace(text.bytes, text.len, &e, &out, &error),
	    0);
	assert_int_equal(out.len, text.len);
	assert_null(strchr(out.bytes, ','));
	buf_free(&text);
	buf_free(&out);
	free(e.find.bytes);
	free(e.replace.bytes);
}

/* find is there but for its last line, which is indented in one of them. */
static void
almost_found(const char *last)
{
	struct buf text = {0}, find = {0}, out = {0};
	struct plan_edit e = {.count = 1};
	json_t *error = NULL;

	repeat(&text, "a\n", 200000);
	repeat(&find, "a\n", 50000);
	buf_puts(&find, last);
	e.find = text_of(&find);
	e.replace = e.find;
	assert_int_equal(edit_replace(text.bytes, text.len, &e, &out, &error),
	    -1);
	assert_string_equal(code_of(error), "not-found");
	json_decref(error);
	buf_free(&text);
	buf_free(&find);
	buf_free(&out);
}

static void
lines_that_are_almost_found(void **state)
{
	(void)state;
	almost_found("b\n");
	almost_found(" a\n");
}

static void
a_hunk_that_almost_fits(void **state)
{
	struct buf text = {0}, diff = {0}, out = {0};
	json_t *error = NULL;
	struct hunks h;
	const char *why;

	(void)state;
	repeat(&text, "a\n", 200000);
	buf_puts(&diff, "@@\n");
	repeat(&diff, " a\n", 50000);
	buf_puts(&diff, "-b\n+c\n");
	assert_true(hunks_read(diff.bytes, diff.len, &h, &why));
	assert_int_equal(hunks_apply(&h, text.bytes, text.len, &out, &error),
	    -1);
	assert_string_equal(code_of(error), "not-found");
	json_decref(error);
	hunks_free(&h);
	buf_free(&text);
	buf_free(&diff);
	buf_free(&out);
}

/* One place fits, and it is not where the header says. */
static void
a_hunk_from_elsewhere(void **state)
{
	struct buf text = {0}, diff = {0}, out = {0};
	json_t *error = NULL;
	struct hunks h;
	const char *why;

	(void)state;
	repeat(&text, "x\n", 200000);
	repeat(&text, "a\n", 100000);
	buf_puts(&diff, "@@ -1,100000 +1,100001 @@\n");
	repeat(&diff, " a\n", 100000);
	buf_puts(&diff, "+c\n");
	assert_true(hunks_read(diff.bytes, diff.len, &h, &why));
	(void)hunks_apply(&h, text.bytes, text.len, &out, &error);
	json_decref(error);
	hunks_free(&h);
	buf_free(&text);
	buf_free(&diff);
	buf_free(&out);
}

static void
many_new_keys(void **state)
{
	struct buf text = {0}, out = {0};
	json_t *patch = json_object(), *error = NULL;
	char key[32];

	(void)state;
	buf_putc(&text, '{');
	for (int i = 0; i < 50000; i++) {
		buf_printf(&text, "%s\"old%d\":1", i > 0 ? "," : "", i);
		(void)snprintf(key, sizeof(key), "new%d", i);
		json_object_set_new(patch, key, json_integer(i));
		(void)snprintf(key, sizeof(key), "old%d", i);
		json_object_set_new(patch, key, json_integer(i));
	}
	buf_putc(&text, '}');
	assert_int_equal(merge_apply(text.bytes, text.len, patch, &out, &error),
	    0);
	json_decref(patch);
	patch = json_loadb(out.bytes, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_object_size(patch), 100000);
	json_decref(patch);
	buf_free(&text);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_match_in_one_line),
	    cmocka_unit_test(lines_that_are_almost_found),
	    cmocka_unit_test(a_hunk_that_almost_fits),
	    cmocka_unit_test(a_hunk_from_elsewhere),
	    cmocka_unit_test(many_new_keys),
	};

	(void)alarm(PATIENCE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
