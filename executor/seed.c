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
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/foreign.h"
#include "executor/report.h"
#include "executor/subtree.h"
#include "executor/worker.h"

/* One entry of the workspace, and where its copy goes. */
struct seedling {
	int from;
	int to;
	const char *name;
	struct stat st;
};

static void
seedling_close(struct seedling *s)
{
	int saved = errno;

	if (s->from != -1)
		(void)close(s->from);
	if (s->to != -1)
		(void)close(s->to);
	errno = saved;
}

/* 1 found (then to be closed), 0 nothing stands there, -1. The parent of the
 * copy is opened by need_copy. */
static int
seedling_open(struct seedling *s, int workspace, const char *path)
{
	s->to = -1;
	s->from = beneath_parent(workspace, path, &s->name);
	if (s->from == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (fstatat(s->from, s->name, &s->st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	seedling_close(s);
	return errno == ENOENT ? 0 : -1;
}

/* 1, 0: it was copied before; -1. */
static int
need_copy(struct seedling *s, int upper, const char *path)
{
	struct stat st;

	s->to = beneath_parent(upper, path, &s->name);
	if (s->to == -1)
		return -1;
	if (fstatat(s->to, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOENT ? 1 : -1;
}

/* Copies what was found (below an existing parent) unless that was done
 * before. */
static int
seed_found(struct seedling *s, int upper, const char *path, bool whole)
{
	int answer = need_copy(s, upper, path);

	if (answer != 1)
		return answer;
	return whole ? subtree_copy(s->from, s->name, s->to, s->name)
		     : subtree_copy_entry(s->from, s->name, s->to, s->name);
}

/* Only to stand in: what is compared lies below it, and whether the real one
 * may be written to is looked at before the commit. */
static int
seed_foreign_dir(int upper, const char *path, const struct stat *st)
{
	const char *name;
	int to = beneath_parent(upper, path, &name), answer;

	if (to == -1)
		return -1;
	answer = sys_mkdirat(to, name, 0700);
	if (answer == 0)
		answer = sys_fchmodat(to, name, st->st_mode & 07777);
	else if (errno == EEXIST)
		answer = 0;
	(void)close(to);
	return answer;
}

/* 1, 0: nothing stands there; -1. */
static int
seed_parent(int workspace, int upper, const char *dir)
{
	struct seedling s;
	int answer, found = seedling_open(&s, workspace, dir);

	if (found != 1)
		return found;
	if (S_ISDIR(s.st.st_mode) && foreign_is(&s.st))
		answer = seed_foreign_dir(upper, dir, &s.st);
	else
		answer = seed_found(&s, upper, dir, false);
	seedling_close(&s);
	return answer == -1 ? -1 : 1;
}

static int
seed_parents(int workspace, int upper, const char *path)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		char *dir = xstrndup(path, (size_t)(slash - path));
		int found = seed_parent(workspace, upper, dir);

		free(dir);
		if (found != 1)
			return found;
		slash++;
	}
	return 0;
}

/* whole: a directory is needed with all that is in it. */
static int
seed_path(int workspace, int upper, const char *path, bool whole)
{
	struct seedling s;
	int answer, found;

	if (path[0] == '\0')
		return 0;
	if (seed_parents(workspace, upper, path) == -1)
		return -1;
	found = seedling_open(&s, workspace, path);
	if (found != 1)
		return found;
	answer = seed_found(&s, upper, path, whole);
	seedling_close(&s);
	return answer;
}

/* Does no other step need what stands there? */
static bool
is_only_deleted(const struct plan *p, const struct plan_step *s)
{
	if (s->kind != PLAN_DELETE)
		return false;
	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_step *o = &p->steps[i];

		if (o != s && (strcmp(o->path, s->path) == 0 ||
				  (o->kind == PLAN_RENAME &&
				      strcmp(o->to, s->path) == 0)))
			return false;
	}
	return true;
}

static int
make_stand_in(int dir, const char *name, bool is_dir)
{
	int fd;

	if (is_dir)
		return sys_mkdirat(dir, name, 0700);
	fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd != -1)
		(void)close(fd);
	return fd == -1 ? -1 : 0;
}

/* To be removed again something empty does as well: what is deleted need not
 * be copied, nor be readable or ours. 1: that does not stand there. */
static int
seed_deleted(int workspace, int upper, const char *path)
{
	struct stat st, made;
	const char *name;
	int dir, answer;

	if (seed_parents(workspace, upper, path) == -1)
		return -1;
	if (beneath_stat(workspace, path, &st) != 1 ||
	    beneath_stat(upper, path, &made) == 1)
		return 1;
	dir = beneath_parent(upper, path, &name);
	if (dir == -1)
		return -1;
	answer = make_stand_in(dir, name, S_ISDIR(st.st_mode));
	(void)close(dir);
	return answer;
}

static int
seed_step(const struct plan *p, int workspace, int upper,
    const struct plan_step *s)
{
	int answer =
	    is_only_deleted(p, s) ? seed_deleted(workspace, upper, s->path) : 1;

	if (answer != 1)
		return answer;
	if (seed_path(workspace, upper, s->path, s->kind == PLAN_RENAME) == -1)
		return -1;
	if (s->kind != PLAN_RENAME)
		return 0;
	return seed_path(workspace, upper, s->to, false);
}

static void
fail_seed(int workspace, const char *what, const char *path, bool whole,
    struct fault *f)
{
	int saved = errno;
	bool link = saved == ELOOP;

	if ((saved == EPERM || saved == EACCES) &&
	    foreign_explain(workspace, path, whole, f) == -1)
		return;
	errno = saved;
	(void)fault_errno(f, link ? OUTCOME_MUTATION : OUTCOME_PREPARE, "%s %s",
	    what, path);
	if (link)
		fault_hint(f, "a symbolic link is in the way: name the file "
			      "that it points to");
}

int
worker_seed(void *owner, int workspace, int upper, int report)
{
	struct worker *w = owner;
	struct fault f = {0};

	for (size_t i = 0; i < w->plan->base_count; i++) {
		const char *path = w->plan->bases[i].path;

		if (seed_path(workspace, upper, path, false) == 0)
			continue;
		fail_seed(workspace, "copying", path, false, &f);
		goto fail;
	}
	for (size_t i = 0; i < w->plan->step_count; i++) {
		const struct plan_step *s = &w->plan->steps[i];

		if (seed_step(w->plan, workspace, upper, s) == 0)
			continue;
		fail_seed(workspace, "staging", s->path, s->kind == PLAN_RENAME,
		    &f);
		fault_place(&f, "mutations[%zu]", i);
		goto fail;
	}
	return 0;
fail:
	report_fault(report, &f);
	return -1;
}
