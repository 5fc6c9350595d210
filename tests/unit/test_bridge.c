/* SPDX-License-Identifier: ISC */
/* What the bridge decides: where a document goes, what a block of a chat is,
 * whether an id may be used again, when a failed put is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bridge/identity.h"
#include "bridge/judge.h"
#include "bridge/retry.h"
#include "bridge/route.h"
#include "common/clock.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static char main_name[] = "MAIN", cyops_name[] = "CYOPS", lab_name[] = "LAB";
static char braun[] = "BRAUN", dev[] = "DEV";
static char *main_aliases[] = {braun};
static char *cyops_aliases[] = {dev};
static struct queue_settings queues[] = {
    {.name = main_name, .aliases = {main_aliases, 1}},
    {.name = cyops_name, .aliases = {cyops_aliases, 1}, .is_default = true},
    {.name = lab_name},
};
static const struct settings set = {.queue_count = LENGTH(queues),
    .queues = queues};

/* "MAIN CYOPS" for the targets in a JSON array; warnings are counted. */
static void
route(const char *targets, const char *fallback, char *out, size_t *warned)
{
	json_t *array = json_loads(targets, 0, NULL);
	json_t *warnings = json_array();
	struct route r;

	assert_non_null(array);
	route_targets(&set, array, fallback, warnings, &r);
	out[0] = '\0';
	for (size_t i = 0; i < r.count; i++) {
		if (i > 0)
			(void)strlcat(out, " ", 128);
		(void)strlcat(out, r.queues[i]->name, 128);
	}
	*warned = json_array_size(warnings);
	json_decref(warnings);
	json_decref(array);
	route_free(&r);
}

static void
routes_each_target_to_its_queues(void **state)
{
	static const struct {
		const char *targets, *fallback, *want;
		size_t warned;
	} cases[] = {
	    {"[\"MAIN\"]", "", "MAIN", 0},
	    {"[\"BRAUN\"]", "", "MAIN", 0},
	    {"[\"braun\"]", "", "MAIN", 0},
	    {"[\"DEV\"]", "", "CYOPS", 0},
	    {"[\"BOTH\"]", "", "MAIN CYOPS LAB", 0},
	    {"[\"CYOPS\", \"MAIN\"]", "", "CYOPS MAIN", 0},
	    {"[\"MAIN\", \"BRAUN\", \"main\"]", "", "MAIN", 0},
	    {"[\"NOWHERE\"]", "", "CYOPS", 1},
	    {"[\"NOWHERE\", \"MAIN\"]", "", "CYOPS MAIN", 1},
	    {"[\"NOWHERE\"]", "LAB", "LAB", 1},
	    {"[]", "", "CYOPS", 1},
	    {"[]", "LAB", "LAB", 1},
	    {"[]", "gone", "CYOPS", 1},
	    {"[7, null]", "", "CYOPS", 1},
	};
	char got[128];
	size_t warned;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		route(cases[i].targets, cases[i].fallback, got, &warned);
		assert_string_equal(got, cases[i].want);
		assert_int_equal(warned, cases[i].warned);
	}
}

#define PATCH "{\"role\":\"command_patch\",\"id\":\"a\",\"mutations\":[]}"
#define BARE "{\"id\":\"a\",\"mutations\":[{\"path\":\"x\",\"contents\":\"\"}]}"

static void
judges_blocks_of_a_chat(void **state)
{
	static const struct {
		const char *text, *author;
		bool quoted, listed;
		enum judge_verdict want;
	} cases[] = {
	    {PATCH, "", false, false, JUDGE_PATCH},
	    {PATCH, "assistant", false, true, JUDGE_PATCH},
	    {PATCH, "ASSISTANT", false, true, JUDGE_PATCH},
	    {PATCH, "user", false, true, JUDGE_NEAR_MISS},
	    {PATCH, "", false, true, JUDGE_NEAR_MISS},
	    {PATCH, "", true, false, JUDGE_NEAR_MISS},
	    {PATCH, "assistant", true, true, JUDGE_NEAR_MISS},
	    {BARE, "", false, false, JUDGE_NEAR_MISS},
	    {BARE, "assistant", false, true, JUDGE_NEAR_MISS},
	    {"{\"port\": 8080}", "", false, false, JUDGE_NOTHING},
	    {"int main(void) { return 0; }", "", false, false, JUDGE_NOTHING},
	    {"", "", false, false, JUDGE_NOTHING},
	    {"role: command_patch\nid: b\n", "", false, false, JUDGE_PATCH},
	    {"{\"role\": \"command_patch\", \"id\": \"c\",", "", false, false,
		JUDGE_PATCH},
	};
	static char assistant[] = "assistant";
	static char *names[] = {assistant};
	const struct conf_strings all = {NULL, 0}, one = {names, 1};
	const char *why;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct extract_block b = {.len = strlen(cases[i].text),
		    .quoted = cases[i].quoted};
		char text[256];

		(void)strlcpy(text, cases[i].text, sizeof(text));
		(void)strlcpy(b.author, cases[i].author, sizeof(b.author));
		b.text = text;
		assert_int_equal(
		    judge_block(&b, cases[i].listed ? &one : &all, &why),
		    cases[i].want);
		assert_int_equal(why[0] != '\0',
		    cases[i].want == JUDGE_NEAR_MISS);
	}
}

