/* SPDX-License-Identifier: ISC */
/* Branch check, commit and tag. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/git.h"
#include "executor/gitpaths.h"
#include "executor/report.h"

static void
chop(struct buf *b)
{
	while (b->len > 0 && b->bytes[b->len - 1] == '\n')
		b->bytes[--b->len] = '\0';
}

/* Exit code of a question, its answer without the newline in out. */
static int
ask(struct worker *w, const char *const *argv, int *code, struct buf *out,
    struct fault *f)
{
	if (worker_ask(w, argv, code, out, f) == -1)
		return -1;
	chop(out);
	return 0;
}

/* Linked work trees and submodules have theirs elsewhere, a workspace within
 * a repository above: no patch may write there. */
static int
judge_place(const struct buf *dir, struct fault *f)
{
	if (dir->bytes != NULL && strcmp(dir->bytes, ".git") == 0)
		return 0;
	return fault_fail(f, OUTCOME_PREPARE,
	    "the repository lies outside the workspace, in %s",
	    dir->bytes != NULL ? dir->bytes : "?");
}

/* A .git that is a file says where; in the jail that may not even be seen. */
static int
check_link(struct worker *w, struct fault *f)
{
	struct buf place = {0};
	struct stat st;
	size_t len;
	char *text = beneath_read(w->root, ".git", 4096, &len, &st);

	if (text == NULL)
		return 0;
	buf_puts(&place,
	    strncmp(text, "gitdir: ", 8) == 0 ? text + 8 : "another place");
	chop(&place);
	(void)judge_place(&place, f);
	fault_hint(f, "a linked work tree or a submodule cannot commit as a "
		      "part of the patch: leave final.git out");
	buf_free(&place);
	free(text);
	return -1;
}

/* A commit now would conclude what somebody else has begun. */
static int
check_unfinished(struct worker *w, struct fault *f)
{
	static const char *const signs[] = {"MERGE_HEAD", "CHERRY_PICK_HEAD",
	    "REVERT_HEAD", "rebase-merge", "rebase-apply", "BISECT_LOG"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		char *path = xasprintf("%s/.git/%s", w->workspace, signs[i]);
		bool there = access(path, F_OK) == 0;

		free(path);
		if (there)
			return fault_fail(f, OUTCOME_PREPARE,
			    "the repository is in the middle of something "
			    "(.git/%s): finish or abort that first",
			    signs[i]);
	}
	return 0;
}

static int
check_repository(struct worker *w, struct fault *f)
{
	static const char *const argv[] = {GIT, "rev-parse", "--git-dir", NULL};
	struct buf out = {0};
	int code = 0;
	int answer = check_link(w, f);

	if (answer == -1)
		return -1;
	answer = ask(w, argv, &code, &out, f);
	if (answer == 0 && code == 0)
		answer = judge_place(&out, f);
	buf_free(&out);
	if (answer == -1 || code == 0)
		return answer;
	if (code == 127)
		return fault_fail(f, OUTCOME_PREPARE,
		    "the patch wants a git commit, but " GIT
		    " is not installed");
	return fault_fail(f, OUTCOME_PREPARE,
	    "the patch speaks of a branch or a git commit, but the workspace "
	    "is no git repository");
}

static int
check_branch(struct worker *w, struct fault *f)
{
	static const char *const argv[] = {GIT, "symbolic-ref", "--short", "-q",
	    "HEAD", NULL};
	struct buf out = {0};
	int code = 0, answer;

	if (w->plan->branch == NULL)
		return 0;
	answer = ask(w, argv, &code, &out, f);
	if (answer == 0 && (code != 0 || out.bytes == NULL ||
			       strcmp(out.bytes, w->plan->branch) != 0))
		answer = fault_reject(f, OUTCOME_WRONG_BRANCH,
		    "the patch is for branch %s, checked out is %s",
		    w->plan->branch,
		    code == 0 && out.bytes != NULL ? out.bytes : "no branch");
	buf_free(&out);
	return answer;
}

