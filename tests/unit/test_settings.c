/* SPDX-License-Identifier: ISC */
/* patchflow.yaml in, struct or "FILE:LINE: reason" lines out. */
#include <sys/stat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/settings.h"

#define QUEUE "queues: [{name: MAIN, workspace: ws}]\n"

struct scratch {
	char dir[64];
	char file[96];
	struct settings s;
	struct buf errs;
};

static int
setup(void **state)
{
	struct scratch *x = calloc(1, sizeof(*x));

	(void)strlcpy(x->dir, "/tmp/settings.XXXXXX", sizeof(x->dir));
	assert_non_null(mkdtemp(x->dir));
	(void)snprintf(x->file, sizeof(x->file), "%s/c.yaml", x->dir);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct scratch *x = *state;

	settings_free(&x->s);
	buf_free(&x->errs);
	(void)unlink(x->file);
	(void)rmdir(x->dir);
	free(x);
	return 0;
}

static int
load(struct scratch *x, const char *text)
{
	FILE *f = fopen(x->file, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	buf_clear(&x->errs);
	settings_free(&x->s);
	return settings_load(&x->s, x->file, &x->errs);
}

/* The line of errs that says want stands at line. */
static void
assert_error(struct scratch *x, const char *text, int line, const char *want)
{
	char place[128];

	assert_int_equal(load(x, text), -1);
	(void)snprintf(place, sizeof(place), "%s:%d: %s", x->file, line, want);
	if (strstr(x->errs.bytes, place) == NULL)
		fail_msg("no \"%s\" in\n%s", place, x->errs.bytes);
}

static void
fills_in_every_default(void **state)
{
	struct scratch *x = *state;
	const struct queue_settings *q;

	assert_int_equal(load(x, "spool: sp\n" QUEUE), 0);
	q = &x->s.queues[0];
	assert_true(q->is_default);
	assert_int_equal(q->timeout, 300000);
	assert_int_equal(q->command_timeout, 30000);
	assert_int_equal(q->file_size, 10 << 20);
	assert_int_equal(q->attempts, 3);
	assert_int_equal(x->s.watchdog.queue_depth, 10);
	assert_int_equal(x->s.watchdog.stale_patch, 15 * 60 * 1000);
	assert_int_equal(x->s.alerts.dedupe, 5 * 60 * 1000);
	assert_int_equal(x->s.bridge.poll, 5000);
	assert_int_equal(x->s.logs.size, 5 << 20);
	assert_int_equal(x->s.logs.count, 10);
	assert_string_equal(x->s.logs.directory, "/var/log/patchflow");
	assert_string_equal(q->run_as, "");
}

static void
gives_the_common_approvers_to_queues_that_name_none(void **state)
{
	struct scratch *x = *state;

	assert_int_equal(load(x,
			     "spool: sp\napprovers: [ann, '@ops']\nqueues:\n"
			     "- {name: A, workspace: a, default: true}\n"
			     "- {name: B, workspace: b, approvers: bob}\n"
			     "- {name: C, workspace: c, approvers: []}\n"),
	    0);
	assert_int_equal(x->s.queues[0].approvers.count, 2);
	assert_string_equal(x->s.queues[0].approvers.items[1], "@ops");
	assert_int_equal(x->s.queues[1].approvers.count, 1);
	assert_string_equal(x->s.queues[1].approvers.items[0], "bob");
	assert_int_equal(x->s.queues[2].approvers.count, 0);
	assert_error(x,
	    "spool: sp\napprovers:\n- ann\n- ann\nqueues:\n"
	    "- {name: A, workspace: a}\n",
	    4, "approvers[1]: \"ann\" stands here already");
	assert_error(x,
	    "spool: sp\nqueues:\n- name: A\n  workspace: a\n"
	    "  approvers: ['@']\n",
	    5, "queues[0].approvers[0]: \"@\" is neither");
}

static void
makes_paths_absolute_against_the_file(void **state)
{
	struct scratch *x = *state;
	char want[128], *real = realpath(x->dir, NULL);

	assert_int_equal(
	    load(x, "spool: ./a//sp/\nqueues:\n- {name: M, workspace: "
		    "ws, path_map: {/u: ws/u}}\nlogs: {directory: ''}"),
	    0);
	(void)snprintf(want, sizeof(want), "%s/a/sp", real);
	assert_string_equal(x->s.spool, want);
	(void)snprintf(want, sizeof(want), "%s/ws/u", real);
	assert_string_equal(x->s.queues[0].path_map.values[0], want);
	assert_string_equal(x->s.queues[0].path_map.names[0], "/u");
	assert_string_equal(x->s.logs.directory, "");
	(void)snprintf(want, sizeof(want), "%s/c.yaml", real);
	assert_string_equal(x->s.path, want);
	free(real);
}

static void
reads_spans_sizes_lists_and_json(void **state)
{
	struct scratch *x = *state;

	assert_int_equal(
	    load(x,
		"{\"spool\": \"sp\", \"queues\": [{\"name\": \"M\", "
		"\"workspace\": \"w\", \"timeout\": \"2h\", "
		"\"command_timeout\": 7, \"memory\": \"1G\", \"file_size\": "
		"4096, \"network\": true, \"aliases\": \"B\"}]}"),
	    0);
	assert_int_equal(x->s.queues[0].timeout, 7200000);
	assert_int_equal(x->s.queues[0].command_timeout, 7000);
	assert_int_equal(x->s.queues[0].memory, 1 << 30);
	assert_int_equal(x->s.queues[0].file_size, 4096);
	assert_true(x->s.queues[0].network);
	assert_int_equal(x->s.queues[0].aliases.count, 1);
}

static void
names_line_and_reason_of_each_wrong_value(void **state)
{
	struct scratch *x = *state;

	assert_error(x, QUEUE, 1, "spool: missing");
	assert_error(x, "spool: sp\n" QUEUE "bridge:\n  pol: 3s\n", 4,
	    "bridge.pol: unknown key; did you mean poll?");
	assert_error(x, "spool: sp\n" QUEUE "xyzzyplugh: 1\n", 3,
	    "xyzzyplugh: unknown key; see patchflow.yaml(5)");
	assert_error(x, "spool: sp\n" QUEUE "bridge: {poll: soon}\n", 3,
	    "bridge.poll: must be a span of time");
	assert_error(x, "spool: sp\n" QUEUE "bridge: {poll: 1ms}\n", 3,
	    "bridge.poll: 1ms is not between 100ms and 1h");
	assert_error(x, "spool: sp\n" QUEUE "logs: {size: -1}\n", 3,
	    "logs.size: must be a size such as 10M");
	assert_error(x, "spool: sp\n" QUEUE "logs: {count: 2.5}\n", 3,
	    "logs.count: must be a whole number");
	assert_error(x, "spool: 12\n" QUEUE, 1, "spool: must be text");
	assert_error(x, "spool: sp\n" QUEUE "alerts: []\n", 3,
	    "alerts: must be a mapping");
	assert_error(x, "spool: sp\nqueues: {name: MAIN}\n", 2,
	    "queues: must be a list");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: M, workspace: w,\n"
	    "   network: yes}\n",
	    4, "queues[0].network: must be true or false");
	assert_error(x, "spool: sp\nspool: sp\n" QUEUE, 2, "");
}

