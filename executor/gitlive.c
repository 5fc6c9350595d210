/* SPDX-License-Identifier: ISC */
/* Waiting for git, and telling its bookkeeping from people's changes. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "executor/beneath.h"
#include "executor/gitindex.h"
#include "executor/gitlive.h"

#define LOCK ".git/index.lock"
#define WAIT_MS 5000
#define LOOK_MS 25

static bool
is_locked(const struct executor *ex)
{
	struct stat st;

	return beneath_stat(ex->workspace.fd, LOCK, &st) == 1;
}

int
gitlive_wait(struct executor *ex, struct fault *f)
{
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (is_locked(ex)) {
		if (clock_mono_ms() >= deadline) {
			(void)fault_fail(f, OUTCOME_CONFLICT,
			    "another git holds " LOCK " for more than %d s",
			    WAIT_MS / 1000);
			fault_hint(f, "if none is running, a crashed one has "
				      "left it: remove it");
			f->temporary = true;
			return -1;
		}
		(void)poll(NULL, 0, LOOK_MS);
		executor_beat(ex);
	}
	return 0;
}

void
gitlive_note(struct executor *ex)
{
	struct run *r = &ex->run;

	r->index_id[0] = '\0';
	if (r->plan.git_commit != NULL &&
	    gitindex_id(ex->workspace.fd, GITINDEX_PATH, r->index_id) == -1)
		r->index_id[0] = '\0';
}

static bool
touches_git(const struct ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		if (strncmp(ops->items[i].path, ".git/", 5) == 0)
			return true;
	}
	return false;
}

static struct op *
find_index(struct ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		struct op *o = &ops->items[i];

		if (o->kind == OP_PUT && o->old_ino != 0 &&
		    strcmp(o->path, GITINDEX_PATH) == 0)
			return o;
	}
	return NULL;
}

static bool
is_touched(const struct commit *c, const struct op *o, const struct stat *st)
{
	return st->st_ino != o->old_ino ||
	       st->st_ctim.tv_sec > c->since.tv_sec ||
	       (st->st_ctim.tv_sec == c->since.tv_sec &&
		   st->st_ctim.tv_nsec >= c->since.tv_nsec);
}

static void
drop(struct ops *ops, struct op *o)
{
	size_t at = (size_t)(o - ops->items);

	free(o->path);
	memmove(o, o + 1, (ops->count - at - 1) * sizeof(*o));
	ops->count--;
}

static void
adopt(struct commit *c, struct op *o, const struct stat *st)
{
	o->old_ino = st->st_ino;
	o->old_size = st->st_size;
	o->old_mtime_ns =
	    st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
	c->same_path = GITINDEX_PATH;
}

int
gitlive_adopt(struct executor *ex, struct commit *c, struct ops *ops,
    struct fault *f)
{
	char live[DIGEST_SIZE], ours[DIGEST_SIZE], name[OP_NAME_SIZE];
	struct stat st;
	struct op *o;

	if (!touches_git(ops))
		return 0;
	if (gitlive_wait(ex, f) == -1)
		return -1;
	o = find_index(ops);
	if (o == NULL ||
	    beneath_stat(ex->workspace.fd, GITINDEX_PATH, &st) != 1 ||
	    !is_touched(c, o, &st) ||
	    gitindex_id(ex->workspace.fd, GITINDEX_PATH, live) == -1)
		return 0;
	op_name(o, name);
	if (gitindex_id(c->txn->new, name, ours) == 0 &&
	    strcmp(live, ours) == 0)
		drop(ops, o);
	else if (strcmp(live, ex->run.index_id) == 0)
		adopt(c, o, &st);
	return 0;
}
