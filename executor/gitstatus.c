/* SPDX-License-Identifier: ISC */
/* git status, and its rows. */
#include <string.h>

#include "executor/gitask.h"
#include "executor/gitstatus.h"

int
gitstatus_ask(struct worker *w, struct buf *out, struct fault *f)
{
	static const char *const argv[] = {GIT, "status", "--porcelain", NULL};
	int code = 0;
	int answer = git_ask(w, argv, &code, out, f);

	if (answer == 0 && code != 0)
		answer = git_no_answer("git status", code, out, f);
	return answer;
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