static void
tells_all_errors_at_once(void **state)
{
	struct scratch *x = *state;
	const char *p;
	int lines = 0;

	assert_int_equal(load(x, "a: 1\nb: 2\nqueues: []\n"), -1);
	for (p = x->errs.bytes; *p != '\0'; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 4);
}

static void
holds_queues_apart(void **state)
{
	struct scratch *x = *state;

	assert_error(x, "spool: sp\nqueues: []\n", 2, "queues: at least one");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a}\n"
	    "- {name: B, workspace: b}\n",
	    3, "queues: one of them needs \"default: true\"");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a, default: true}\n"
	    "- {name: B, workspace: b, default: true}\n",
	    4, "queues[1].default: another queue is the default");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a, default: true}\n"
	    "- {name: B, workspace: b, aliases: [a]}\n",
	    4, "queues[1].aliases[0]: a queue has this name already");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a, default: true}\n"
	    "- {name: B, workspace: a/b}\n",
	    4, "queues[1].workspace: is, holds or lies");
	assert_error(x, "spool: sp\nqueues:\n- {name: inbox, workspace: a}\n",
	    3, "queues[0].name: is a reserved word");
	assert_error(x, "spool: sp\nqueues:\n- {name: A/B, workspace: a}\n", 3,
	    "queues[0].name: must be 1 to 32");
	assert_error(x, "spool: sp\nqueues:\n- {name: A, workspace: sp/a}\n", 3,
	    "queues[0].workspace: lies in the spool");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a, "
	    "path_map: {/u: b}}\n",
	    3, "queues[0].path_map: leads out of the workspace");
	assert_error(x,
	    "spool: sp\nqueues:\n- name: A\n  workspace: a\n"
	    "  protected: [a/*, ../b]\n",
	    5, "queues[0].protected[1]: matches no path");
	assert_error(x,
	    "spool: sp\nqueues:\n- {name: A, workspace: a, timeout: 5s}\n", 3,
	    "queues[0].command_timeout: is longer");
}

