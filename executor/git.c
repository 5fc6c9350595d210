/* SPDX-License-Identifier: ISC */
/* What is checked before anything, the commit, and the tag. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/git.h"
#include "executor/gitask.h"
#include "executor/gitcommit.h"
#include "executor/gitstatus.h"
#include "executor/report.h"

/* Linked work trees and submodules have theirs elsewhere, a workspace within
 * a repository above: no patch may write there. */
static int
judge_place(const struct buf *dir, struct fault *f)
{
	static const char ours[] = ".git\n";

	if (dir->bytes != NULL && strcmp(dir->bytes, ".git") == 0)
		return 0;
	/* The way from here to the top of its files. */
	if (dir->bytes != NULL && strncmp(dir->bytes, ours, strlen(ours)) == 0)
		return fault_fail(f, OUTCOME_PREPARE,
		    "the workspace is not the work tree of its repository "
		    "(core.worktree), which is %s",
		    dir->bytes + strlen(ours));
	return fault_fail(f, OUTCOME_PREPARE,
	    "the repository lies outside the workspace, in %.*s",
	    dir->bytes != NULL ? (int)strcspn(dir->bytes, "\n") : 1,
	    dir->bytes != NULL ? dir->bytes : "?");
}

/* A .git that is a file or a link says where; in the jail that may not even be
 * seen, and what is not .git/ has no locks of ours. */
static int
check_link(struct worker *w, struct fault *f)
{
	struct buf place = {0};
	struct stat st;
	size_t len;
	char *text;

	if (beneath_stat(w->root, ".git", &st) != 1 || S_ISDIR(st.st_mode))
		return 0;
	text = beneath_read(w->root, ".git", 4096, &len, &st);
	buf_puts(&place, text != NULL && strncmp(text, "gitdir: ", 8) == 0
			     ? text + 8
			     : "another place");
	(void)judge_place(&place, f);
	fault_hint(f, "where .git is a file or a link (a linked work tree, a "
		      "submodule) a patch can have neither final.git nor a "
		      "branch");
	buf_free(&place);
	free(text);
	return -1;
}

/* A commit now would conclude what somebody else has begun. */
static int
check_unfinished(struct worker *w, struct fault *f)
{
	static const char *const signs[] = {"MERGE_HEAD", "CHERRY_PICK_HEAD",
	    "REVERT_HEAD", "sequencer", "rebase-merge", "rebase-apply",
	    "BISECT_LOG"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		char *path = xasprintf("%s/.git/%s", w->workspace, signs[i]);
		bool there = access(path, F_OK) == 0;

		free(path);
		if (!there && errno != ENOENT && errno != ENOTDIR)
			return fault_errno(f, OUTCOME_PREPARE,
			    "cannot look for .git/%s", signs[i]);
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
	static const char *const argv[] = {GIT, "rev-parse", "--git-dir",
	    "--show-cdup", NULL};
	struct buf out = {0};
	int code = 0;
	int answer = check_link(w, f);

	if (answer == -1)
		return -1;
	answer = git_ask(w, argv, &code, &out, f);
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

/* Not git's short name, which a tag of the same one makes longer. */
static int
check_branch(struct worker *w, struct fault *f)
{
	static const char *const argv[] = {GIT, "symbolic-ref", "-q", "HEAD",
	    NULL};
	static const char heads[] = "refs/heads/";
	const char *name = NULL;
	struct buf out = {0};
	int code = 0, answer;

	if (w->plan->branch == NULL)
		return 0;
	answer = git_ask(w, argv, &code, &out, f);
	if (answer == 0 && code > 1)
		answer = git_no_answer("git symbolic-ref", code, &out, f);
	if (code == 0 && out.bytes != NULL &&
	    strncmp(out.bytes, heads, strlen(heads)) == 0)
		name = out.bytes + strlen(heads);
	if (answer == 0 && (name == NULL || strcmp(name, w->plan->branch) != 0))
		answer = fault_reject(f, OUTCOME_WRONG_BRANCH,
		    "the patch is for branch %s, checked out is %s",
		    w->plan->branch, name != NULL ? name : "no branch");
	buf_free(&out);
	return answer;
}

/* A failure that is gone at the second look is none. */
static int
look(struct worker *w, bool hidden, struct buf *out, struct fault *f)
{
	int answer = 0;

	for (int i = 0; i < 2 && answer == 0 && (i == 0 || out->len > 0); i++) {
		buf_free(out);
		answer = hidden ? gitstatus_hidden(w, out, f)
				: gitstatus_ask(w, NULL, out, f);
	}
	return answer;
}

/*
 * What git cannot look at may hold other people's changes, and what it cannot
 * read it calls changed: the work tree passes for dirty. Of a directory that it
 * cannot read to its end it says nothing, nor of a submodule that the
 * configuration hides: what seems clean is looked at for those again.
 */
static int
check_clean(struct worker *w, struct fault *f)
{
	struct buf out = {0};
	int answer = look(w, false, &out, f);

	if (answer == 0 && out.len == 0)
		answer = look(w, true, &out, f);
	if (answer == 0 && gitstatus_warning(&out) != NULL)
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

static int
tag(struct worker *w, struct fault *f)
{
	const char *const argv[] = {GIT, "-c", "tag.gpgSign=false", "tag", "--",
	    w->plan->git_tag, NULL};

	return worker_command(w, PHASE_GIT, argv, "git tag", f);
}

static int
report_head(struct worker *w, bool committed, struct fault *f)
{
	static const char *const argv[] = {GIT, "rev-parse", "--verify", "HEAD",
	    NULL};
	struct buf out = {0};
	int code = 0;
	int answer = git_ask(w, argv, &code, &out, f);
	json_t *doc = json_object();
	const char *last;

	if (answer == 0 && (code != 0 || out.len == 0))
		answer = git_no_answer("git rev-parse", code, &out, f);
	/* Behind what it may have to warn of. */
	last = answer == 0 ? strrchr(out.bytes, '\n') : NULL;
	if (committed && answer == 0)
		json_object_set_new(doc, "commit",
		    json_string(last != NULL ? last + 1 : out.bytes));
	if (w->plan->git_tag != NULL)
		json_object_set_new(doc, "tag", json_string(w->plan->git_tag));
	report_send(w->report, "git", doc);
	buf_free(&out);
	return answer;
}

/* In a dirty work tree other people's changes stay theirs. */
static int
commit_ours(struct worker *w, struct fault *f)
{
	struct gitpaths p = {0};
	int answer = gitpaths_find(w, &p, f);

	if (answer == 0 && p.dropped > 0)
		report_text(w->report, "warning",
		    "not in the git commit, because git does not look at it: "
		    "a path that it ignores, an empty directory, one that is "
		    "gone again, or one that is marked in the index "
		    "(assume-unchanged, skip-worktree)");
	if (answer == 0)
		answer = gitcommit_make(w, w->git_clean ? NULL : &p, f);
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
