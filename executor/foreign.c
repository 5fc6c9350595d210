/* SPDX-License-Identifier: ISC */
/* Others' files, privileged files, and the list of their clones. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"
#include "executor/beneath.h"
#include "executor/foreign.h"
#include "executor/subtree.h"
#include "executor/xattr.h"

#define LOOKED_MAX 20000 /* entries of a workspace that are looked at */

struct foreign_entry {
	uint64_t ino;
	int64_t birth_ns; /* 0: the filesystem does not say */
	const char *path;
};

bool
foreign_is(const struct stat *st)
{
	return geteuid() != 0 &&
	       (st->st_uid != geteuid() || st->st_gid != getegid());
}

bool
foreign_is_privileged(int dir, const char *name, const struct stat *st)
{
	return S_ISREG(st->st_mode) &&
	       ((st->st_mode & (S_ISUID | S_ISGID)) != 0 ||
		   xattr_capable(dir, name));
}

struct search {
	enum foreign_kind kind;
	char *path;
};

static bool
is_readable(const struct subtree_at *at)
{
	bool dir = S_ISDIR(at->st->st_mode);

	return (!dir && !S_ISREG(at->st->st_mode)) ||
	       faccessat(at->dir, at->name, dir ? R_OK | X_OK : R_OK,
		   AT_EACCESS | AT_SYMLINK_NOFOLLOW) == 0;
}

static int
visit_search(struct subtree_walk *w, const struct subtree_at *at)
{
	const struct search *s = w->owner;
	bool readable = is_readable(at);
	bool found = s->kind == FOREIGN_OWNED ? foreign_is(at->st) : !readable;

	if (w->seen > LOOKED_MAX)
		return 2;
	if (found) {
		(void)strlcpy(s->path,
		    at->path[0] != '\0' ? at->path : "the workspace", PATH_MAX);
		return 1;
	}
	return readable ? 0 : SUBTREE_SKIP;
}

bool
foreign_in(int workspace, enum foreign_kind kind, char path[PATH_MAX])
{
	struct search s = {kind, path};
	struct subtree_walk w = {.visit = visit_search, .owner = &s};

	return geteuid() != 0 && subtree_walk(&w, workspace, ".", "") == 1;
}

int
foreign_refuse(const char *path, struct fault *f)
{
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "%s belongs to another user or group and would change hands", path);
	fault_hint(f, "run the executor as root, or give the file to its "
		      "user");
	return -1;
}

int
foreign_refuse_privileged(const char *path, struct fault *f)
{
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "%s is a set-id file or has file capabilities, which it would "
	    "lose",
	    path);
	fault_hint(f, "such a file can only be deleted by a patch; change it "
		      "by hand, or take these rights from it first");
	return -1;
}

/* Our file in another one of our groups can be copied as it is. */
static bool
can_own(const struct stat *st)
{
	return !foreign_is(st) ||
	       (st->st_uid == geteuid() && group_member(st->st_gid) != 0);
}

static int
visit_reason(struct subtree_walk *w, const struct subtree_at *at)
{
	struct fault *f = w->owner;

	if (!is_readable(at)) {
		(void)fault_fail(f, OUTCOME_PREPARE,
		    "%s cannot be read by the executor's user", at->path);
		fault_hint(f, "give him the right to read it, or move it out "
			      "of the workspace");
		return -1;
	}
	if (!can_own(at->st))
		return foreign_refuse(at->path, f);
	if (foreign_is_privileged(at->dir, at->name, at->st))
		return foreign_refuse_privileged(at->path, f);
	return 0;
}

static int
visit_top(struct subtree_walk *w, const struct subtree_at *at)
{
	return visit_reason(w, at) == -1 ? -1 : SUBTREE_SKIP;
}

int
foreign_explain(int root, const char *path, bool whole, struct fault *f)
{
	struct subtree_walk w = {.visit = whole ? visit_reason : visit_top,
	    .owner = f};
	const char *name;
	int dir = beneath_parent(root, path, &name);

	if (dir != -1) {
		(void)subtree_walk(&w, dir, name, path);
		(void)close(dir);
	}
	return f->set ? -1 : 0;
}

