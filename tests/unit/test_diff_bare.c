/* SPDX-License-Identifier: ISC */
/* What an entry is in a repository without a .git: a HEAD tells. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "executor/beneath.h"
#include "executor/pair.h"
#include "executor/subtree.h"
#include "tests/unit/scratch.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define HASH "0123456789abcdefABCDEF0123456789abcdef01"
#define REF "ref: refs/heads/main\n"
#define LINK "-> " /* a HEAD that is a link */

/* What is staged and what is in the workspace, in a pair of its own. */
struct world {
	struct workspace workspace;
	struct diff d;
	int staged;
};

static void
begin(struct world *w, const struct scratch *s, size_t row)
{
	char name[32];

	memset(w, 0, sizeof(*w));
	(void)snprintf(name, sizeof(name), "staged%zu", row);
	w->staged = scratch_dir(s, name);
	(void)snprintf(name, sizeof(name), "workspace%zu", row);
	w->workspace.fd = scratch_dir(s, name);
	assert_true(w->staged != -1 && w->workspace.fd != -1);
	w->d.workspace = &w->workspace;
}

static void
end(struct world *w)
{
	(void)close(w->staged);
	(void)close(w->workspace.fd);
}

/* A file, or a link, and the directories above it; NULL: none. */
static void
put(int root, const char *path, const char *text)
{
	size_t skip = strlen(LINK);

	if (path == NULL)
		return;
	assert_int_equal(beneath_make_parents(root, path), 0);
	if (strncmp(text, LINK, skip) == 0)
		assert_int_equal(symlinkat(text + skip, root, path), 0);
	else
		assert_int_equal(scratch_file(root, path, text), 0);
}

/* Of path, of which a patch brought top, that is path itself or above it. */
static enum gitpart
part_of(struct world *w, const char *top, const char *path)
{
	struct pair p = {.d = &w->d, .path = top};
	struct subtree_at at = {.path = path};
	enum gitpart part;

	assert_int_equal(beneath_make_parents(w->staged, path), 0);
	at.dir = beneath_parent(w->staged, path, &at.name);
	p.lower = beneath_parent(w->workspace.fd, top, &p.name);
	p.has_old = p.lower != -1 &&
		    faccessat(p.lower, p.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	assert_int_not_equal(at.dir, -1);
	part = pair_bare_part(&p, &at);
	(void)close(at.dir);
	if (p.lower != -1)
		(void)close(p.lower);
	return part;
}

struct row {
	const char *staged, *live; /* where a HEAD is */
	const char *path;
	enum gitpart want;
};

static void
check(const struct scratch *s, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *r = &rows[i];
		struct world w;
		enum gitpart got;

		begin(&w, s, i);
		put(w.staged, r->staged, REF);
		put(w.workspace.fd, r->live, REF);
		got = part_of(&w, "top", r->path);
		if (got != r->want)
			fail_msg("row %zu, %s: %d", i, r->path, got);
		end(&w);
	}
}

static void
a_part_has_a_head_beside_it(void **state)
{
	static const struct row rows[] = {
	    {"n/HEAD", NULL, "n/config", GITPART_CONFIG},
	    {NULL, "n/HEAD", "n/config", GITPART_CONFIG},
	    {NULL, "HEAD", "config", GITPART_CONFIG},
	    {"a/b/HEAD", NULL, "a/b/Config", GITPART_CONFIG},
	    {"n/HEAD", NULL, "n/config.worktree", GITPART_EXTRA},
	    {"n/HEAD", NULL, "n/commondir", GITPART_FIXED},
	    {"n/HEAD", NULL, "n/hooks", GITPART_SAMPLE},
	    {"n/HEAD", NULL, "n/hooks/update.sample", GITPART_SAMPLE},
	    {"n/HEAD", NULL, "n/hooks/update", GITPART_FIXED},
	    {NULL, "n/HEAD", "n/hooks/deep/update", GITPART_FIXED},
	    {"n/HEAD", NULL, "n/hooks/deep/update", GITPART_FIXED},
	    {"n/HEAD", NULL, "n/remotes/origin", GITPART_FIXED},
	    {NULL, "n/HEAD", "n/branches/origin", GITPART_FIXED},
	    /* the inner one, where the outer is none, and the outer */
	    {"hooks/n/HEAD", NULL, "hooks/n/config", GITPART_CONFIG},
	    {"n/HEAD", "n/hooks/n/HEAD", "n/hooks/n/config", GITPART_FIXED},
	};

	check(*state, rows, LENGTH(rows));
}

