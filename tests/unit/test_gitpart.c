/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "executor/gitconf.h"
#include "executor/gitpart.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
knows_the_parts_of_a_repository_by_their_names(void **state)
{
	static const struct {
		const char *path;
		enum gitpart want;
	} rows[] = {
	    {".git/config", GITPART_CONFIG},
	    {"vendor/lib/.git/config", GITPART_CONFIG},
	    {".GIT/Config", GITPART_CONFIG},
	    {".git/modules/a/b/modules/c/config", GITPART_CONFIG},
	    {".git/hooks", GITPART_SAMPLE},
	    {".git/hooks/pre-commit.sample", GITPART_SAMPLE},
	    {".git/hooks/pre-commit", GITPART_FIXED},
	    {"a/.git/b/.git/hooks/x", GITPART_FIXED},
	    {".git/modules/a/hooks/post-checkout", GITPART_FIXED},
	    {".git/commondir", GITPART_FIXED},
	    {".git/worktrees/w/commondir", GITPART_FIXED},
	    {".git/remotes/origin", GITPART_FIXED},
	    {".git/branches/origin", GITPART_FIXED},
	    {".git/config.worktree", GITPART_EXTRA},
	    {"a/.git/modules/b/config.worktree", GITPART_EXTRA},
	    {".git/worktrees/w/config.worktree", GITPART_FIXED},
	    {".git/rebase-merge/git-rebase-todo", GITPART_STATE},
	    {".git/rebase-merge", GITPART_STATE},
	    {".git/worktrees/w/rebase-merge/git-rebase-todo", GITPART_STATE},
	    {".git/sequencer/todo", GITPART_STATE},
	    {".git/modules/a/rebase-apply/next", GITPART_STATE},
	    {".git/worktrees/w/.git/modules/a/config", GITPART_CONFIG},
	    {".git/worktrees/w/.git", GITPART_ROOT},
	    {".git/modules/a/.git", GITPART_ROOT},
	    {".git/modules/a/.git/objects", GITPART_DIR},
	    {".git/modules", GITPART_DIR},
	    {".git/modules/a/objects", GITPART_DIR},
	    {".git/info", GITPART_DIR},
	    {"sub/.git", GITPART_ROOT},
	    {".git", GITPART_ROOT},
	    {".git/branches", GITPART_NONE},
	    {".git/refs/remotes/origin/main", GITPART_NONE},
	    {".git/info/exclude", GITPART_NONE},
	    {".git/HEAD", GITPART_NONE},
	    {"git/config", GITPART_NONE},
	    {"a.git/config", GITPART_NONE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (gitpart_of(rows[i].path) != rows[i].want)
			fail_msg("%s: %d", rows[i].path,
			    gitpart_of(rows[i].path));
	}
	/* References of submodules are not remotes. */
	assert_true(gitpart_is_closed("a/.git/config.worktree"));
	assert_false(
	    gitpart_is_closed(".git/modules/a/refs/remotes/origin/main"));
}

static void
a_repository_goes_whole_but_the_workspaces_own(void **state)
{
	static const struct {
		const char *top, *path;
		bool want;
	} rows[] = {
	    {"build", "build/lib/.git/config", true},
	    {"build/lib/.git", "build/lib/.git/hooks/x", true},
	    {"build/lib/.git/hooks", "build/lib/.git/hooks/x", false},
	    {"build/lib/.git/config", "build/lib/.git/config", false},
	    {".git", ".git/config", false},
	    {".git/a", ".git/a/.git/config", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (gitpart_goes_whole(rows[i].top, rows[i].path) !=
		    rows[i].want)
			fail_msg("%s of %s", rows[i].path, rows[i].top);
}

static void
a_link_leads_to_a_submodule_in_the_workspace(void **state)
{
	static const struct {
		const char *path, *text;
		bool want;
	} rows[] = {
	    {"lib/sub/.git", "gitdir: ../.git/modules/sub\n", true},
	    {"sub/.git", "gitdir: ../.git/modules/sub\n", true},
	    {"a/b/c/.git", "gitdir: ../../.git/modules/b/modules/c\n", true},
	    {"sub/.git", "gitdir: ../evil\n", false},
	    {"sub/.git", "gitdir: ../../.git/modules/sub\n", false},
	    {"sub/.git", "gitdir: ../.git/modules/../../evil\n", false},
	    {"sub/.git", "gitdir: a/../.git/modules/x\n", false},
	    {"sub/.git", "gitdir: /tmp/.git/modules/x\n", false},
	    {"sub/.git", "gitdir: ../.git/worktrees/x\n", false},
	    {"sub/.git", "gitdir: ../.git/modules/\n", false},
	    {"sub/.git", "gitdir: ../.git/modules/x\nmore\n", false},
	    {"sub/.git", "gitdir: ../.git/modules/x", false},
	    {".git", "gitdir: x.git/modules/x\n", false},
	    {"sub/.git", "", false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (gitpart_link(rows[i].path, rows[i].text) != rows[i].want)
			fail_msg("%s in %s", rows[i].text, rows[i].path);
}

#define CORE "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n"

struct conf_row {
	const char *text;
	bool want;
};

static void
check_confs(const char *path, const struct conf_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct buf why = {0};
		bool got = gitconf_is_plain(path, rows[i].text,
		    strlen(rows[i].text), &why);

		if (got != rows[i].want)
			fail_msg("row %zu: %s: %s", i, rows[i].text,
			    why.len > 0 ? why.bytes : "plain");
		/* It is told why. */
		assert_int_equal(why.len == 0, got);
		buf_free(&why);
	}
}

static void
a_plain_configuration_names_no_program(void **state)
{
	static const struct conf_row rows[] = {
	    {CORE "\tbare = false\n\tlogallrefupdates = true\n", true},
	    {CORE "[remote \"origin\"]\n\turl = https://example.org/a.git\n"
		  "\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
		  "[branch \"main\"]\n\tremote = origin\n"
		  "\tmerge = refs/heads/main\n",
		true},
	    {"[submodule]\n\tactive = .\n[submodule \"sub\"]\n"
	     "\turl = ../sub\n\tupdate = rebase\n",
		true},
	    {CORE "[extensions]\n\tworktreeConfig = true\n[index]\n"
		  "\tsparse = false\n",
		true},
	    {"# said\n\n[CORE]\n  Bare\n; more\n", true},
	    {"", true},
	    {"[core]\n\tfsmonitor = ./x\n", false},
	    {"[core]\n\tFSMonitor = ./x\n", false},
	    {"[core] fsmonitor = ./x\n", false},
	    {"[core]\n\tbare = false # \\\nfsmonitor = x\n", false},
	    {"[core]\n\tbare = \"fal\\\nfsmonitor = x\n", false},
	    {"[core]\r\n\tbare = false\r\n", false},
	    {"[core]\n\thooksPath = ../h\n", false},
	    {"[core]\n\tsshCommand = x\n", false},
	    {"[core \"x\"]\n\tbare = true\n", false},
	    {"[core.x]\n\tbare = true\n", false},
	    {"[include]\n\tpath = ../x\n", false},
	    {"[filter \"x\"]\n\tclean = x\n", false},
	    {"[alias]\n\tst = !x\n", false},
	    {"[remote \"o\"]\n\turl = ext::sh -c x\n", false},
	    {"[remote \"o\"]\n\turl = e\"xt:\":x\n", false},
	    {"[remote \"o\"]\n\turl = --upload-pack=x\n", false},
	    {"[remote \"o\"]\n\turl = \"\" --upload-pack=x\n", false},
	    {"[remote \"o\"]\n\tuploadpack = x\n", false},
	    {"[remote \"o\"]\n\tvcs = x\n", false},
	    {"[submodule \"s\"]\n\tupdate = !x\n", false},
	    {"[url \"x\"]\n\tinsteadOf = y\n", false},
	    {"[core]\n\tworktree = ..\n", false},
	    {"[core\n\tbare = true\n", false},
	    {"[core]\n\tbare true\n", false},
	    {"bare = true\n", false},
	    {"x", false},
	};

	(void)state;
	check_confs("lib/.git/config", rows, LENGTH(rows));
}

static void
a_submodule_has_its_work_tree_in_the_workspace(void **state)
{
	static const struct conf_row rows[] = {
	    {CORE "\tworktree = ../../../sub\n", true},
	    {CORE "\tworktree = ../../../../../home\n", false},
	    {CORE "\tworktree = /home\n", false},
	    {CORE "\tworktree = ../../../.git/x\n", false},
	    {CORE "\tworktree = ../..\n", false},
	};

	(void)state;
	check_confs("lib/.git/modules/sub/config", rows, LENGTH(rows));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_parts_of_a_repository_by_their_names),
	    cmocka_unit_test(a_repository_goes_whole_but_the_workspaces_own),
	    cmocka_unit_test(a_link_leads_to_a_submodule_in_the_workspace),
	    cmocka_unit_test(a_plain_configuration_names_no_program),
	    cmocka_unit_test(a_submodule_has_its_work_tree_in_the_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
