/* SPDX-License-Identifier: ISC */
/* What a patch may leave behind, bring and take away: the refusals. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "executor/pair.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int
pair_check_kind(struct pair *p, const struct stat *st, const char *path)
{
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		return fault_fail(p->f, OUTCOME_COMMAND, "%s became a device",
		    path);
	if (S_ISREG(st->st_mode) && (st->st_mode & (S_ISUID | S_ISGID)) != 0)
		return fault_fail(p->f, OUTCOME_COMMAND,
		    "%s became a set-id file", path);
	if (plan_protected(p->d->queue, path) || plan_is_link_of_git(path, st))
		return fault_fail(p->f, OUTCOME_COMMAND,
		    "the patch changed %s, which is a protected path", path);
	return 0;
}

int
pair_check_carried(struct pair *p, const struct subtree_at *at)
{
	const struct foreign_list *l = p->d->foreign;
	const char *was =
	    l != NULL ? foreign_find(l, at->dir, at->name, at->st) : NULL;

	if (foreign_is_privileged(at->dir, at->name, at->st))
		return foreign_refuse_privileged(at->path, p->f);
	if (was == NULL)
		return 0;
	(void)fault_fail(p->f, OUTCOME_PREPARE,
	    "%s was %s, whose owner, group or rights it would lose", at->path,
	    was);
	fault_hint(p->f, "run the executor as root, or leave that file where "
			 "it is");
	return -1;
}

/* A move by copy, as mv does it in an overlay, would have changed its owner. */
static int
refuse_latecomer(struct diff *d, const char *path, struct fault *f)
{
	d->met_foreign = true;
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "%s belongs to another user or group, which an overlay without "
	    "root cannot show",
	    path);
	f->temporary = true;
	return -1;
}

int
pair_check_gone(struct pair *p, const struct subtree_at *at)
{
	if (plan_protected(p->d->queue, at->path))
		return fault_fail(p->f, OUTCOME_COMMAND,
		    "%s is a protected path and cannot be removed", at->path);
	if (p->d->overlay && foreign_is(at->st))
		return refuse_latecomer(p->d, at->path, p->f);
	return foreign_check_gone(at->dir, at->name, at->st, at->path, p->f);
}

static int
compare_directories(const struct pair *p)
{
	int x = openat(p->upper, p->name, DIR_FLAGS);
	int y = x != -1 ? openat(p->lower, p->name, DIR_FLAGS) : -1;
	int answer = y == -1 ? -1 : xattr_same_copied(x, y);

	if (y != -1)
		(void)close(y);
	if (x != -1)
		(void)close(x);
	return answer;
}

/* One that cannot be read had none of its attributes shown. */
int
pair_check_directory(struct pair *p)
{
	int same = compare_directories(p);

	if (same == 1 || (same == -1 && errno == EACCES))
		return 0;
	if (same == -1)
		return pair_fail(p->f, "reading", p->path);
	(void)fault_fail(p->f, OUTCOME_PREPARE,
	    "%s: the extended attributes or access list of a directory were "
	    "changed, which a patch cannot do",
	    p->path[0] != '\0' ? p->path : "the workspace");
	fault_hint(p->f, "a new directory may have some; of one that is there "
			 "set them by hand");
	return -1;
}
