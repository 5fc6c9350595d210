/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/plan.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static char workspace[] = "/srv/app";
static char from[] = "/Users/me/app", inner_from[] = "/Users/me/app/vendor";
static char inner_to[] = "/srv/app/lib";
static char *froms[] = {from, inner_from};
static char *tos[] = {workspace, inner_to};
static char secret[] = "secrets";
static char pem[] = "etc/*.pem";
static char run[] = "run-[0-9]";
static char *globs[] = {secret, pem, run};
static char gate[] = "make test";
static char *gates[] = {gate};

static struct queue_settings
queue(void)
{
	struct queue_settings q = {.workspace = workspace,
	    .path_map = {froms, tos, LENGTH(tos)},
	    .protected = {globs, LENGTH(globs)},
	    .gates = {gates, 1},
	    .network = true,
	    .timeout = 300000,
	    .command_timeout = 30000,
	    .memory = 1 << 30,
	    .processes = 256,
	    .file_size = 10 << 20};

	return q;
}

static int
make(const char *text, struct plan *p, struct fault *f)
{
	struct queue_settings q = queue();
	json_t *doc = json_loads(text, 0, NULL);
	int answer;

	assert_non_null(doc);
	answer = plan_make(doc, &q, p, f);
	json_decref(doc);
	return answer;
}

static void
maps_paths_into_the_workspace(void **state)
{
	static const struct {
		const char *path, *want; /* NULL: refused */
	} rows[] = {
	    {"src/a.c", "src/a.c"},
	    {"./src//a.c", "src/a.c"},
	    {"/srv/app/src/a.c", "src/a.c"},
	    {"/Users/me/app/src/a.c", "src/a.c"},
	    {"/Users/me/app/vendor/a.c", "lib/a.c"},
	    {"/Users/me/app/vendors/a.c", "vendors/a.c"},
	    {"/Users/me/apple", NULL},
	    {"/srv/application/x", NULL},
	    {"/etc/passwd", NULL},
	    {"../x", NULL},
	    {"a/../../x", NULL},
	    {"/srv/app/../x", NULL},
	    {".git/config", NULL},
	    {".git/hooks/pre-commit", NULL},
	    {".git/hooks/deep/er", NULL},
	    {".git/commondir", NULL},
	    {"vendor/lib/.git/config", NULL},
	    {"a/.git/b/.git/hooks/x", NULL},
	    {".GIT/config", NULL},
	    {".git/rebase-merge/git-rebase-todo", NULL},
	    {".git/modules/sub/config", NULL},
	    {".git/description", ".git/description"},
	    {"git/config", "git/config"},
	    {"a.git/config", "a.git/config"},
	    {"secrets", NULL},
	    {"secrets/key", NULL},
	    {"secrets2", "secrets2"},
	    {"etc/a.pem", NULL},
	    {"etc/pem", "etc/pem"},
	    {"etc/a.pem/b", NULL},
	    {"run-1", NULL},
	    {"run-1/a/b", NULL},
	    {"run-1a/b", "run-1a/b"},
	    {".patchflow/x", NULL},
	    {"..a", "..a"},
	};
	struct queue_settings q = queue();

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fault f = {0};
		char *got = plan_path(&q, rows[i].path, &f);

		if ((got == NULL) != (rows[i].want == NULL) ||
		    (got != NULL && strcmp(got, rows[i].want) != 0))
			fail_msg("%s: %s", rows[i].path,
			    got != NULL ? got : "refused");
		assert_int_equal(f.set, got == NULL);
		if (got == NULL)
			assert_int_equal(f.reason, OUTCOME_FORBIDDEN);
		free(got);
	}
}

static void
orders_commands_and_adds_the_gates(void **state)
{
	static const enum plan_phase want[] = {PHASE_PRE, PHASE_BUILD,
	    PHASE_VALIDATE, PHASE_GATE};
	struct fault f = {0};
	struct plan p;

	(void)state;
	assert_int_equal(
	    make("{\"validate\":{\"shell\":[\"v\"]},\"postMutationBuild\":{"
		 "\"shell\":[\"b\"]},\"preMutationValidation\":{\"shell\":["
		 "\"p\"]},\"mutations\":[]}",
		&p, &f),
	    0);
	assert_int_equal(p.command_count, LENGTH(want));
	for (size_t i = 0; i < LENGTH(want); i++)
		assert_int_equal(p.commands[i].phase, want[i]);
	assert_false(p.unvalidated);
	assert_false(plan_is_plain(&p));
	plan_free(&p);
}

