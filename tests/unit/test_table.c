/* SPDX-License-Identifier: ISC */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/table.h"

static char *
render(const struct table *t, bool colour)
{
	const struct table_style style = {.colour = colour};
	struct buf out = {0};

	table_render(t, &style, &out);
	return buf_take(&out);
}

static void
aligns_columns_by_characters(void **state)
{
	struct table t = {0};
	char *text;

	(void)state;
	table_add(&t, COLOUR_NONE, "A");
	table_add(&t, COLOUR_NONE, "B");
	table_end_row(&t);
	table_add(&t, COLOUR_NONE, "m\xc3\xbcller");
	table_add(&t, COLOUR_NONE, "%d", 7);
	table_end_row(&t);
	table_add(&t, COLOUR_NONE, "alone");
	table_end_row(&t);
	text = render(&t, false);
	assert_string_equal(text, "A       B\nm\xc3\xbcller  7\nalone\n");
	free(text);
	table_free(&t);
}

static void
aligns_columns_by_what_they_take_on_a_screen(void **state)
{
	struct table t = {0};
	char *text;

	(void)state;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	table_add(&t, COLOUR_NONE, "\xe6\x97\xa5"); /* takes two */
	table_add(&t, COLOUR_NONE, "x");
	table_end_row(&t);
	table_add(&t, COLOUR_NONE, "e\xcc\x81"); /* two characters, one */
	table_add(&t, COLOUR_NONE, "y");
	table_end_row(&t);
	text = render(&t, false);
	assert_string_equal(text, "\xe6\x97\xa5  x\ne\xcc\x81   y\n");
	free(text);
	table_free(&t);
}

static void
wraps_the_last_column(void **state)
{
	static const struct {
		const char *first, *last;
		size_t width;
		const char *want;
	} rows[] = {
	    {"ab", "one two three", 0, "ab  one two three\n"},
	    {"ab", "one two three", 17, "ab  one two three\n"},
	    {"ab", "0123456789 0123456789 0123456789", 30,
		"ab  0123456789 0123456789\n    0123456789\n"},
	    {"ab", "0123456789012345678901234567890123456789", 30,
		"ab  01234567890123456789012345\n    67890123456789\n"},
	    {"0123456789", "one two three four", 20,
		"0123456789  \n    one two three\n    four\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct table_style style = {.width = rows[i].width};
		struct table t = {0};
		struct buf out = {0};

		table_add(&t, COLOUR_NONE, "%s", rows[i].first);
		table_add(&t, COLOUR_NONE, "%s", rows[i].last);
		table_end_row(&t);
		table_render(&t, &style, &out);
		assert_string_equal(out.bytes, rows[i].want);
		buf_free(&out);
		table_free(&t);
	}
}

static void
pads_behind_the_colour(void **state)
{
	struct table t = {0};
	char *text;

	(void)state;
	table_add(&t, COLOUR_BAD, "x");
	table_add(&t, COLOUR_NONE, "y");
	table_end_row(&t);
	text = render(&t, true);
	assert_string_equal(text, "\033[31mx\033[0m  y\n");
	free(text);
	table_free(&t);
}

static void
drops_cells_behind_the_last_column(void **state)
{
	struct table t = {0};
	char *text;
	int i;

	(void)state;
	for (i = 0; i < TABLE_COLUMNS + 3; i++)
		table_add(&t, COLOUR_NONE, "%c", 'a' + i);
	table_end_row(&t);
	text = render(&t, false);
	assert_string_equal(text, "a  b  c  d  e  f  g  h  i  j  k  l\n");
	free(text);
	table_free(&t);
}

static void
prints_nothing_without_rows(void **state)
{
	struct table t = {0};
	char *text = render(&t, false);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	table_free(&t);
}

static void
cleans_text_from_outside(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
	    {"plain", "plain"},
	    {"\033[2Jx", "?[2Jx"},
	    {"a\nb\tc\rd", "a b c?d"},
	    {"\x7f", "?"},
	    {"\xc2\x9b"
	     "31m",
		"?31m"},                      /* CSI in one C1 character */
	    {"\xe2\x82\xac", "\xe2\x82\xac"}, /* whole */
	    {"\xe2\x82", "??"},               /* cut */
	    {"\xff\xc0", "??"},
	    {"\xe0\x80\x9b"
	     "x",
		"???x"}, /* ESC in too many bytes */
	    {"\xed\xa0\x80", "???"},
	    /* NOLINTNEXTLINE(misc-misleading-bidirectional): what is tried */
	    {"\xe2\x80\xae"
	     "txt.exe",
		"?txt.exe"}, /* the line turned round */
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	    {"", ""},
	};
	size_t i;
	char *got;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = table_clean(rows[i].in);
		assert_string_equal(got, rows[i].want);
		free(got);
	}
}

static void
knows_the_colour_of_each_state(void **state)
{
	(void)state;
	assert_int_equal(colour_of("completed"), COLOUR_GOOD);
	assert_int_equal(colour_of("rejected"), COLOUR_BAD);
	assert_int_equal(colour_of("running"), COLOUR_BUSY);
	assert_int_equal(colour_of("of no colour"), COLOUR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(aligns_columns_by_characters),
	    cmocka_unit_test(aligns_columns_by_what_they_take_on_a_screen),
	    cmocka_unit_test(wraps_the_last_column),
	    cmocka_unit_test(pads_behind_the_colour),
	    cmocka_unit_test(drops_cells_behind_the_last_column),
	    cmocka_unit_test(prints_nothing_without_rows),
	    cmocka_unit_test(cleans_text_from_outside),
	    cmocka_unit_test(knows_the_colour_of_each_state),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
