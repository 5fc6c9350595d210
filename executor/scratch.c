/* SPDX-License-Identifier: ISC */
/* Operations of a patch that was staged as copies of the files it names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/pair.h"

/* The topmost part of path that the workspace does not have, or path. */
static char *
topmost_new(const struct workspace *w, const char *path)
{
	const char *slash = path;
	struct stat st;

	while ((slash = strchr(slash, '/')) != NULL) {
		char *dir = xstrndup(path, (size_t)(slash - path));

		if (beneath_stat(w->fd, dir, &st) == 0)
			return dir;
		free(dir);
		slash++;
	}
	return xstrdup(path);
}

static bool
already(const struct diff *d, const char *path)
{
	for (size_t i = 0; i < d->ops.count; i++) {
		const char *done = d->ops.items[i].path;
		size_t len = strlen(done);

		if (d->ops.items[i].kind != OP_META &&
		    strncmp(done, path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return true;
		if (strcmp(done, path) == 0)
			return true;
	}
	return false;
}

static int
judge_path(struct diff *d, const char *named, struct fault *f)
{
	struct pair p = {.d = d, .f = f, .upper = -1, .lower = -1};
	char *path = topmost_new(d->workspace, named);
	const char *name;
	int answer = 0;

	if (named[0] == '\0')
		answer = pair_judge_root(d, f);
	if (named[0] == '\0' || already(d, path))
		goto out;
	p.path = path;
	p.upper = beneath_parent(d->txn->upper, path, &name);
	p.lower = beneath_parent(d->workspace->fd, path, &name);
	p.name = name;
	/* Made and taken away again, with its parents. */
	if (p.upper == -1 && (errno == ENOENT || p.lower == -1) &&
	    p.lower == -1)
		goto out;
	if (p.upper == -1 || p.lower == -1)
		answer = pair_fail(f, "reading", path);
	else
		answer = pair_judge(&p, NULL);
out:
	if (p.upper != -1)
		(void)close(p.upper);
	if (p.lower != -1)
		(void)close(p.lower);
	free(path);
	return answer;
}

int
diff_scratch(struct diff *d, const struct plan *p, struct fault *f)
{
	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_step *s = &p->steps[i];

		if (judge_path(d, s->path, f) == -1)
			return -1;
		if (s->kind == PLAN_RENAME && judge_path(d, s->to, f) == -1)
			return -1;
	}
	ops_sort(&d->ops);
	return 0;
}

static bool
touches(const struct plan_step *s, const char *path)
{
	const char *names[] = {s->path, s->kind == PLAN_RENAME ? s->to : NULL};
	size_t len = strlen(path);

	for (size_t i = 0; i < 2; i++) {
		if (names[i] != NULL && strncmp(names[i], path, len) == 0 &&
		    (names[i][len] == '\0' || names[i][len] == '/'))
			return true;
	}
	return false;
}

bool
diff_can_scratch(const struct plan *p, const struct workspace *w)
{
	struct stat st;

	for (size_t i = 0; i < p->step_count; i++) {
		const char *path = p->steps[i].path;

		if ((p->steps[i].kind != PLAN_DELETE &&
			p->steps[i].kind != PLAN_RENAME) ||
		    beneath_stat(w->fd, path, &st) != 1 || !S_ISDIR(st.st_mode))
			continue;
		for (size_t j = 0; j < p->step_count; j++) {
			if (j != i && touches(&p->steps[j], path))
				return false;
		}
	}
	return true;
}