static void
limits_are_only_lowered(void **state)
{
	struct fault f = {0};
	struct plan p;

	(void)state;
	assert_int_equal(
	    make("{\"limits\":{\"timeout_ms\":1000,\"command_timeout_ms\":"
		 "9999999,\"memory_bytes\":5,\"network\":true},\"mutations\":"
		 "[{\"op\":\"mkdir\",\"path\":\"d\"}]}",
		&p, &f),
	    0);
	assert_int_equal(p.timeout_ms, 1000);
	assert_int_equal(p.command_timeout_ms, 30000);
	assert_int_equal(p.limits.memory, 5);
	assert_true(p.network);
	plan_free(&p);
	assert_int_equal(
	    make("{\"mutations\":[{\"op\":\"mkdir\",\"path\":\"d\"}]}", &p, &f),
	    0);
	assert_false(p.network);
	plan_free(&p);
}

static void
refuses_what_it_cannot_do(void **state)
{
	static const struct {
		const char *text;
		enum outcome_state state;
		int why; /* stage or reason */
		const char *place;
	} rows[] = {
	    {"{\"mutations\":[]}", OUTCOME_REJECTED, OUTCOME_NOT_EXECUTABLE,
		""},
	    {"{\"mutations\":[{\"op\":\"delete\",\"path\":\"a\"},{\"op\":"
	     "\"write\",\"path\":\"/etc/x\",\"contents\":\"\"}]}",
		OUTCOME_REJECTED, OUTCOME_FORBIDDEN, "mutations[1]"},
	    {"{\"mutations\":[{\"op\":\"rename\",\"path\":\"a\",\"rename\":"
	     "\"../b\"}]}",
		OUTCOME_REJECTED, OUTCOME_FORBIDDEN, "mutations[0]"},
	    {"{\"mutations\":[{\"op\":\"write\",\"path\":\"a\",\"contents\":"
	     "\"*\",\"encoding\":\"base64\"}]}",
		OUTCOME_REJECTED, OUTCOME_INVALID, "mutations[0]"},
	    {"{\"mutations\":[{\"op\":\"diff\",\"diff\":\"@@\"}]}",
		OUTCOME_REJECTED, OUTCOME_INVALID, "mutations[0]"},
	    {"{\"mutations\":[{\"op\":\"burn\",\"path\":\"a\"}]}",
		OUTCOME_REJECTED, OUTCOME_INVALID, "mutations[0]"},
	    {"{\"mutations\":[{\"op\":\"delete\",\"path\":\".\"}]}",
		OUTCOME_REJECTED, OUTCOME_FORBIDDEN, "mutations[0]"},
	    {"{\"mutations\":[{\"op\":\"chmod\",\"path\":\"a\",\"chmod\":"
	     "\"4755\"}]}",
		OUTCOME_REJECTED, OUTCOME_INVALID, "mutations[0]"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct fault f = {0};
		struct plan p;

		assert_int_equal(make(rows[i].text, &p, &f), -1);
		assert_int_equal(f.state, rows[i].state);
		assert_int_equal(f.state == OUTCOME_FAILED ? (int)f.stage
							   : (int)f.reason,
		    rows[i].why);
		assert_string_equal(f.place, rows[i].place);
		plan_free(&p);
	}
}

static void
a_fault_crosses_the_pipe_whole(void **state)
{
	struct fault f = {0}, g = {0};
	json_t *doc;

	(void)state;
	(void)fault_fail(&f, OUTCOME_TIMEOUT, "over \xff %d", 7);
	(void)fault_fail(&f, OUTCOME_COMMAND, "the first one stays");
	fault_hint(&f, "try");
	fault_place(&f, "mutations[3]");
	f.temporary = true;
	doc = fault_encode(&f);
	assert_int_equal(fault_decode(doc, &g), 0);
	assert_int_equal(g.stage, OUTCOME_TIMEOUT);
	assert_string_equal(g.text, "over \xef\xbf\xbd 7");
	assert_string_equal(g.hint, "try");
	assert_string_equal(g.place, "mutations[3]");
	assert_true(g.temporary);
	json_object_set_new(doc, "stage", json_integer(99));
	assert_int_equal(fault_decode(doc, &g), -1);
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(maps_paths_into_the_workspace),
	    cmocka_unit_test(orders_commands_and_adds_the_gates),
	    cmocka_unit_test(limits_are_only_lowered),
	    cmocka_unit_test(refuses_what_it_cannot_do),
	    cmocka_unit_test(a_fault_crosses_the_pipe_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