static void
checks_sources_destinations_and_channels(void **state)
{
	struct scratch *x = *state;

	assert_error(x,
	    "spool: sp\n" QUEUE "bridge:\n  sources:\n"
	    "  - {type: transcript, path: a/c}\n"
	    "  - {type: transcript, path: a//c}\n",
	    6, "bridge.sources[1].path: another source reads this file");
	assert_error(x,
	    "spool: sp\n" QUEUE "bridge:\n  sources:\n"
	    "  - {type: transcript, path: a/c}\n"
	    "  - {type: transcript, path: b/c}\n",
	    6, "bridge.sources[1].name: another source has this name");
	assert_error(x,
	    "spool: sp\n" QUEUE "bridge:\n  sources:\n"
	    "  - {type: transcript, path: c, queue: Q}\n",
	    5, "bridge.sources[0].queue: there is no such queue");
	assert_error(x,
	    "spool: sp\n" QUEUE "bridge: {sources: [{type: transcript, "
	    "path: c}]}\nsummaries:\n  destinations:\n"
	    "  - {type: directory, path: c}\n",
	    6, "summaries.destinations[0].path: is a source");
	assert_error(x,
	    "spool: sp\n" QUEUE "alerts:\n  channels:\n"
	    "  - {name: h, type: webhook}\n",
	    5, "alerts.channels[0]: a webhook needs url or url_file");
	assert_error(x,
	    "spool: sp\n" QUEUE "alerts:\n  channels:\n"
	    "  - {name: h, type: slack-webhook, url: 'h', url_file: f}\n",
	    5, "alerts.channels[0]: a webhook needs url or url_file");
	assert_error(x,
	    "spool: sp\n" QUEUE "alerts:\n  channels:\n"
	    "  - {name: h, type: webhook, url: 'ftp://h'}\n",
	    5, "alerts.channels[0]: url must be");
	assert_error(x,
	    "spool: sp\n" QUEUE "alerts:\n  channels:\n"
	    "  - {name: f, type: file}\n",
	    5, "alerts.channels[0]: a file needs its path");
	assert_error(x, "spool: sp\n" QUEUE "watchdog: {hang: 6s}\n", 3,
	    "watchdog.hang: must be at least twice");
}

static void
protects_what_is_ours_in_a_workspace(void **state)
{
	struct scratch *x = *state;
	const struct conf_strings *p;

	assert_int_equal(
	    load(x, "spool: var/spool\nqueues: [{name: M, workspace: .}]\n"),
	    0);
	p = &x->s.queues[0].protected;
	assert_int_equal(p->count, 4);
	assert_string_equal(p->items[0], "var/spool");
	assert_string_equal(p->items[1], "var/spool/**");
	assert_string_equal(p->items[2], "c.yaml");
}

static void
finds_queues_by_name_and_alias(void **state)
{
	struct scratch *x = *state;

	assert_int_equal(load(x,
			     "spool: sp\nqueues:\n- {name: MAIN, workspace: a, "
			     "aliases: [BRAUN]}\n- {name: CYOPS, workspace: b, "
			     "default: true}\n"),
	    0);
	assert_string_equal(settings_queue(&x->s, "braun")->name, "MAIN");
	assert_string_equal(settings_queue(&x->s, "CYOPS")->name, "CYOPS");
	assert_null(settings_queue(&x->s, "DEV"));
	assert_string_equal(settings_default_queue(&x->s)->name, "CYOPS");
}

static void
reads_secrets_late(void **state)
{
	struct scratch *x = *state;
	char why[256] = "", *secret;

	assert_int_equal(setenv("PATCHFLOW_TEST_SECRET", "s3", 1), 0);
	secret =
	    settings_secret("env:PATCHFLOW_TEST_SECRET", "", why, sizeof(why));
	assert_string_equal(secret, "s3");
	free(secret);
	assert_null(settings_secret("env:PATCHFLOW_NONE", "", why, 256));
	assert_non_null(strstr(why, "not set"));
	assert_int_equal(load(x, "http://h/x \nmore\n"), -1);
	secret = settings_secret("", x->file, why, sizeof(why));
	assert_string_equal(secret, "http://h/x");
	free(secret);
	assert_null(settings_secret("", "/nonexistent/f", why, sizeof(why)));
}

static void
refuses_files_that_are_none(void **state)
{
	struct scratch *x = *state;

	assert_int_equal(settings_load(&x->s, x->dir, &x->errs), -1);
	assert_int_equal(settings_load(&x->s, "/nonexistent", &x->errs), -1);
	assert_non_null(strstr(x->errs.bytes, "No such file"));
	assert_error(x, "spool: [\n", 2, "");
	assert_error(x, "", 1, "the text is empty");
	assert_error(x, "~\n", 1, "spool: missing");
	assert_error(x, "- a\n", 1, "must be a mapping");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(fills_in_every_default, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		gives_the_common_approvers_to_queues_that_name_none, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		makes_paths_absolute_against_the_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(reads_spans_sizes_lists_and_json,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(
		names_line_and_reason_of_each_wrong_value, setup, teardown),
	    cmocka_unit_test_setup_teardown(tells_all_errors_at_once, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(holds_queues_apart, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		checks_sources_destinations_and_channels, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		protects_what_is_ours_in_a_workspace, setup, teardown),
	    cmocka_unit_test_setup_teardown(finds_queues_by_name_and_alias,
		setup, teardown),
	    cmocka_unit_test_setup_teardown(reads_secrets_late, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(refuses_files_that_are_none, setup,
		teardown),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
