/* SPDX-License-Identifier: ISC */
/* Command lines of git, and its answers. */
#include <stdlib.h>

#include "executor/gitask.h"

void
gitargs_push(struct gitargs *a, const char *item)
{
	a->items = xreallocarray(a->items, a->count + 2, sizeof(*a->items));
	a->items[a->count++] = item;
	a->items[a->count] = NULL;
}

void
gitargs_push_all(struct gitargs *a, const char *const *items)
{
	for (; *items != NULL; items++)
		gitargs_push(a, *items);
}

void
gitargs_push_paths(struct gitargs *a, const struct gitpaths *p)
{
	if (p != NULL)
		gitargs_push(a, "--");
	for (size_t i = 0; p != NULL && i < p->count; i++)
		gitargs_push(a, p->items[i]);
}

static void
empty(struct gitargs *a)
{
	free(a->items);
	a->items = NULL;
	a->count = 0;
}

int
gitargs_ask(struct worker *w, struct gitargs *a, int *code, struct buf *out,
    struct fault *f)
{
	int answer = git_ask(w, a->items, code, out, f);

	empty(a);
	return answer;
}

int
gitargs_run(struct worker *w, struct gitargs *a, const char *text,
    struct fault *f)
{
	int answer = worker_command(w, PHASE_GIT, a->items, text, f);

	empty(a);
	return answer;
}

int
git_ask(struct worker *w, const char *const *argv, int *code, struct buf *out,
    struct fault *f)
{
	if (worker_ask(w, argv, code, out, f) == -1)
		return -1;
	while (out->len > 0 && out->bytes[out->len - 1] == '\n')
		out->bytes[--out->len] = '\0';
	return 0;
}

int
git_no_answer(const char *what, int code, const struct buf *out,
    struct fault *f)
{
	return fault_fail(f, OUTCOME_COMMAND, "%s ended with status %d: %s",
	    what, code, out->bytes != NULL ? out->bytes : "");
}
