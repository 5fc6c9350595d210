/* SPDX-License-Identifier: ISC */
/* buf, clock and digest: the ground that everything stands on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void
buffer_grows_and_keeps_nuls(void **state)
{
	struct buf b = {0};
	char *taken;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	assert_int_equal(b.len, 3890);
	buf_clear(&b);
	buf_add(&b, "a\0b", 3);
	buf_putc(&b, 'c');
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.bytes, "a\0bc", 5);
	buf_shift(&b, 2);
	assert_string_equal(b.bytes, "bc");
	buf_shift(&b, 99);
	assert_int_equal(b.len, 0);
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);
}

static void
spans_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		int error;
		const char *again;
	} cases[] = {
	    {"0", 0, 0, "0s"},
	    {"30", 30000, 0, "30s"},
	    {"30s", 30000, 0, "30s"},
	    {"250ms", 250, 0, "250ms"},
	    {"5m", 300000, 0, "5m"},
	    {"2h", 7200000, 0, "2h"},
	    {"7d", 604800000, 0, "7d"},
	    {"1.5s", 1500, 0, "1500ms"},
	    {"90s", 90000, 0, "90s"},
	    {"", 0, EINVAL, ""},
	    {"-1s", 0, EINVAL, ""},
	    {"0x10", 0, EINVAL, ""},
	    {"1e3", 0, EINVAL, ""},
	    {"5 m", 0, EINVAL, ""},
	    {"5w", 0, EINVAL, ""},
	    {"99999999999999d", 0, ERANGE, ""},
	};
	char again[32];
	int64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		errno = 0;
		if (clock_parse_span(cases[i].text, &ms) == -1) {
			assert_int_equal(errno, cases[i].error);
			continue;
		}
		assert_int_equal(0, cases[i].error);
		assert_int_equal(ms, cases[i].ms);
		clock_format_span(ms, again, sizeof again);
		assert_string_equal(again, cases[i].again);
	}
}

static void
points_of_time_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: an error */
	} cases[] = {
	    {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"},
	    {"2026-01-31T12:00:00.1239Z", "2026-01-31T12:00:00.123Z"},
	    {"2026-01-31T12:00:00+01:30", "2026-01-31T10:30:00.000Z"},
	    {"2026-01-31T12:00:00-01:30", "2026-01-31T13:30:00.000Z"},
	    {"2026-01-31", NULL},
	    {"2026-01-31T12:00:00", NULL},
	    {"2026-01-31T12:00:00+1:30", NULL},
	    {"soon", NULL},
	};
	char text[ISO_TIME_SIZE];
	int64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		int got = clock_parse_iso(cases[i].text, &us);

		assert_int_equal(got, cases[i].want == NULL ? -1 : 0);
		if (got == -1)
			continue;
		clock_iso(us, text);
		assert_string_equal(text, cases[i].want);
	}
	clock_iso(INT64_MAX, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static void
human_spans_read_well(void **state)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
	    {-5, "0 ms"},
	    {12, "12 ms"},
	    {3900, "3 s"},
	    {250000, "4 min 10 s"},
	    {7500000, "2 h 5 min"},
	    {864000000, "10 days"},
	};
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		clock_human_span(cases[i].ms, text, sizeof text);
		assert_string_equal(text, cases[i].want);
	}
}

static void
digests_agree_with_the_standard_vector(void **state)
{
	char hex[DIGEST_SIZE], again[DIGEST_SIZE];
	json_t *a, *b;
	int fds[2];

	(void)state;
	digest_bytes("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
				 "b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	(void)close(fds[1]);
	assert_int_equal(digest_fd(fds[0], again), 0);
	(void)close(fds[0]);
	assert_string_equal(hex, again);
	assert_int_equal(digest_fd(-1, again), -1);
	a = json_pack("{s:i, s:[s]}", "x", 1, "y", "z");
	b = json_pack("{s:[s], s:i}", "y", "z", "x", 1);
	digest_json(a, hex);
	digest_json(b, again);
	assert_string_equal(hex, again);
	json_decref(a);
	json_decref(b);
}

static void
characters_are_cut_and_blanked_whole(void **state)
{
	static const struct {
		const char *text, *trimmed, *blank;
	} rows[] = {{"", "", ""}, {"ab", "ab", "ab"}, {"a\xc3", "a", "a\xc3"},
	    {"a\xc3\xbc", "a\xc3\xbc", "a\xc3\xbc"},
	    {"\xe2\x82", "", "\xe2\x82"},
	    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
	    {"x\xf0\x9f\x98", "x", "x\xf0\x9f\x98"},
	    {"\033[m\x7f", "\033[m\x7f", " [m "},
	    {"\xc2\x9b"
	     "2J\xc2\xa0",
		"\xc2\x9b"
		"2J\xc2\xa0",
		"  2J\xc2\xa0"}};
	char copy[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)strlcpy(copy, rows[i].text, sizeof copy);
		utf8_trim(copy);
		assert_string_equal(copy, rows[i].trimmed);
		(void)strlcpy(copy, rows[i].text, sizeof copy);
		utf8_blank_controls(copy, strlen(copy));
		assert_string_equal(copy, rows[i].blank);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffer_grows_and_keeps_nuls),
	    cmocka_unit_test(spans_are_read_and_written),
	    cmocka_unit_test(points_of_time_are_read_and_written),
	    cmocka_unit_test(human_spans_read_well),
	    cmocka_unit_test(characters_are_cut_and_blanked_whole),
	    cmocka_unit_test(digests_agree_with_the_standard_vector),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
