/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "executor/policy.h"

#define COMMAND(a, c)                                                          \
	{                                                                      \
		.action = (a), .command = (c), .path = none, .line = __LINE__  \
	}
#define PATH(a, p)                                                             \
	{                                                                      \
		.action = (a), .command = none, .path = (p), .line = __LINE__  \
	}
#define SIZE(a, f, b)                                                          \
	{                                                                      \
		.action = (a), .command = none, .path = none, .files = (f),    \
		.bytes = (b), .line = __LINE__                                 \
	}

static char none[] = "", allow[] = "allow", hold[] = "hold", deny[] = "deny";
static char never[] = "never", shell[] = "shell", always[] = "always";
static char make[] = "make( [a-z]+)*", make_all[] = "make all";
static char curl[] = "curl[^|]*\\|", sudo[] = "(^|[^a-z])sudo ";
static char keys[] = "keys", pem[] = "*.pem", deep[] = "a/b/*";

static struct rule_settings rules[] = {COMMAND(hold, make_all),
    COMMAND(allow, make), COMMAND(deny, curl), COMMAND(hold, sudo),
    PATH(allow, pem), PATH(deny, keys), PATH(hold, deep), SIZE(hold, 3, 0),
    SIZE(deny, 0, 100)};

static enum policy
ask_command(char *approve, const char *text)
{
	struct queue_settings q = {.approve = approve,
	    .rules = rules,
	    .rule_count = sizeof(rules) / sizeof(rules[0])};
	const struct policy_source s = {.queue = &q, .file = "conf.yaml"};
	char copy[64];
	struct plan_command c = {PHASE_VALIDATE, copy};
	struct plan p = {.commands = &c, .command_count = 1};
	struct policy_answer a;

	(void)strlcpy(copy, text, sizeof(copy));
	policy_of_plan(&s, &p, &a);
	assert_int_equal(a.verdict == POLICY_RUN, a.why[0] == '\0');
	return a.verdict;
}

static void
the_first_rule_that_matches_a_command_decides(void **state)
{
	static const struct {
		const char *command;
		enum policy never, shell;
	} cases[] = {{"make", POLICY_RUN, POLICY_RUN},
	    {"make check", POLICY_RUN, POLICY_RUN},
	    {"make all", POLICY_HOLD, POLICY_HOLD},
	    {"make; rm x", POLICY_RUN, POLICY_HOLD},
	    {" make", POLICY_RUN, POLICY_HOLD},
	    {"make\nrm x", POLICY_RUN, POLICY_HOLD},
	    {"true", POLICY_RUN, POLICY_HOLD},
	    {"x; curl u | sh", POLICY_DENY, POLICY_DENY},
	    {"curl u", POLICY_RUN, POLICY_HOLD},
	    {"sudo x", POLICY_HOLD, POLICY_HOLD},
	    {"pseudo x", POLICY_RUN, POLICY_HOLD}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ask_command(never, cases[i].command),
		    cases[i].never);
		assert_int_equal(ask_command(shell, cases[i].command),
		    cases[i].shell);
	}
	assert_int_equal(ask_command(always, "make"), POLICY_HOLD);
	assert_int_equal(ask_command(always, "curl u | sh"), POLICY_DENY);
}

static struct queue_settings queue = {.approve = never,
    .rules = rules,
    .rule_count = sizeof(rules) / sizeof(rules[0])};

/* Of what was changed in fact. */
static void
ask_changes(const char *const *paths, size_t count, int64_t bytes,
    struct policy_answer *a)
{
	const struct policy_source s = {.queue = &queue, .file = "conf.yaml"};

	*a = (struct policy_answer){0};
	for (size_t i = 0; i < count; i++)
		policy_of_path(&s, paths[i], a);
	policy_of_size(&s, (int64_t)count, bytes, a);
}

static enum policy
ask_path(const char *path)
{
	struct policy_answer a;

	ask_changes(&path, 1, 1, &a);
	return a.verdict;
}

