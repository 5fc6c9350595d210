/* SPDX-License-Identifier: ISC */
/* Candidates from the upper layer, judged against the live workspace. */
#include <sys/sysmacros.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/diff.h"
#include "executor/gitpart.h"
#include "executor/pair.h"
#include "executor/subtree.h"
#include "executor/utf8.h"
#include "executor/xattr.h"

#define BEAT_EVERY 100
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static void
tick(struct diff *d)
{
	if (++d->seen % BEAT_EVERY == 0 && d->beat != NULL)
		d->beat(d->owner);
}

int
pair_fail(struct fault *f, const char *what, const char *path)
{
	return fault_errno(f, OUTCOME_PREPARE, "%s %s", what, path);
}

static bool
is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static int
strip(struct diff *d, int dir, const char *name, const struct stat *st)
{
	int fd, answer;

	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		/* Unreadable to us means untouched by us: no mark of ours
		 * matters on the workspace's own filesystem. */
		return errno == EACCES ? 0 : -1;
	answer = xattr_strip(fd, d->trusted);
	(void)close(fd);
	return answer;
}

/* Of a git that is dead, as all are by now, or that could not remove it: in the
 * workspace it would stop every other one for ever. */
static int
drop_lock(struct diff *d, const struct subtree_at *at)
{
	json_array_append_new(d->warnings,
	    utf8_format("a lock that git had left was left out: %s", at->path));
	return sys_unlinkat(at->dir, at->name, 0);
}

struct brought {
	struct subtree_walk walk;
	struct pair *pair;
};

/* Each entry of a tree that comes whole. */
static int
visit_new(struct subtree_walk *w, const struct subtree_at *at)
{
	struct brought *b = w->owner;
	struct pair *p = b->pair;
	struct change_side none = {-1, NULL, NULL};
	struct change_side after = {at->dir, at->name, at->st};
	struct change_side before = {p->lower, p->name, &p->old};
	bool top = strcmp(at->path, p->path) == 0;

	/* An old mark in a new tree hides nothing. */
	if (is_whiteout(at->st))
		return sys_unlinkat(at->dir, at->name, 0);
	if (!(top && p->has_old) && gitpart_is_lock(at->path, at->st))
		return drop_lock(p->d, at);
	if (pair_check_kind(p, at) == -1 || pair_check_carried(p, at) == -1 ||
	    strip(p->d, at->dir, at->name, at->st) == -1)
		return -1;
	return changes_add(&p->d->changes, at->path,
	    top && p->has_old && !S_ISDIR(p->old.st_mode) ? &before : &none,
	    &after);
}

static int
visit_gone(struct subtree_walk *w, const struct subtree_at *at)
{
	struct brought *b = w->owner;
	struct change_side none = {-1, NULL, NULL};
	struct change_side before = {at->dir, at->name, at->st};

	if (pair_check_gone(b->pair, at) == -1)
		return -1;
	if (changes_add(&b->pair->d->changes, at->path, &before, &none) == 0)
		return 0;
	return pair_fail(b->pair->f, "reading", at->path);
}

static int
walk_pair(struct pair *p, bool gone)
{
	struct brought b = {.pair = p};
	int answer;

	b.walk.visit = gone ? visit_gone : visit_new;
	b.walk.owner = &b;
	b.walk.beat = p->d->beat;
	b.walk.beat_owner = p->d->owner;
	answer =
	    subtree_walk(&b.walk, gone ? p->lower : p->upper, p->name, p->path);
	if (answer == -1)
		(void)pair_fail(p->f, gone ? "reading" : "staging", p->path);
	return answer;
}

