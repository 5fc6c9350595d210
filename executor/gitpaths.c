/* SPDX-License-Identifier: ISC */
/* Asking git which of a patch's paths it looks at. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/gitpaths.h"

/* Without it * and a leading : mean other people's files. */
#define LITERAL ":(literal)"
#define AT_ONCE 200 /* what a command line takes, whatever they are */

/* The workspace itself has nothing that git keeps. */
static void
add(struct gitpaths *p, const char *path)
{
	if (path[0] == '\0')
		return;
	p->items = xreallocarray(p->items, p->count + 1, sizeof(*p->items));
	p->items[p->count++] = xasprintf(LITERAL "%s", path);
}

static void
add_all(struct gitpaths *p, const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *s = &plan->steps[i];

		if (s->kind == PLAN_COMMAND)
			continue;
		add(p, s->path);
		if (s->kind == PLAN_RENAME)
			add(p, s->to);
	}
}

/* A row of git ls-files -v: a letter, a blank, the path. Small letters are
 * assume-unchanged, S is skip-worktree. */
static bool
is_unseen(const char *row, const char *path)
{
	return row[0] != '\0' && row[1] == ' ' &&
	       (islower((unsigned char)row[0]) || row[0] == 'S') &&
	       (path == NULL || strcmp(row + 2, path) == 0);
}

/* Of all rows, or of path's. */
static bool
has_unseen(const struct buf *out, const char *path)
{
	for (size_t at = 0; at < out->len; at += strlen(out->bytes + at) + 1) {
		if (is_unseen(out->bytes + at, path))
			return true;
	}
	return false;
}

/* Does git look at each of them? 1 yes, 0 no, -1 with *f set. */
static int
ask(struct worker *w, char *const *paths, size_t count, struct fault *f)
{
	static const char *const head[] = {GIT, "ls-files", "-v", "-z",
	    "--cached", "--others", "--exclude-standard", "--error-unmatch",
	    "--"};
	size_t n = sizeof(head) / sizeof(head[0]);
	const char **argv = xcalloc(n + count + 1, sizeof(*argv));
	struct buf out = {0};
	int code = 0, answer;

	memcpy(argv, head, sizeof(head));
	for (size_t i = 0; i < count; i++)
		argv[n + i] = paths[i];
	answer = worker_ask(w, argv, &code, &out, f);
	if (answer == 0 && code > 1)
		answer = fault_fail(f, OUTCOME_COMMAND,
		    "git ls-files ended with status %d: %s", code,
		    out.bytes != NULL ? out.bytes : "");
	if (answer == 0)
		answer = code == 0 &&
			 !has_unseen(&out,
			     count == 1 ? paths[0] + strlen(LITERAL) : NULL);
	free(argv);
	buf_free(&out);
	return answer;
}

struct sieve {
	struct worker *w;
	struct gitpaths *p;
	size_t kept; /* those that it looks at come to the front */
	struct fault *f;
};

/* What is to stay out of some paths is found by halves. 0 or -1. */
static int
sift(struct sieve *s, size_t at, size_t count)
{
	char **items = s->p->items;
	int all = ask(s->w, items + at, count, s->f);

	if (all == 0 && count > 1)
		return sift(s, at, count / 2) == -1
			   ? -1
			   : sift(s, at + count / 2, count - count / 2);
	/* It may not have been able to look. */
	if (all == 0)
		all = ask(s->w, items + at, 1, s->f);
	for (size_t i = at; i < at + count && all == 1; i++) {
		char *path = items[i];

		items[i] = items[s->kept];
		items[s->kept++] = path;
	}
	return all == -1 ? -1 : 0;
}

int
gitpaths_find(struct worker *w, struct gitpaths *p, struct fault *f)
{
	struct sieve s = {.w = w, .p = p, .f = f};

	memset(p, 0, sizeof(*p));
	add_all(p, w->plan);
	for (size_t at = 0; at < p->count; at += AT_ONCE) {
		size_t left = p->count - at;

		if (sift(&s, at, left < AT_ONCE ? left : AT_ONCE) == -1)
			return -1;
	}
	while (p->count > s.kept) {
		free(p->items[--p->count]);
		p->dropped++;
	}
	return 0;
}

void
gitpaths_free(struct gitpaths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	memset(p, 0, sizeof(*p));
}
