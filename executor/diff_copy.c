/* SPDX-License-Identifier: ISC */
/*
 * A clone against the workspace. What has an older ctime than the clone's end
 * was not touched by the patch and is not looked at: others may have changed
 * the live file meanwhile, and that stays theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor/beneath.h"
#include "executor/clone.h"
#include "executor/conflict.h"
#include "executor/instant.h"
#include "executor/pair.h"
#include "executor/subtree.h"

#define MARK_MAX 64
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct copy_walk {
	struct diff *d;
	struct fault *f;
	struct timespec mark;
	struct foreign_list known; /* CLONE_DIRS */
	struct buf path;
};

static bool
is_touched(const struct copy_walk *w, const struct stat *st)
{
	return st->st_ctim.tv_sec > w->mark.tv_sec ||
	       (st->st_ctim.tv_sec == w->mark.tv_sec &&
		   st->st_ctim.tv_nsec >= w->mark.tv_nsec);
}

static int
visit_touched(struct subtree_walk *s, const struct subtree_at *at)
{
	return is_touched(s->owner, at->st) ? 1 : 0;
}

/* A directory that the workspace has no more, or that became a file there. */
static int
judge_lost_dir(struct copy_walk *w, const struct pair *p)
{
	struct conflict_look l = {.workspace = w->d->workspace,
	    .txn = w->d->txn};
	struct subtree_walk s = {.visit = visit_touched, .owner = w};
	int found = subtree_walk(&s, p->upper, p->name, p->path);

	if (found == -1)
		return pair_fail(w->f, "reading", p->path);
	if (found == 0)
		return 0;
	(void)fault_fail(w->f, OUTCOME_CONFLICT,
	    "%s was taken away while the patch changed what is in it", p->path);
	w->f->temporary = true;
	conflict_note(&l, p->path, "was taken away meanwhile", w->f);
	return -1;
}

/* Replacing another user's file makes it ours; in his directory as well. */
static int
refuse_foreign(const struct copy_walk *w, const struct pair *p)
{
	if (w->d->trusted || !p->has_old ||
	    (p->old.st_uid == geteuid() && p->old.st_gid == p->new.st_gid))
		return 0;
	return foreign_refuse(p->path, w->f);
}

static int walk_dirs(struct copy_walk *w, int upper, int lower, bool touched);

static int
judge_dirs(struct copy_walk *w, struct pair *p)
{
	int upper, lower, answer = -1;

	/* Of a foreign directory only the mode can differ by the patch. */
	if (is_touched(w, &p->new) &&
	    (w->d->trusted || p->new.st_uid == p->old.st_uid) &&
	    p->new.st_gid == p->old.st_gid && pair_judge(p, NULL) == -1)
		return -1;
	upper = openat(p->upper, p->name, DIR_FLAGS);
	lower = openat(p->lower, p->name, DIR_FLAGS);
	if (upper == -1 || lower == -1)
		(void)pair_fail(w->f, "opening", p->path);
	else
		answer = walk_dirs(w, upper, lower, is_touched(w, &p->new));
	if (upper != -1)
		(void)close(upper);
	if (lower != -1)
		(void)close(lower);
	return answer;
}

/* One that was moved here, whose ctime alone says so: what is in it looks as
 * untouched as it was at its old place. */
static bool
is_moved(const struct copy_walk *w, const struct pair *p)
{
	const char *was = foreign_find(&w->known, p->upper, p->name, &p->new);

	return was != NULL && strcmp(was, p->path) != 0;
}

static int
judge_new(struct copy_walk *w, struct pair *p)
{
	bool dir = S_ISDIR(p->new.st_mode);

	p->whole = dir && is_moved(w, p);
	if (dir && p->has_old && S_ISDIR(p->old.st_mode) && !p->whole)
		return judge_dirs(w, p);
	if (!is_touched(w, &p->new))
		return dir ? judge_lost_dir(w, p) : 0;
	return refuse_foreign(w, p) == -1 ? -1 : pair_judge(p, NULL);
}

/* touched: the clone's directory is; else a name that it lacks came later. */
static int
judge_entry(struct copy_walk *w, struct pair *p, bool touched)
{
	p->has_new =
	    fstatat(p->upper, p->name, &p->new, AT_SYMLINK_NOFOLLOW) == 0;
	if (!p->has_new && errno != ENOENT)
		return pair_fail(w->f, "reading", p->path);
	p->has_old =
	    fstatat(p->lower, p->name, &p->old, AT_SYMLINK_NOFOLLOW) == 0;
	if (!p->has_old && errno != ENOENT)
		return pair_fail(w->f, "reading", p->path);
	if (p->has_new)
		return judge_new(w, p);
	/* Never cloned, and so not deleted either. */
	if (!touched || S_ISSOCK(p->old.st_mode) || S_ISCHR(p->old.st_mode) ||
	    S_ISBLK(p->old.st_mode))
		return 0;
	return pair_judge(p, NULL);
}

