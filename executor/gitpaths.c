/* SPDX-License-Identifier: ISC */
/* Asking git which of a patch's paths it looks at. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/gitpaths.h"

/* Without it * and a leading : mean other people's files. */
#define LITERAL ":(literal)"

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

/* Does git look at each of them? 1 yes, 0 no, -1 with *f set. */
static int
ask(struct worker *w, char *const *paths, size_t count, struct fault *f)
{
	static const char *const head[] = {GIT, "ls-files", "--cached",
	    "--others", "--exclude-standard", "--error-unmatch", "--"};
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
	free(argv);
	buf_free(&out);
	return answer == 0 ? code == 0 : -1;
}

int
gitpaths_find(struct worker *w, struct gitpaths *p, struct fault *f)
{
	size_t kept = 0;
	int answer;

	memset(p, 0, sizeof(*p));
	add_all(p, w->plan);
	answer = p->count > 0 ? ask(w, p->items, p->count, f) : 1;
	if (answer != 0)
		return answer == -1 ? -1 : 0;
	for (size_t i = 0; i < p->count && answer != -1; i++) {
		char *path = p->items[i];

		answer = ask(w, &path, 1, f);
		/* It may not have been able to look. */
		if (answer == 0)
			answer = ask(w, &path, 1, f);
		p->items[i] = p->items[kept];
		p->items[kept] = path;
		kept += answer == 1;
	}
	if (answer == -1)
		return -1;
	while (p->count > kept) {
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