static void
anything_else_is_no_part(void **state)
{
	static const struct row rows[] = {
	    {NULL, NULL, "n/config", GITPART_NONE},
	    {"HEAD", "HEAD", "n/config", GITPART_NONE},
	    {"n/m/HEAD", "n/m/HEAD", "n/config", GITPART_NONE},
	    {"m/HEAD", "m/HEAD", "n/config", GITPART_NONE},
	    {"n/hooks/HEAD", NULL, "n/hooks/update", GITPART_NONE},
	    {"n/HEAD", NULL, "n/description", GITPART_NONE},
	    {"n/HEAD", NULL, "n/configs", GITPART_NONE},
	    {"n/HEAD", NULL, "n/conf", GITPART_NONE},
	    {"n/HEAD", NULL, "n/refs/heads/main", GITPART_NONE},
	    {"n/HEAD", NULL, "n/HEAD", GITPART_NONE}, /* with its directory */
	    /* where the names of .git itself decide */
	    {".git/HEAD", NULL, ".git/config", GITPART_NONE},
	    {"a/.Git/m/HEAD", NULL, "a/.Git/m/config", GITPART_NONE},
	};

	check(*state, rows, LENGTH(rows));
}

static void
a_head_is_told_by_what_it_says(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
	    {REF, true},
	    {"ref:", true},
	    {HASH "\n", true},
	    {HASH, true},
	    {HASH HASH, true},
	    {LINK "refs/heads/main", true}, /* as git once made it */
	    {"", false},
	    {"0123456789abcdef\n", false},
	    {"g123456789abcdefABCDEF0123456789abcdef01\n", false},
	    {"Ref: refs/heads/main\n", false},
	    {"the head of a letter\n", false},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world w;

		begin(&w, *state, i);
		put(w.staged, "n/HEAD", rows[i].text);
		put(w.workspace.fd, "m/HEAD", rows[i].text);
		if ((part_of(&w, "n", "n/config") != GITPART_NONE) !=
			rows[i].want ||
		    (part_of(&w, "m/config", "m/config") != GITPART_NONE) !=
			rows[i].want)
			fail_msg("row %zu: %s", i, rows[i].text);
		end(&w);
	}
}

/* A patch puts none into a directory that is there. */
static void
a_head_by_itself_makes_a_repository(void **state)
{
	static const struct {
		const char *path, *was, *is;
		enum gitpart want;
	} rows[] = {
	    {"d/HEAD", NULL, REF, GITPART_FIXED},
	    {"d/head", NULL, REF, GITPART_FIXED},
	    {"HEAD", NULL, HASH, GITPART_FIXED},
	    {"d/HEAD", "notes\n", REF, GITPART_FIXED},
	    {"d/HEAD", REF, HASH, GITPART_NONE},
	    {"d/HEAD", NULL, "notes\n", GITPART_NONE},
	    {"d/HEADS", NULL, REF, GITPART_NONE},
	    {".git/HEAD", NULL, REF, GITPART_NONE},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world w;
		enum gitpart got;

		begin(&w, *state, i);
		put(w.staged, rows[i].path, rows[i].is);
		put(w.workspace.fd, rows[i].was != NULL ? rows[i].path : NULL,
		    rows[i].was);
		got = part_of(&w, rows[i].path, rows[i].path);
		if (got != rows[i].want)
			fail_msg("row %zu, %s: %d", i, rows[i].path, got);
		end(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_part_has_a_head_beside_it,
		scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(anything_else_is_no_part,
		scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_head_is_told_by_what_it_says,
		scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_head_by_itself_makes_a_repository,
		scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
