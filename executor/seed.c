/* SPDX-License-Identifier: ISC */
/*
 * The short path: a patch without commands needs no mount, only copies of the
 * files that it names, below upper as the overlay would have them.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/beneath.h"
#include "executor/report.h"
#include "executor/subtree.h"
#include "executor/worker.h"

/* Copies path (below an existing parent) unless that was done before. */
static int
seed_entry(int workspace, int upper, const char *path, bool whole)
{
	struct stat st;
	const char *name;
	int from, to, answer = -1;

	if (beneath_stat(upper, path, &st) == 1)
		return 0;
	from = beneath_parent(workspace, path, &name);
	to = from != -1 ? beneath_parent(upper, path, &name) : -1;
	if (to != -1)
		answer = whole ? subtree_copy(from, name, to, name)
			       : subtree_copy_entry(from, name, to, name);
	if (from != -1)
		(void)close(from);
	if (to != -1)
		(void)close(to);
	return answer;
}

static int
seed_parents(int workspace, int upper, const char *path)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		char *dir = xstrndup(path, (size_t)(slash - path));
		struct stat st;
		int found = beneath_stat(workspace, dir, &st);
		int answer = found == 1
				 ? seed_entry(workspace, upper, dir, false)
				 : found;

		free(dir);
		if (answer == -1 || found == 0)
			return answer;
		slash++;
	}
	return 0;
}

/* whole: a directory is needed with all that is in it. */
static int
seed_path(int workspace, int upper, const char *path, bool whole)
{
	struct stat st;
	int found;

	if (path[0] == '\0')
		return 0;
	if (seed_parents(workspace, upper, path) == -1)
		return -1;
	found = beneath_stat(workspace, path, &st);
	if (found != 1)
		return found;
	return seed_entry(workspace, upper, path, whole);
}

static int
seed_step(int workspace, int upper, const struct plan_step *s)
{
	if (seed_path(workspace, upper, s->path, s->kind == PLAN_RENAME) == -1)
		return -1;
	if (s->kind != PLAN_RENAME)
		return 0;
	return seed_path(workspace, upper, s->to, false);
}

int
worker_seed(void *owner, int workspace, int upper, int report)
{
	struct worker *w = owner;
	struct fault f = {0};

	for (size_t i = 0; i < w->plan->base_count; i++) {
		if (seed_path(workspace, upper, w->plan->bases[i].path,
			false) == -1) {
			(void)fault_errno(&f, OUTCOME_PREPARE, "copying %s",
			    w->plan->bases[i].path);
			goto fail;
		}
	}
	for (size_t i = 0; i < w->plan->step_count; i++) {
		if (seed_step(workspace, upper, &w->plan->steps[i]) == 0)
			continue;
		(void)fault_errno(&f,
		    errno == ELOOP ? OUTCOME_MUTATION : OUTCOME_PREPARE,
		    "staging %s", w->plan->steps[i].path);
		if (f.stage == OUTCOME_MUTATION)
			fault_hint(&f, "a symbolic link is in the way: name "
				       "the file that it points to");
		fault_place(&f, "mutations[%zu]", i);
		goto fail;
	}
	return 0;
fail:
	report_fault(report, &f);
	return -1;
}
