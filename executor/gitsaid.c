/* SPDX-License-Identifier: ISC */
/* By git's own words: its exit status is that of any other failure, or none. */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/gitsaid.h"

#define LOCKED "Unable to create '"
#define LOCKED_END ".lock': File exists"
#define UNREAD "unable to access '"
#define UNREAD_END "': "

/* The next name between these two at or behind *at, which moves behind it; the
 * caller's, or NULL. */
static char *
next_name(const char **at, const char *begin, const char *end)
{
	const char *from = strstr(*at, begin);
	const char *to;

	if (from == NULL)
		return NULL;
	from += strlen(begin);
	to = strstr(from, end);
	if (to == NULL || memchr(from, '\n', (size_t)(to - from)) != NULL)
		return NULL;
	*at = to + strlen(end);
	return xstrndup(from, (size_t)(to - from));
}

static int
judge_lock(const char *said, const char *text, struct fault *f)
{
	char *name = next_name(&said, LOCKED, LOCKED_END);

	if (name == NULL)
		return 0;
	(void)fault_fail(f, OUTCOME_CONFLICT, "%s: another git holds %s.lock",
	    text, name);
	fault_hint(f, "if none is running, a crashed one has left it: remove "
		      "it");
	f->temporary = true;
	free(name);
	return -1;
}

/* What may be read could have been. A link, or another user's file, never is,
 * as in any work tree. */
static bool
is_readable(const struct worker *w, const char *name)
{
	struct stat st;

	return fstatat(w->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) &&
	       faccessat(w->root, name, R_OK, AT_EACCESS) == 0;
}

static int
judge_unread(const struct worker *w, const char *said, const char *text,
    struct fault *f)
{
	char *name;
	int answer = 0;

	while (answer == 0 &&
	       (name = next_name(&said, UNREAD, UNREAD_END)) != NULL) {
		if (is_readable(w, name)) {
			answer = fault_fail(f, OUTCOME_COMMAND,
			    "%s: git could not read %s for a moment", text,
			    name);
			f->temporary = true;
		}
		free(name);
	}
	return answer;
}

int
gitsaid_judge(const struct worker *w, const struct command *c, const char *text,
    struct fault *f)
{
	const struct buf *const parts[] = {&c->head, &c->tail};
	int answer = 0;

	for (size_t i = 0; i < 2 && answer == 0; i++) {
		if (parts[i]->len == 0)
			continue;
		answer = command_succeeded(c)
			     ? judge_unread(w, parts[i]->bytes, text, f)
			     : judge_lock(parts[i]->bytes, text, f);
	}
	return answer;
}
