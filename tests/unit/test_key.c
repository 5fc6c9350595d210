/* SPDX-License-Identifier: ISC */
/* Names: what is made, and that nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/key.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define A8 "aaaaaaaa"
#define A64 A8 A8 A8 A8 A8 A8 A8 A8

static void
maps_ids_to_slugs(void **state)
{
	static const struct {
		const char *input, *want;
	} cases[] = {
	    {"fix-login", "fix-login"},
	    {"a.b_C-9", "a.b_C-9"},
	    {".hidden", "_hidden"},
	    {"..", "_."},
	    {"../../etc/passwd", "_._.._etc_passwd"},
	    {"a b/c", "a_b_c"},
	    {"gr\xc3\xbc", "gr__"},
	    {A64 "b", A64},
	    {"x,1.json", "x_1.json"},
	};
	char got[SLUG_MAX + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		key_slug(cases[i].input, got);
		assert_string_equal(got, cases[i].want);
	}
}

static void
takes_ids_that_people_can_read(void **state)
{
	static const struct {
		const char *input;
		bool want;
	} cases[] = {
	    {"a", true},
	    {"", false},
	    {"gr\xc3\xbc\xc3\x9f", true},
	    {"a\nb", false},
	    {"a\x7f", false},
	    {"\xc2\x85next", false}, /* C1 control */
	    {"fix\xe2\x80\xae"
	     "nigol\xe2\x80\xac",
		false}, /* turns the line round */
	    {"a\xe2\x80\xa8"
	     "b",
		false},
	    {"\xff\xfe", false}, /* not UTF-8 */
	    {"\xc3", false},
	    {A64 A64 A64 A64, true},
	    {A64 A64 A64 A64 "b", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(key_id_valid(cases[i].input), cases[i].want);
}

static void
refuses_queue_names_that_are_directories_of_ours(void **state)
{
	static const struct {
		const char *input;
		bool want;
	} cases[] = {
	    {"MAIN", true},
	    {"a_b-9", true},
	    {"", false},
	    {"inbox", false},
	    {"Alerts", false},
	    {"a.b", false},
	    {"..", false},
	    {"a/b", false},
	    {A8 A8 A8 A8, true},
	    {A8 A8 A8 A8 "b", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(key_queue_valid(cases[i].input),
		    cases[i].want);
}

static void
reads_back_every_name_it_makes(void **state)
{
	static const char *const ids[] = {"fix-login", "a.b", "-", A64 "tail",
	    "../x", "x.2", "x-deadbeef", "\xe2\x82\xac"};
	static const int attempts[] = {1, 2, 10, ATTEMPT_MAX};
	char key[KEY_SIZE], name[NAME_SIZE], back[KEY_SIZE];
	struct queue_name made = {.digit = 7}, read;
	int attempt;

	(void)state;
	for (size_t i = 0; i < LENGTH(ids) * LENGTH(attempts); i++) {
		made.attempt = attempts[i / LENGTH(ids)];
		key_make(1764000000000000 + (int64_t)i, ids[i % LENGTH(ids)],
		    key);
		assert_true(key_valid(key));
		assert_true(key_is_of(key, ids[i % LENGTH(ids)]));
		assert_false(key_is_of(key, "other"));
		assert_int_equal(key_time_us(key),
		    1764000000000000 + (int64_t)i);
		(void)strlcpy(made.key, key, sizeof(made.key));
		key_queue_file(&made, name);
		assert_int_equal(key_parse_queue_file(name, &read), 0);
		assert_memory_equal(&read.digit, &made.digit, sizeof(int));
		assert_string_equal(read.key, key);
		assert_int_equal(read.attempt, made.attempt);
		key_outcome_file(key, made.attempt, name);
		assert_int_equal(key_parse_outcome_file(name, back, &attempt),
		    0);
		assert_string_equal(back, key);
		assert_int_equal(attempt, made.attempt);
		key_summary_file(key, made.attempt, name);
		assert_int_equal(key_parse_summary_file(name, back, &attempt),
		    0);
		assert_string_equal(back, key + 17);
		assert_int_equal(attempt, made.attempt);
	}
}

static void
takes_no_name_that_it_would_not_make(void **state)
{
	static const char *const names[] = {
	    "",
	    "5",
	    "5-",
	    "x-1764000000000000-a-01234567,1.json",
	    "51764000000000000-a-01234567,1.json",
	    "5-176400000000000-a-01234567,1.json",  /* 15 digits */
	    "5-1764000000000000-a-0123456,1.json",  /* 7 of hash */
	    "5-1764000000000000-a-0123456G,1.json", /* no hex */
	    "5-1764000000000000-a-0123456A,1.json", /* upper case */
	    "5-1764000000000000--01234567,1.json",  /* empty slug */
	    "5-1764000000000000-.a-01234567,1.json",
	    "5-1764000000000000-a-01234567,0.json",
	    "5-1764000000000000-a-01234567,01.json",
	    "5-1764000000000000-a-01234567,10000.json",
	    "5-1764000000000000-a-01234567,-1.json",
	    "5-1764000000000000-a-01234567,.json",
	    "5-1764000000000000-a-01234567,1.json.bak",
	    "5-1764000000000000-a-01234567,1.JSON",
	    "5-1764000000000000-a-01234567.json",
	    "5-1764000000000000-a-01234567,1,2.json",
	    "5-1764000000000000-" A64 "b-01234567,1.json",
	    "5-" A64 A64 A64 A64 ",1.json",
	};
	struct queue_name n;

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++)
		if (key_parse_queue_file(names[i], &n) != -1)
			fail_msg("took %s", names[i]);
	for (size_t i = 0; i < LENGTH(names); i++) {
		char sum[512], back[KEY_SIZE];
		int attempt;

		(void)snprintf(sum, sizeof(sum), "summary-%s", names[i]);
		assert_int_equal(key_parse_summary_file(sum, back, &attempt),
		    -1);
	}
}

static void
splits_references_at_the_last_at(void **state)
{
	static const struct {
		const char *input, *id, *queue;
	} cases[] = {
	    {"fix", "fix", ""},
	    {"fix@MAIN", "fix", "MAIN"},
	    {"a@b@MAIN", "a@b", "MAIN"},
	    {"a@b.c", "a@b.c", ""},
	    {"@MAIN", "@MAIN", ""},
	    {"a@", "a@", ""},
	};
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		assert_int_equal(key_parse_ref(cases[i].input, id, queue), 0);
		assert_string_equal(id, cases[i].id);
		assert_string_equal(queue, cases[i].queue);
	}
	assert_int_equal(key_parse_ref("", id, queue), -1);
	assert_int_equal(key_parse_ref(A64 A64 A64 A64 "b@MAIN", id, queue),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(maps_ids_to_slugs),
	    cmocka_unit_test(takes_ids_that_people_can_read),
	    cmocka_unit_test(refuses_queue_names_that_are_directories_of_ours),
	    cmocka_unit_test(reads_back_every_name_it_makes),
	    cmocka_unit_test(takes_no_name_that_it_would_not_make),
	    cmocka_unit_test(splits_references_at_the_last_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