static bool
is_held_by_sticky(int dir, const struct stat *st)
{
	struct stat parent;

	return fstat(dir, &parent) == 0 && (parent.st_mode & S_ISVTX) != 0 &&
	       parent.st_uid != geteuid() && st->st_uid != geteuid();
}

/* What of our own forbids it is opened when it is removed. */
int
foreign_check_gone(int dir, const char *name, const struct stat *st,
    const char *path, struct fault *f)
{
	if (!foreign_is(st))
		return 0;
	if (is_held_by_sticky(dir, st) ||
	    (S_ISDIR(st->st_mode) && st->st_uid != geteuid() &&
		faccessat(dir, name, R_OK | W_OK | X_OK,
		    AT_EACCESS | AT_SYMLINK_NOFOLLOW) == -1)) {
		(void)fault_fail(f, OUTCOME_PREPARE,
		    "%s belongs to another user, who does not let it be "
		    "removed",
		    path);
		fault_hint(f, "run the executor as root, or remove it by hand");
		return -1;
	}
	return 0;
}

static int
read_birth(int dir, const char *name, struct statx *x)
{
	return statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME,
	    x);
}

static int64_t
birth_of(const struct statx *x)
{
	return (x->stx_mask & STATX_BTIME) == 0
		   ? 0
		   : x->stx_btime.tv_sec * INT64_C(1000000000) +
			 x->stx_btime.tv_nsec;
}

/* INO BIRTH PATH NUL */
int
foreign_note(struct buf *notes, int dir, const char *name, const char *path)
{
	struct statx x;

	if (read_birth(dir, name, &x) == -1)
		return -1;
	buf_printf(notes, "%llu %lld %s", (unsigned long long)x.stx_ino,
	    (long long)birth_of(&x), path);
	buf_putc(notes, '\0');
	return 0;
}

static int
by_ino(const void *a, const void *b)
{
	const struct foreign_entry *x = a, *y = b;

	return (x->ino > y->ino) - (x->ino < y->ino);
}

static void
parse(struct foreign_list *l, size_t len)
{
	for (char *s = l->bytes; s < l->bytes + len; s += strlen(s) + 1) {
		struct foreign_entry e;
		char *rest = s;

		e.ino = strtoull(rest, &rest, 10);
		e.birth_ns = strtoll(rest, &rest, 10);
		e.path = rest[0] == ' ' ? rest + 1 : rest;
		if (l->count % 64 == 0)
			l->items = xreallocarray(l->items, l->count + 64,
			    sizeof(*l->items));
		l->items[l->count++] = e;
	}
	if (l->count > 0)
		qsort(l->items, l->count, sizeof(*l->items), by_ino);
}

int
foreign_load(int txn, const char *file, struct foreign_list *l)
{
	struct stat st;
	size_t len;

	*l = (struct foreign_list){0};
	if (fstatat(txn, file, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	l->bytes = beneath_read(txn, file, (size_t)st.st_size + 1, &len, &st);
	if (l->bytes == NULL)
		return -1;
	parse(l, len);
	return 0;
}

void
foreign_free(struct foreign_list *l)
{
	free(l->items);
	free(l->bytes);
	*l = (struct foreign_list){0};
}

const char *
foreign_find(const struct foreign_list *l, int dir, const char *name,
    const struct stat *st)
{
	const struct foreign_entry key = {.ino = st->st_ino};
	const struct foreign_entry *e = NULL;
	struct statx x;

	if (l->count > 0)
		e = bsearch(&key, l->items, l->count, sizeof(*e), by_ino);
	if (e == NULL || read_birth(dir, name, &x) == -1)
		return NULL;
	/* Else the number was free and has been used again. */
	return birth_of(&x) == e->birth_ns ? e->path : NULL;
}
