/* SPDX-License-Identifier: ISC */
/* git status, and its rows. */
#include <string.h>

#include "executor/gitask.h"
#include "executor/gitstatus.h"

/* What has changed within a submodule no commit here takes; that it is another
 * commit one does, and git add, too, where the configuration ignores it. */
static int
ask(struct worker *w, const struct gitpaths *p, bool hidden, struct buf *out,
    struct fault *f)
{
	/* Where the configuration hides them, git add still takes them. */
	static const char *const words[] = {GIT, "status", "--porcelain",
	    "--untracked-files=normal", NULL};
	struct gitargs a = {NULL, 0};
	int code = 0, answer;

	gitargs_push_all(&a, words);
	if (p != NULL || hidden)
		gitargs_push(&a, "--ignore-submodules=dirty");
	gitargs_push_paths(&a, p);
	answer = gitargs_ask(w, &a, &code, out, f);
	if (answer == 0 && code != 0)
		answer = git_no_answer("git status", code, out, f);
	return answer;
}

int
gitstatus_ask(struct worker *w, const struct gitpaths *p, struct buf *out,
    struct fault *f)
{
	return ask(w, p, false, out, f);
}

int
gitstatus_hidden(struct worker *w, struct buf *out, struct fault *f)
{
	return ask(w, NULL, true, out, f);
}

static bool
is_row(const char *line)
{
	return strnlen(line, 3) == 3 && line[2] == ' ';
}

static bool
is_warning(const char *line)
{
	return !is_row(line);
}

static bool
is_unstaged(const char *line)
{
	return is_row(line) && line[1] != ' ';
}

static const char *
first(const struct buf *out, bool (*is)(const char *line))
{
	const char *line = out->len > 0 ? out->bytes : NULL;

	while (line != NULL && !is(line)) {
		line = strchr(line, '\n');
		if (line != NULL)
			line++;
	}
	return line;
}

const char *
gitstatus_warning(const struct buf *out)
{
	return first(out, is_warning);
}

const char *
gitstatus_unstaged(const struct buf *out)
{
	return first(out, is_unstaged);
}