static void
ask_plan_to_write(const struct policy_source *s, const char *path,
    struct policy_answer *a)
{
	char copy[64];
	struct plan_step step = {.kind = PLAN_WRITE, .path = copy};
	const struct plan p = {.steps = &step, .step_count = 1};

	(void)strlcpy(copy, path, sizeof(copy));
	policy_of_plan(s, &p, a);
}

/* Of what a patch says. */
static enum policy
ask_delete(char *path)
{
	const struct policy_source s = {.queue = &queue, .file = "conf.yaml"};
	struct plan_step step = {.kind = PLAN_DELETE, .path = path};
	const struct plan p = {.steps = &step, .step_count = 1};
	struct policy_answer a;

	policy_of_plan(&s, &p, &a);
	return a.verdict;
}

static void
a_path_is_covered_with_all_below_it(void **state)
{
	char top[] = "a", inner[] = "a/b", free_one[] = "b";

	(void)state;
	assert_int_equal(ask_path("free"), POLICY_RUN);
	assert_int_equal(ask_path("keys"), POLICY_DENY);
	assert_int_equal(ask_path("keys/x/y"), POLICY_DENY);
	assert_int_equal(ask_path("keys/x.pem"), POLICY_RUN);
	assert_int_equal(ask_path("keys2"), POLICY_RUN);
	assert_int_equal(ask_path("a/b/c"), POLICY_HOLD);
	/* of what is in it, each is asked for */
	assert_int_equal(ask_path("a"), POLICY_RUN);
	/* to be taken away as a whole */
	assert_int_equal(ask_delete(top), POLICY_HOLD);
	assert_int_equal(ask_delete(inner), POLICY_HOLD);
	assert_int_equal(ask_delete(free_one), POLICY_RUN);
}

static void
the_strictest_decision_wins_and_names_its_line(void **state)
{
	static const char *const paths[] = {"a/b/c", "2", "3", "keys/k"};
	struct policy_answer a;

	(void)state;
	ask_changes(paths, 3, 100, &a);
	assert_int_equal(a.verdict, POLICY_HOLD);
	assert_non_null(strstr(a.why, "a/b/c: conf.yaml:"));
	ask_changes(paths, 4, 100, &a);
	assert_int_equal(a.verdict, POLICY_DENY);
	assert_non_null(strstr(a.why, "keys/k"));
	ask_changes(&paths[1], 2, 101, &a);
	assert_int_equal(a.verdict, POLICY_DENY);
	assert_non_null(strstr(a.why, "101 bytes"));
}

/* What the patch itself says was approved before it ran; what it did beside
 * that was not, and no approval makes a denied path a free one. */
static void
a_rule_that_was_approved_of_holds_no_more(void **state)
{
	bool held[sizeof(rules) / sizeof(rules[0])] = {false};
	const struct policy_source before = {.queue = &queue,
	    .file = "conf.yaml",
	    .holds = held};
	const struct policy_source after = {.queue = &queue,
	    .file = "conf.yaml",
	    .past = held};
	struct policy_answer a;

	(void)state;
	ask_plan_to_write(&before, "a/b/c", &a);
	assert_int_equal(a.verdict, POLICY_HOLD);
	a = (struct policy_answer){0};
	policy_of_path(&after, "a/b/d", &a);
	assert_int_equal(a.verdict, POLICY_RUN);
	policy_of_size(&after, 4, 0, &a);
	assert_int_equal(a.verdict, POLICY_HOLD);
	assert_non_null(strstr(a.why, "4 files"));
	policy_of_path(&after, "keys/k", &a);
	assert_int_equal(a.verdict, POLICY_DENY);
}

static enum policy
ask_steps(struct plan_step *steps, size_t count)
{
	const struct policy_source s = {.queue = &queue, .file = "conf.yaml"};
	const struct plan p = {.steps = steps, .step_count = count};
	struct policy_answer a;

	policy_of_plan(&s, &p, &a);
	return a.verdict;
}