static struct ids_entry
entry(const char *digest, int rev, bool pending)
{
	struct ids_entry e = {.rev = rev, .attempt = rev, .pending = pending};

	(void)strlcpy(e.digest, digest, sizeof(e.digest));
	return e;
}

static void
tells_duplicates_from_revisions(void **state)
{
	struct ids_entry two[2];
	size_t which;

	(void)state;
	assert_int_equal(identity_judge(NULL, 0, "a", &which), IDENTITY_NEW);
	two[0] = entry("a", 1, false);
	two[1] = entry("b", 2, false);
	assert_int_equal(identity_judge(two, 2, "a", &which),
	    IDENTITY_DUPLICATE);
	assert_int_equal(which, 0);
	assert_int_equal(identity_judge(two, 2, "b", &which),
	    IDENTITY_DUPLICATE);
	assert_int_equal(which, 1);
	assert_int_equal(identity_judge(two, 2, "c", &which),
	    IDENTITY_REVISION);
	assert_int_equal(which, 1);
	two[1].pending = true;
	assert_int_equal(identity_judge(two, 2, "b", &which), IDENTITY_RESUME);
	assert_int_equal(identity_judge(two, 2, "a", &which),
	    IDENTITY_DUPLICATE);
	assert_int_equal(identity_judge(two, 2, "c", &which), IDENTITY_UNSURE);
}

static void
lets_an_id_be_used_again_only_when_it_is_over(void **state)
{
	static const struct {
		enum queue_dir where;
		enum outcome_state state;
		bool over;
	} cases[] = {
	    {Q_PATCHES, OUTCOME__STATES, false},
	    {Q_PATCHES, OUTCOME_FAILED, false}, /* an operator's retry */
	    {Q_HELD, OUTCOME__STATES, false},
	    {Q_RUNNING, OUTCOME__STATES, false},
	    {Q_COMPLETED, OUTCOME_COMPLETED, false},
	    {Q_COMPLETED, OUTCOME__STATES, false},
	    {Q_COMPLETED, OUTCOME_UNDONE, true},
	    {Q_FAILED, OUTCOME_FAILED, true},
	    {Q_FAILED, OUTCOME_REJECTED, true},
	    {Q_ARCHIVE, OUTCOME_COMPLETED, true},
	    {Q__MAX, OUTCOME_REJECTED, true},
	    {Q__MAX, OUTCOME__STATES, true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(identity_over(cases[i].where, cases[i].state),
		    cases[i].over);
}

static void
backs_off_from_a_second_to_thirty(void **state)
{
	static const int64_t want_ms[] = {1000, 2000, 4000, 8000, 16000, 30000,
	    30000};
	struct retry r = {0};

	(void)state;
	assert_true(retry_due(&r));
	assert_int_equal(retry_wait(&r), -1);
	for (size_t i = 0; i < LENGTH(want_ms); i++) {
		retry_failed(&r);
		assert_int_equal(r.delay_ms, want_ms[i]);
		assert_false(retry_due(&r));
		assert_true(retry_wait(&r) > want_ms[i] / 2);
		assert_true(retry_wait(&r) <= want_ms[i]);
	}
	r.at_ms = clock_mono_ms() - 1;
	assert_true(retry_due(&r));
	assert_int_equal(retry_wait(&r), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(routes_each_target_to_its_queues),
	    cmocka_unit_test(judges_blocks_of_a_chat),
	    cmocka_unit_test(tells_duplicates_from_revisions),
	    cmocka_unit_test(lets_an_id_be_used_again_only_when_it_is_over),
	    cmocka_unit_test(backs_off_from_a_second_to_thirty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
