/* SPDX-License-Identifier: ISC */
/* Telling git's bookkeeping from people's changes. */
#include <stdlib.h>
#include <string.h>

#include "executor/beneath.h"
#include "executor/gitindex.h"
#include "executor/gitlive.h"
#include "executor/gitlock.h"
#include "executor/instant.h"

void
gitlive_note(struct executor *ex)
{
	struct run *r = &ex->run;

	r->index_id[0] = '\0';
	if (r->plan.git_commit != NULL &&
	    gitindex_id(ex->workspace.fd, GITINDEX_PATH, r->index_id) == -1)
		r->index_id[0] = '\0';
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

void
gitlive_adopt(struct executor *ex, struct commit *c, struct ops *ops)
{
	char live[DIGEST_SIZE], ours[DIGEST_SIZE], name[OP_NAME_SIZE];
	struct stat st;
	struct op *o = find_index(ops);

	if (o == NULL ||
	    beneath_stat(ex->workspace.fd, GITINDEX_PATH, &st) != 1 ||
	    !is_touched(c, o, &st) ||
	    gitindex_id(ex->workspace.fd, GITINDEX_PATH, live) == -1)
		return;
	op_name(o, name);
	if (gitindex_id(c->txn->new, name, ours) == 0 &&
	    strcmp(live, ours) == 0)
		drop(ops, o);
	else if (strcmp(live, ex->run.index_id) == 0)
		adopt(c, o, &st);
}

int
gitlive_check_head(struct executor *ex, const struct commit *c,
    const struct ops *ops, struct fault *f)
{
	struct stat st;

	if (!gitlock_adds_head(ops) ||
	    (beneath_stat(ex->workspace.fd, GITLOCK_HEAD, &st) == 1 &&
		instant_is_after(&c->since, &st.st_ctim)))
		return 0;
	(void)fault_fail(f, OUTCOME_CONFLICT,
	    GITLOCK_HEAD " was changed by somebody else meanwhile");
	f->temporary = true;
	return -1;
}