static void
note_old(struct op *o, const struct stat *st)
{
	o->old_ino = st->st_ino;
	o->old_mode = st->st_mode;
	o->old_uid = st->st_uid;
	o->old_gid = st->st_gid;
	o->old_size = st->st_size;
	o->old_mtime_ns =
	    st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

/* What displaced directories hold is told as deleted. */
static int
emit_put(struct pair *p)
{
	struct subtree_at at = {p->upper, p->name, p->path, &p->new};
	char number[32];
	struct op *o;

	if (!p->has_old && gitpart_is_lock(p->path, &p->new))
		return drop_lock(p->d, &at);
	if (S_ISSOCK(p->new.st_mode)) {
		json_array_append_new(p->d->warnings,
		    utf8_format("a socket was left out: %s", p->path));
		return 0;
	}
	if (p->has_old && foreign_is_privileged(p->lower, p->name, &p->old))
		return foreign_refuse_privileged(p->path, p->f);
	if (p->has_old && S_ISDIR(p->old.st_mode) && walk_pair(p, true) == -1)
		return -1;
	if (walk_pair(p, false) == -1)
		return -1;
	o = ops_add(&p->d->ops, OP_PUT, p->path);
	if (p->has_old)
		note_old(o, &p->old);
	if (snprintf(number, sizeof(number), "%zu", o->n) < 0)
		return -1;
	if (sys_renameat2(p->upper, p->name, p->d->txn->new, number,
		RENAME_NOREPLACE) == -1)
		return pair_fail(p->f, "staging", p->path);
	op_note_new(o, &p->new);
	o->mode = p->new.st_mode;
	return 0;
}

static int
emit_delete(struct pair *p)
{
	struct op *o;

	if (walk_pair(p, true) == -1)
		return -1;
	o = ops_add(&p->d->ops, OP_DELETE, p->path);
	note_old(o, &p->old);
	return 0;
}

static int
emit_meta(struct pair *p)
{
	struct change_side before = {p->lower, p->name, &p->old};
	struct change_side after = {p->upper, p->name, &p->new};
	struct op *o;

	if (pair_check_directory(p) == -1)
		return -1;
	if (p->new.st_mode == p->old.st_mode &&
	    p->new.st_uid == p->old.st_uid && p->new.st_gid == p->old.st_gid)
		return 0;
	if (plan_protected(p->d->queue, p->path))
		return pair_refuse(p, p->path, "");
	o = ops_add(&p->d->ops, OP_META, p->path);
	note_old(o, &p->old);
	o->mode = p->new.st_mode & 07777;
	o->uid = p->new.st_uid;
	o->gid = p->new.st_gid;
	return changes_add(&p->d->changes, p->path, &before, &after);
}

static bool
same_bytes(const struct diff *d, int a, int b)
{
	size_t chunks = 0;
	static char x[65536], y[65536];
	ssize_t n, m;

	do {
		n = read(a, x, sizeof(x));
		m = read(b, y, sizeof(y));
		if (n != m || n == -1 || memcmp(x, y, (size_t)n) != 0)
			return false;
		if (++chunks % BEAT_EVERY == 0 && d->beat != NULL)
			d->beat(d->owner);
	} while (n > 0);
	return true;
}

static bool
same_link(const struct pair *p)
{
	char x[4096], y[4096];
	ssize_t n = readlinkat(p->upper, p->name, x, sizeof(x));
	ssize_t m = readlinkat(p->lower, p->name, y, sizeof(y));

	return n == m && n != -1 && memcmp(x, y, (size_t)n) == 0;
}

static bool
same_files(const struct pair *p, bool attributes)
{
	int x = openat(p->upper, p->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int y = openat(p->lower, p->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool same = x != -1 && y != -1 && same_bytes(p->d, x, y) &&
		    (!attributes || xattr_same(x, y));

	if (x != -1)
		(void)close(x);
	if (y != -1)
		(void)close(y);
	return same;
}

/* Copied up and not changed in the end. */
static bool
is_same(const struct pair *p)
{
	const struct stat *a = &p->new, *b = &p->old;

	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid ||
	    a->st_gid != b->st_gid || a->st_size != b->st_size)
		return false;
	if (S_ISLNK(a->st_mode))
		return same_link(p);
	if (!S_ISREG(a->st_mode) || a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	    a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)
		return false;
	return same_files(p, true);
}

/* git dates an object anew when it meets the same content again, and writes a
 * submodule's configuration again as it was: what is named by its content, or
 * may not change, is no change by its date. The workspace's own would hide in a
 * clone that all of it was replaced. */
static bool
is_freshened(const struct pair *p)
{
	if (strncmp(p->path, ".git/objects/", 13) != 0 &&
	    (gitpart_of(p->path) == GITPART_NONE || gitpart_is_own(p->path) ||
		p->new.st_mode != p->old.st_mode ||
		p->new.st_uid != p->old.st_uid ||
		p->new.st_gid != p->old.st_gid))
		return false;
	if (!S_ISREG(p->new.st_mode) || !S_ISREG(p->old.st_mode) ||
	    p->new.st_size != p->old.st_size)
		return false;
	return same_files(p, false);
}

static int
stat_at(int dir, const char *name, struct stat *st, bool *found)
{
	*found = dir != -1 && fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0;
	return *found || dir == -1 || errno == ENOENT ? 0 : -1;
}

static int walk_layer(struct diff *d, int upper, int lower, struct buf *path,
    struct fault *f);

/* A directory of both layers: its attributes, then what is in it. */
static int
merge_dir(struct pair *p, struct buf *path)
{
	int upper, lower = -1, answer = -1;

	if (emit_meta(p) == -1)
		return -1;
	/* Emptying it later takes these, whatever the patch has set. */
	if ((p->new.st_mode & 0700) != 0700 &&
	    sys_fchmodat(p->upper, p->name, 0700) == -1)
		return pair_fail(p->f, "opening", p->path);
	upper = openat(p->upper, p->name, DIR_FLAGS);
	if (upper != -1)
		lower = openat(p->lower, p->name, DIR_FLAGS);
	if (lower == -1)
		(void)pair_fail(p->f, "opening", p->path);
	else
		answer = walk_layer(p->d, upper, lower, path, p->f);
	if (upper != -1)
		(void)close(upper);
	if (lower != -1)
		(void)close(lower);
	return answer;
}

static bool
is_opaque(const struct pair *p)
{
	int fd = openat(p->upper, p->name, DIR_FLAGS);
	bool opaque = fd != -1 && xattr_opaque(fd, p->d->trusted);

	if (fd != -1)
		(void)close(fd);
	return opaque;
}

int
pair_judge(struct pair *p, struct buf *path)
{
	if (stat_at(p->upper, p->name, &p->new, &p->has_new) == -1 ||
	    stat_at(p->lower, p->name, &p->old, &p->has_old) == -1)
		return pair_fail(p->f, "reading", p->path);
	tick(p->d);
	if (!p->has_new || is_whiteout(&p->new))
		return p->has_old ? emit_delete(p) : 0;
	if (S_ISDIR(p->new.st_mode) && p->has_old && S_ISDIR(p->old.st_mode) &&
	    !p->whole && !is_opaque(p))
		return path != NULL ? merge_dir(p, path) : emit_meta(p);
	if (p->has_old && (is_same(p) || is_freshened(p)))
		return 0;
	return emit_put(p);
}

static int
walk_entry(struct diff *d, struct pair *p, struct buf *path)
{
	size_t mark = path->len;
	int answer = 0;

	if (mark > 0)
		buf_putc(path, '/');
	buf_puts(path, p->name);
	p->path = path->bytes;
	/* Our own staging place, where it lies in the workspace. */
	if (strcmp(p->path, ".patchflow") != 0)
		answer = pair_judge(p, path);
	path->len = mark;
	path->bytes[mark] = '\0';
	(void)d;
	return answer;
}

/* The names first: entries are moved out of the directory as we go. */
int
pair_names(int dir, char ***names, size_t *count)
{
	int fd = openat(dir, ".", DIR_FLAGS);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *e;

	*names = NULL;
	*count = 0;
	if (d == NULL)
		return -1;
	while ((errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (*count % 64 == 0)
			*names =
			    xreallocarray(*names, *count + 64, sizeof(**names));
		(*names)[(*count)++] = xstrdup(e->d_name);
	}
	fd = errno;
	(void)closedir(d);
	errno = fd;
	return fd == 0 ? 0 : -1;
}

void
pair_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int
walk_layer(struct diff *d, int upper, int lower, struct buf *path,
    struct fault *f)
{
	char **names;
	size_t count;
	int answer = pair_names(upper, &names, &count);

	if (answer == -1)
		(void)pair_fail(f, "reading", path->bytes);
	for (size_t i = 0; i < count; i++) {
		struct pair p = {.d = d,
		    .f = f,
		    .name = names[i],
		    .upper = upper,
		    .lower = lower};

		if (answer == 0)
			answer = walk_entry(d, &p, path);
		free(names[i]);
	}
	free(names);
	return answer;
}

/* The workspace itself: "" as path, "." as name. */
int
pair_judge_root(struct diff *d, struct fault *f)
{
	struct pair p = {.d = d,
	    .f = f,
	    .path = "",
	    .name = ".",
	    .upper = d->txn->upper,
	    .lower = d->workspace->fd};

	if (fstat(p.upper, &p.new) == -1 || fstat(p.lower, &p.old) == -1)
		return pair_fail(f, "reading", "the workspace");
	/* Upper could not be given to its owner. */
	if (foreign_is(&p.old)) {
		p.new.st_uid = p.old.st_uid;
		p.new.st_gid = p.old.st_gid;
	}
	return emit_meta(&p);
}

int
diff_overlay(struct diff *d, struct fault *f)
{
	struct buf path = {0};
	int answer = pair_judge_root(d, f);

	buf_puts(&path, "");
	if (answer == 0)
		answer =
		    walk_layer(d, d->txn->upper, d->workspace->fd, &path, f);
	buf_free(&path);
	ops_sort(&d->ops);
	return answer;
}
