/* SPDX-License-Identifier: ISC */
/* git add, git commit, and the index that they leave. */
#include <stdlib.h>

#include "executor/gitask.h"
#include "executor/gitcommit.h"
#include "executor/gitstatus.h"
#include "executor/report.h"

/* Errors are ignored one by one, to take what can be taken. */
static int
add(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	static const char *const words[] = {GIT, "add", "-A", "--ignore-errors",
	    NULL};
	struct gitargs a = {NULL, 0};

	gitargs_push_all(&a, words);
	gitargs_push_paths(&a, p);
	return gitargs_run(w, &a, "git add", f);
}

/* git add says of what it could not look at no more than a warning. */
static int
add_all(struct worker *w, struct fault *f)
{
	struct buf out = {0};
	bool left = true;

	for (int i = 0; i < 2 && left; i++) {
		buf_free(&out);
		if (add(w, NULL, f) == -1 || gitstatus_ask(w, &out, f) == -1) {
			buf_free(&out);
			return -1;
		}
		left = gitstatus_unstaged(&out) != NULL;
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
	static const char *const words[] = {GIT, "diff", "--cached", "--quiet",
	    NULL};
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

/* A file that git commit cannot look at is gone from the index that it leaves
 * (not from what it commits), and it ends well: the next commit of anybody
 * would delete it. */
static int
mend_index(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	struct gitargs a = {NULL, 0};
	int staged = has_staged(w, p, f);

	if (staged != 1)
		return staged;
	gitargs_push(&a, GIT);
	gitargs_push(&a, "reset");
	gitargs_push(&a, "-q");
	gitargs_push_paths(&a, p);
	return gitargs_run(w, &a, "git reset", f);
}

static int
commit(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	char *name = xasprintf("user.name=%s", w->queue->git_name);
	char *email = xasprintf("user.email=%s", w->queue->git_email);
	/* There is nobody's key in the jail. */
	const char *const words[] = {GIT, "-c", name, "-c", email, "-c",
	    "commit.gpgSign=false", "commit", "-q", "-m", w->plan->git_commit,
	    NULL};
	struct gitargs a = {NULL, 0};
	int answer;

	gitargs_push_all(&a, words);
	if (p != NULL)
		gitargs_push(&a, "--only");
	gitargs_push_paths(&a, p);
	answer = gitargs_run(w, &a, "git commit", f);
	free(name);
	free(email);
	return answer == -1 ? -1 : mend_index(w, p, f);
}

int
gitcommit_make(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int staged = 0;

	if (p != NULL && p->dropped > 0)
		report_text(w->report, "warning",
		    "not in the git commit, because git does not look at it: "
		    "a path that it ignores, an empty directory, or one that "
		    "is gone again");
	/* No path at all would mean everybody's changes. */
	if (p == NULL || p->count > 0) {
		if ((p == NULL ? add_all(w, f) : add(w, p, f)) == -1)
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