static void
each_step_of_a_plan_is_asked_for(void **state)
{
	char open[] = "free", shut[] = "keys/x", pipe[] = "curl u | sh";
	struct plan_step away = {.kind = PLAN_RENAME, .path = open, .to = shut},
			 from = {.kind = PLAN_RENAME, .path = shut, .to = open},
			 plain = {.kind = PLAN_RENAME,
			     .path = open,
			     .to = open},
			 command = {.kind = PLAN_COMMAND, .to = pipe};

	(void)state;
	assert_int_equal(ask_steps(&away, 1), POLICY_DENY);
	assert_int_equal(ask_steps(&from, 1), POLICY_DENY);
	assert_int_equal(ask_steps(&plain, 1), POLICY_RUN);
	assert_int_equal(ask_steps(&command, 1), POLICY_DENY);
}

static void
the_copy_of_a_summary_is_asked_for(void **state)
{
	static const struct {
		const char *file;
		enum policy verdict;
	} cases[] = {{"docs/s.md", POLICY_RUN}, {"keys/s.md", POLICY_DENY},
	    {"/srv/app/a/b/s.md", POLICY_HOLD}, {"/elsewhere/s", POLICY_RUN}};
	char workspace[] = "/srv/app";
	struct queue_settings q = queue;
	const struct policy_source s = {.queue = &q, .file = "conf.yaml"};

	(void)state;
	q.workspace = workspace;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan p = {
		    .final = json_pack("{s:s}", "summaryFile", cases[i].file)};
		struct policy_answer a;

		policy_of_plan(&s, &p, &a);
		assert_int_equal(a.verdict, cases[i].verdict);
		json_decref(p.final);
	}
}

/* They are the queue's own. */
static void
gates_are_not_asked_for(void **state)
{
	const struct policy_source s = {.queue = &queue, .file = "conf.yaml"};
	char pipe[] = "curl u | sh";
	struct plan_command c = {PHASE_GATE, pipe};
	const struct plan p = {.commands = &c, .command_count = 1};
	struct policy_answer a;

	(void)state;
	policy_of_plan(&s, &p, &a);
	assert_int_equal(a.verdict, POLICY_RUN);
	c.phase = PHASE_BUILD;
	policy_of_plan(&s, &p, &a);
	assert_int_equal(a.verdict, POLICY_DENY);
}

/* At most so many: at the limit itself it runs. */
static void
a_plan_is_measured_by_its_files_and_bytes(void **state)
{
	char names[4][2] = {"1", "2", "3", "4"}, text[1] = "";
	struct plan_edit edit = {.replace = {text, 100}};
	struct plan_step steps[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		steps[i] =
		    (struct plan_step){.kind = PLAN_WRITE, .path = names[i]};
	assert_int_equal(ask_steps(steps, 3), POLICY_RUN);
	assert_int_equal(ask_steps(steps, 4), POLICY_HOLD);
	/* one file twice is one */
	steps[3].path = names[0];
	assert_int_equal(ask_steps(steps, 4), POLICY_RUN);
	steps[1].edits = &edit;
	steps[1].edit_count = 1;
	assert_int_equal(ask_steps(steps, 3), POLICY_RUN);
	edit.replace.len = 101;
	assert_int_equal(ask_steps(steps, 3), POLICY_DENY);
	edit.replace.len = 60;
	steps[2].text = (struct plan_text){text, 41};
	assert_int_equal(ask_steps(steps, 3), POLICY_DENY);
	steps[2].text.len = 40;
	assert_int_equal(ask_steps(steps, 3), POLICY_RUN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_rule_that_matches_a_command_decides),
	    cmocka_unit_test(a_path_is_covered_with_all_below_it),
	    cmocka_unit_test(a_rule_that_was_approved_of_holds_no_more),
	    cmocka_unit_test(the_strictest_decision_wins_and_names_its_line),
	    cmocka_unit_test(each_step_of_a_plan_is_asked_for),
	    cmocka_unit_test(the_copy_of_a_summary_is_asked_for),
	    cmocka_unit_test(gates_are_not_asked_for),
	    cmocka_unit_test(a_plan_is_measured_by_its_files_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
