/* SPDX-License-Identifier: ISC */
/* git add, git commit, and the proof of both. */
#include <stdlib.h>
#include <string.h>

#include "executor/gitask.h"
#include "executor/gitcommit.h"
#include "executor/gitstaged.h"
#include "executor/gitstatus.h"
#include "executor/report.h"

/* Of user, author and committer, name and address. */
#define WHO 6
/* `git lfs install` sets its filter in somebody's home, which is not seen here:
 * without this git would take the whole file for the pointer. Not of the commit
 * itself, which looks at files that are not ours, too. */
#define GIT_LFS "filter.lfs.required=true"

/* Errors are ignored one by one, to take what can be taken. */
static int
add(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	static const char *const words[] = {GIT, "-c", GIT_LFS, "add", "-A",
	    "--ignore-errors", NULL};
	struct gitargs a = {NULL, 0};

	gitargs_push_all(&a, words);
	gitargs_push_paths(&a, p);
	return gitargs_run(w, &a, "git add", f);
}

/* git add refuses a path that is staged as deleted. */
static int
add_again(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct gitpaths there = {0};
	int answer = -1;

	if (p == NULL)
		return add(w, NULL, f);
	if (gitpaths_find(w, &there, f) == 0)
		answer = there.count > 0 ? add(w, &there, f) : 0;
	gitpaths_free(&there);
	return answer;
}

/* 1 some of the paths p is not in the index as it is, 0 all are, -1. */
static int
is_left(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct buf out = {0};
	int answer = gitstatus_ask(w, p, &out, f);
	const char *line = gitstatus_unstaged(&out);

	if (answer == 0 && line != NULL) {
		answer = 1;
		(void)fault_fail(f, OUTCOME_COMMAND,
		    "git add did not take all that the mutations name: %.*s",
		    (int)strcspn(line, "\n"), line);
	}
	buf_free(&out);
	return answer;
}

/* In a clean work tree it may be what others write all the time, or what has
 * changed within a submodule. */
static int
judge_left(struct worker *w, struct fault *f)
{
	struct gitpaths named = {0};
	int left = gitpaths_find(w, &named, f);

	if (left == 0 && named.count > 0)
		left = is_left(w, &named, f);
	gitpaths_free(&named);
	if (left == 0)
		report_text(w->report, "warning",
		    "git add did not take all that the patch changed, so the "
		    "git commit lacks it");
	return left == 0 ? 0 : -1;
}

/* What it cannot look at git add leaves out, and says so in a warning or, of a
 * directory that it could not read to its end, not at all. */
static int
add_all(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct buf out = {0};
	bool left = true;
	int answer = 0;

	for (int i = 0; i < 2 && answer == 0 && left; i++) {
		buf_free(&out);
		answer = i == 0 ? add(w, p, f) : add_again(w, p, f);
		if (answer == 0)
			answer = gitstatus_ask(w, p, &out, f);
		left = gitstatus_unstaged(&out) != NULL;
	}
	buf_free(&out);
	if (answer == -1 || !left)
		return answer;
	if (p == NULL)
		return judge_left(w, f);
	return is_left(w, p, f) == 0 ? 0 : -1;
}

/* 1 something of ours is staged, 0 nothing, -1. */
static int
has_staged(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	static const char *const words[] = {GIT, "diff", "--cached", "--quiet",
	    "--ignore-submodules=dirty", NULL};
	struct gitargs a = {NULL, 0};
	struct buf out = {0};
	int code = 0, answer;

	gitargs_push_all(&a, words);
	gitargs_push_paths(&a, p);
	answer = gitargs_ask(w, &a, &code, &out, f);
	if (answer == 0 && code > 1)
		answer = git_no_answer("git diff", code, &out, f);
	buf_free(&out);
	return answer == -1 ? -1 : code;
}

static int
check_whole(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int lost = gitstaged_lost(w, p, f);

	if (lost != 1)
		return lost;
	(void)fault_fail(f, OUTCOME_COMMAND,
	    "the git commit lacks a file that was staged for it");
	fault_hint(f, "git takes a file that it cannot look at for deleted: "
		      "look for input/output errors of the machine; or a hook "
		      "has taken it out");
	return -1;
}

/*
 * The same in the index that git commit leaves, while the commit holds the
 * file: the next commit of anybody would delete it. And git reset empties an
 * index when it cannot read HEAD.
 */
static int
mend_index(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int staged = has_staged(w, p, f);

	for (int i = 0; i < 2 && staged == 1; i++) {
		struct gitargs a = {NULL, 0};

		gitargs_push(&a, GIT);
		gitargs_push(&a, "reset");
		gitargs_push(&a, "-q");
		gitargs_push_paths(&a, p);
		if (gitargs_run(w, &a, "git reset", f) == -1)
			return -1;
		staged = has_staged(w, p, f);
	}
	if (staged != 1)
		return staged;
	return fault_fail(f, OUTCOME_COMMAND,
	    "git reset left an index that is not what was committed");
}

/* The repository may name an author of its own, or another encoding. There is
 * nobody's key in the jail. */
static void
push_settings(struct gitargs *a, char *const *who)
{
	static const char *const fixed[] = {"i18n.commitEncoding=UTF-8",
	    "commit.gpgSign=false", "diff.ignoreSubmodules=dirty"};

	for (size_t i = 0; i < WHO; i++) {
		gitargs_push(a, "-c");
		gitargs_push(a, who[i]);
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		gitargs_push(a, "-c");
		gitargs_push(a, fixed[i]);
	}
}

static int
run_commit(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	const char *name = w->queue->git_name, *email = w->queue->git_email;
	char *who[WHO] = {xasprintf("user.name=%s", name),
	    xasprintf("user.email=%s", email),
	    xasprintf("author.name=%s", name),
	    xasprintf("author.email=%s", email),
	    xasprintf("committer.name=%s", name),
	    xasprintf("committer.email=%s", email)};
	const char *const words[] = {"commit", "-q", "-m", w->plan->git_commit,
	    NULL};
	struct gitargs a = {NULL, 0};
	int answer;

	gitargs_push(&a, GIT);
	push_settings(&a, who);
	gitargs_push_all(&a, words);
	if (p != NULL)
		gitargs_push(&a, "--only");
	gitargs_push_paths(&a, p);
	answer = gitargs_run(w, &a, "git commit", f);
	for (size_t i = 0; i < WHO; i++)
		free(who[i]);
	return answer;
}

/* A commit of the whole index looks at no file again for what it holds, but a
 * hook may. */
static int
commit(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	if (gitstaged_keep(w, f) == -1 || run_commit(w, p, f) == -1 ||
	    check_whole(w, p, f) == -1)
		return -1;
	return p != NULL ? mend_index(w, p, f) : 0;
}

int
gitcommit_make(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int staged = 0;

	/* No path at all would mean everybody's changes. */
	if (p == NULL || p->count > 0) {
		if (add_all(w, p, f) == -1)
			return -1;
		staged = has_staged(w, p, f);
	}
	if (staged == 0)
		report_text(w->report, "warning",
		    p == NULL ? "nothing had changed, so no git commit was made"
			      : "nothing had changed of what the mutations "
				"name, so no git commit was made");
	return staged == 1 && commit(w, p, f) == -1 ? -1 : staged;
}