/* An exit code that is no answer: git could not look. */
static int
no_answer(const char *what, int code, const struct buf *out, struct fault *f)
{
	return fault_fail(f, OUTCOME_COMMAND, "%s ended with status %d: %s",
	    what, code, out->bytes != NULL ? out->bytes : "");
}

/* A row of git status is two letters of state, a blank and a path. Anything
 * else is a warning: git could not look everywhere. */
static bool
is_row(const char *line)
{
	return strnlen(line, 3) == 3 && line[2] == ' ';
}

static bool
has_line(const struct buf *out, bool (*is)(const char *line))
{
	const char *line = out->len > 0 ? out->bytes : NULL;

	while (line != NULL) {
		if (is(line))
			return true;
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return false;
}

static bool
is_warning(const char *line)
{
	return !is_row(line);
}

/* What the index has not. */
static bool
is_unstaged(const char *line)
{
	return is_row(line) && line[1] != ' ';
}

static int
ask_status(struct worker *w, struct buf *out, struct fault *f)
{
	static const char *const argv[] = {GIT, "status", "--porcelain", NULL};
	int code = 0;
	int answer = ask(w, argv, &code, out, f);

	if (answer == 0 && code != 0)
		answer = no_answer("git status", code, out, f);
	return answer;
}

/*
 * What git cannot look at may hold other people's changes, and what it cannot
 * read it calls changed: the work tree passes for dirty. But not for a failure
 * that is gone at the second look.
 */
static int
check_clean(struct worker *w, struct fault *f)
{
	struct buf out = {0};
	int answer = ask_status(w, &out, f);

	if (answer == 0 && out.len > 0) {
		buf_free(&out);
		answer = ask_status(w, &out, f);
	}
	if (answer == 0 && has_line(&out, is_warning))
		report_text(w->report, "warning",
		    "git status could not look everywhere, so only what the "
		    "mutations name is committed");
	w->git_clean = answer == 0 && out.len == 0;
	buf_free(&out);
	return answer;
}

int
git_check(struct worker *w, struct fault *f)
{
	const struct plan *p = w->plan;

	if (p->branch == NULL && p->git_commit == NULL && p->git_tag == NULL)
		return 0;
	if (check_repository(w, f) == -1 || check_branch(w, f) == -1)
		return -1;
	if (p->git_commit == NULL)
		return 0;
	return check_unfinished(w, f) == -1 ? -1 : check_clean(w, f);
}

struct args {
	const char **items;
	size_t count;
};

static void
push(struct args *a, const char *item)
{
	a->items = xreallocarray(a->items, a->count + 2, sizeof(*a->items));
	a->items[a->count++] = item;
	a->items[a->count] = NULL;
}

/* None: everything is meant, the work tree was clean. */
static void
push_paths(struct args *a, const struct gitpaths *p)
{
	if (p != NULL)
		push(a, "--");
	for (size_t i = 0; p != NULL && i < p->count; i++)
		push(a, p->items[i]);
}

static int
run(struct worker *w, struct args *a, const char *text, struct fault *f)
{
	int answer = worker_command(w, PHASE_GIT, a->items, text, f);

	free(a->items);
	a->items = NULL;
	a->count = 0;
	return answer;
}

static int
add_changes(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct args a = {NULL, 0};

	push(&a, GIT);
	push(&a, "add");
	push(&a, "-A");
	push(&a, "--ignore-errors");
	push_paths(&a, p);
	return run(w, &a, "git add", f);
}

/* git add says of what it could not look at no more than a warning. */
static int
add_all(struct worker *w, struct fault *f)
{
	struct buf out = {0};
	bool left = true;

	for (int i = 0; i < 2 && left; i++) {
		buf_free(&out);
		if (add_changes(w, NULL, f) == -1 ||
		    ask_status(w, &out, f) == -1) {
			buf_free(&out);
			return -1;
		}
		left = has_line(&out, is_unstaged);
	}
	buf_free(&out);
	if (left)
		report_text(w->report, "warning",
		    "git add did not take all that the patch changed, so the "
		    "git commit lacks it");
	return 0;
}

/* 1 something of ours is staged, 0 nothing, -1. */
static int
has_staged(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct args a = {NULL, 0};
	struct buf out = {0};
	int code = 0, answer;

	push(&a, GIT);
	push(&a, "diff");
	push(&a, "--cached");
	push(&a, "--quiet");
	push_paths(&a, p);
	answer = ask(w, a.items, &code, &out, f);
	if (answer == 0 && code > 1)
		answer = no_answer("git diff", code, &out, f);
	free(a.items);
	buf_free(&out);
	return answer == -1 ? -1 : code;
}

/* A file that git commit cannot look at is gone from the index that it leaves
 * (not from what it commits), and it ends well: the next commit of anybody
 * would delete it. */
static int
mend_index(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct args a = {NULL, 0};
	int staged = has_staged(w, p, f);

	if (staged != 1)
		return staged;
	push(&a, GIT);
	push(&a, "reset");
	push(&a, "-q");
	push_paths(&a, p);
	return run(w, &a, "git reset", f);
}

static int
commit(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	char *name = xasprintf("user.name=%s", w->queue->git_name);
	char *email = xasprintf("user.email=%s", w->queue->git_email);
	struct args a = {NULL, 0};
	int answer;

	push(&a, GIT);
	push(&a, "-c");
	push(&a, name);
	push(&a, "-c");
	push(&a, email);
	/* There is nobody's key in the jail. */
	push(&a, "-c");
	push(&a, "commit.gpgSign=false");
	push(&a, "commit");
	push(&a, "-q");
	push(&a, "-m");
	push(&a, w->plan->git_commit);
	if (p != NULL)
		push(&a, "--only");
	push_paths(&a, p);
	answer = run(w, &a, "git commit", f);
	free(name);
	free(email);
	return answer == -1 ? -1 : mend_index(w, p, f);
}

static int
tag(struct worker *w, struct fault *f)
{
	struct args a = {NULL, 0};

	push(&a, GIT);
	push(&a, "-c");
	push(&a, "tag.gpgSign=false");
	push(&a, "tag");
	push(&a, "--");
	push(&a, w->plan->git_tag);
	return run(w, &a, "git tag", f);
}

static int
report_head(struct worker *w, bool committed, struct fault *f)
{
	static const char *const argv[] = {GIT, "rev-parse", "HEAD", NULL};
	struct buf out = {0};
	int code = 0;
	int answer = ask(w, argv, &code, &out, f);
	json_t *doc = json_object();

	if (committed && out.bytes != NULL && code == 0)
		json_object_set_new(doc, "commit", json_string(out.bytes));
	if (w->plan->git_tag != NULL)
		json_object_set_new(doc, "tag", json_string(w->plan->git_tag));
	report_send(w->report, "git", doc);
	buf_free(&out);
	return answer;
}

/* 1 committed, 0 there was nothing to commit, -1. */
static int
commit_staged(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int staged = 0;

	if (p != NULL && p->dropped > 0)
		report_text(w->report, "warning",
		    "not in the git commit, because git does not look at it: "
		    "a path that it ignores, an empty directory, or one that "
		    "is gone again");
	/* No path at all would mean everybody's changes. */
	if (p == NULL || p->count > 0) {
		if ((p == NULL ? add_all(w, f) : add_changes(w, p, f)) == -1)
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

/* In a dirty work tree other people's changes stay theirs. */
static int
commit_ours(struct worker *w, struct fault *f)
{
	struct gitpaths p = {0};
	int answer = -1;

	if (w->git_clean)
		return commit_staged(w, NULL, f);
	if (gitpaths_find(w, &p, f) == 0)
		answer = commit_staged(w, &p, f);
	gitpaths_free(&p);
	return answer;
}

int
git_finish(struct worker *w, struct fault *f)
{
	int committed = 0;

	if (w->plan->git_commit == NULL && w->plan->git_tag == NULL)
		return 0;
	if (w->plan->git_commit != NULL)
		committed = commit_ours(w, f);
	if (committed == -1 || (w->plan->git_tag != NULL && tag(w, f) == -1))
		return -1;
	return report_head(w, committed == 1, f);
}