static int
walk_entry(struct copy_walk *w, struct pair *p, bool touched)
{
	size_t mark = w->path.len;
	int answer = 0;

	if (mark > 0)
		buf_putc(&w->path, '/');
	buf_puts(&w->path, p->name);
	p->path = w->path.bytes;
	/* Our own staging place, where it lies in the workspace. */
	if (strcmp(p->path, ".patchflow") != 0)
		answer = judge_entry(w, p, touched);
	w->path.len = mark;
	w->path.bytes[mark] = '\0';
	return answer;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each name of either side once. */
static int
list_both(int upper, int lower, char ***names, size_t *count)
{
	char **a, **b;
	size_t n, m, kept = 0;

	if (pair_names(upper, &a, &n) == -1)
		return -1;
	if (pair_names(lower, &b, &m) == -1) {
		pair_names_free(a, n);
		return -1;
	}
	a = xreallocarray(a, n + m + 1, sizeof(*a));
	for (size_t i = 0; i < m; i++)
		a[n + i] = b[i];
	free(b);
	qsort(a, n + m, sizeof(*a), by_name);
	for (size_t i = 0; i < n + m; i++) {
		if (kept > 0 && strcmp(a[kept - 1], a[i]) == 0)
			free(a[i]);
		else
			a[kept++] = a[i];
	}
	*names = a;
	*count = kept;
	return 0;
}

static int
walk_dirs(struct copy_walk *w, int upper, int lower, bool touched)
{
	char **names;
	size_t count;
	int answer = 0;

	if (list_both(upper, lower, &names, &count) == -1)
		return pair_fail(w->f, "reading", w->path.bytes);
	for (size_t i = 0; i < count && answer == 0; i++) {
		struct pair p = {.d = w->d,
		    .f = w->f,
		    .name = names[i],
		    .upper = upper,
		    .lower = lower};

		answer = walk_entry(w, &p, touched);
	}
	pair_names_free(names, count);
	return answer;
}

static int
judge_clone(struct copy_walk *w, const struct stat *top)
{
	struct diff *d = w->d;
	struct foreign_list foreign;
	int answer;

	if (foreign_load(d->txn->dir, FOREIGN_LIST, &foreign) == -1)
		return pair_fail(w->f, "reading", FOREIGN_LIST);
	if (foreign_load(d->txn->dir, CLONE_DIRS, &w->known) == -1) {
		foreign_free(&foreign);
		return pair_fail(w->f, "reading", CLONE_DIRS);
	}
	d->foreign = &foreign;
	answer = pair_judge_root(d, w->f);
	if (answer == 0)
		answer = walk_dirs(w, d->txn->upper, d->workspace->fd,
		    is_touched(w, top));
	d->foreign = NULL;
	foreign_free(&foreign);
	foreign_free(&w->known);
	return answer;
}

/* What was written after the clock was set back looks as if it were cloned. */
static int
check_clock(const struct diff *d, struct fault *f)
{
	struct stat st;
	size_t len;
	char *text = beneath_read(d->txn->dir, CLONE_MARK, MARK_MAX, &len, &st);
	int64_t then = text != NULL ? strtoll(text, NULL, 10) : 0;

	if (text == NULL)
		return pair_fail(f, "reading", CLONE_MARK);
	free(text);
	if (!instant_was_set_back(then))
		return 0;
	(void)fault_fail(f, OUTCOME_PREPARE,
	    "the machine's clock was set back while the patch ran, so that "
	    "what it changed in its clone cannot be told");
	f->temporary = true;
	return -1;
}

int
diff_copy(struct diff *d, struct fault *f)
{
	struct copy_walk w = {.d = d, .f = f};
	struct stat st, top;
	int answer;

	if (fstatat(d->txn->dir, CLONE_MARK, &st, 0) == -1 ||
	    fstat(d->txn->upper, &top) == -1)
		return pair_fail(f, "reading", CLONE_MARK);
	if (check_clock(d, f) == -1)
		return -1;
	w.mark = st.st_ctim;
	buf_puts(&w.path, "");
	answer = judge_clone(&w, &top);
	buf_free(&w.path);
	ops_sort(&d->ops);
	return answer;
}
