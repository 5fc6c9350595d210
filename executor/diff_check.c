/* SPDX-License-Identifier: ISC */
/* What a patch may leave behind, bring and take away: the refusals. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/gitconf.h"
#include "executor/gitpart.h"
#include "executor/pair.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int
pair_refuse(struct pair *p, const char *path, const char *why)
{
	return fault_fail(p->f, OUTCOME_COMMAND,
	    "the patch changed %s, which is a protected path%s%s", path,
	    why[0] != '\0' ? ": " : "", why);
}

/* The text of a small file with one name, so that nobody else's writing to it
 * changes it later; NULL: no such file. The caller frees it. */
static char *
read_part(const struct subtree_at *at, size_t *len)
{
	struct stat st;

	if (!S_ISREG(at->st->st_mode) || at->st->st_nlink != 1)
		return NULL;
	return beneath_read(at->dir, at->name, GITCONF_MAX, len, &st);
}

static int
check_config(struct pair *p, const struct subtree_at *at)
{
	struct buf why = {0};
	size_t len;
	char *text = read_part(at, &len);
	int answer = 0;

	if (text == NULL || !gitconf_is_plain(at->path, text, len, &why)) {
		answer = pair_refuse(p, at->path,
		    why.len > 0 ? why.bytes : "it is no small plain file");
		fault_hint(p->f, "a new repository may be left with what git "
				 "init, clone and submodule write there; for "
				 "anything else run the command by hand");
	}
	free(text);
	buf_free(&why);
	return answer;
}

static int
check_link(struct pair *p, const struct subtree_at *at)
{
	size_t len = 0;
	char *text = read_part(at, &len);
	bool fits =
	    text != NULL && strlen(text) == len && gitpart_link(at->path, text);

	free(text);
	return fits ? 0
		    : pair_refuse(p, at->path,
			  "it leads to a repository that is no submodule of "
			  "one in the workspace");
}

/* What is there already never changes; see gitpart.h. */
static bool
is_fresh(const struct pair *p, const struct subtree_at *at)
{
	if (strcmp(at->path, p->path) == 0 && p->has_old &&
	    !S_ISDIR(p->old.st_mode))
		return false;
	return !gitpart_is_own(at->path);
}

/* Of one without a .git it is what it says that counts, new or not. */
static int
check_part(struct pair *p, const struct subtree_at *at)
{
	enum gitpart part = gitpart_of(at->path);
	enum gitpart bare =
	    part == GITPART_NONE ? pair_bare_part(p, at) : GITPART_NONE;
	bool fresh = bare != GITPART_NONE || is_fresh(p, at);
	mode_t mode = at->st->st_mode;

	switch (bare != GITPART_NONE ? bare : part) {
	case GITPART_NONE:
		return 0;
	case GITPART_DIR:
		return S_ISLNK(mode) ? pair_refuse(p, at->path, "a link") : 0;
	case GITPART_CONFIG:
		return fresh ? check_config(p, at)
			     : pair_refuse(p, at->path, "");
	case GITPART_EXTRA:
		return gitpart_goes_whole(p->path, at->path)
			   ? check_config(p, at)
			   : pair_refuse(p, at->path, "");
	case GITPART_SAMPLE:
		if (fresh && (S_ISDIR(mode) || S_ISREG(mode)))
			return 0;
		return pair_refuse(p, at->path, "");
	case GITPART_ROOT:
		if (S_ISDIR(mode))
			return 0;
		return fresh ? check_link(p, at) : pair_refuse(p, at->path, "");
	case GITPART_FIXED:
	case GITPART_STATE:
		break;
	}
	return pair_refuse(p, at->path,
	    bare != GITPART_NONE ? "git takes its directory for a repository"
				 : "");
}

int
pair_check_kind(struct pair *p, const struct subtree_at *at)
{
	mode_t mode = at->st->st_mode;

	if (S_ISCHR(mode) || S_ISBLK(mode))
		return fault_fail(p->f, OUTCOME_COMMAND, "%s became a device",
		    at->path);
	if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) != 0)
		return fault_fail(p->f, OUTCOME_COMMAND,
		    "%s became a set-id file", at->path);
	if (plan_reserved(p->d->queue, at->path))
		return pair_refuse(p, at->path, "");
	return check_part(p, at);
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

/* A repository may go as a whole, the workspace's own excepted; what git left
 * when it was stopped may go by itself. */
static bool
may_go(const struct pair *p, const char *path)
{
	if (plan_reserved(p->d->queue, path))
		return false;
	return !gitpart_is_closed(path) || gitpart_of(path) == GITPART_STATE ||
	       gitpart_goes_whole(p->path, path);
}

int
pair_check_gone(struct pair *p, const struct subtree_at *at)
{
	/* Before it is entered: what is in there is no part of the patch. */
	if (beneath_is_mount(at->dir, at->name))
		return fault_fail(p->f, OUTCOME_PREPARE,
		    "%s: a filesystem is mounted on it", at->path);
	if (!may_go(p, at->path))
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
