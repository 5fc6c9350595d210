/* SPDX-License-Identifier: ISC */
/*
 * What an undo tells of its changes, as any patch does: from what the patch
 * left to what comes back.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/beneath.h"
#include "executor/changes.h"
#include "executor/pathjson.h"
#include "executor/undo.h"

/* An entry below root, with what change_side borrows. */
struct place_of {
	char *path; /* owned */
	struct stat st;
	struct change_side side;
};

static void
open_side(int root, char *path, struct place_of *p)
{
	const char *name;

	*p = (struct place_of){.path = path, .side = {-1, NULL, NULL}};
	if (path == NULL || beneath_stat(root, path, &p->st) != 1)
		return;
	p->side.dir = beneath_parent(root, path, &name);
	p->side.name = name;
	p->side.st = &p->st;
}

static void
close_side(struct place_of *p)
{
	if (p->side.dir != -1)
		(void)close(p->side.dir);
	free(p->path);
}

/* Where in T that lies which comes back to path. */
static void
open_kept(const struct txn *t, const struct ops *ops, const char *path,
    struct place_of *p)
{
	const char *rest;
	const struct op *o = ops_find(ops, path, &rest);
	char name[OP_NAME_SIZE];

	*p = (struct place_of){.side = {-1, NULL, NULL}};
	if (o == NULL || o->old_ino == 0)
		return;
	op_name(o, name);
	open_side(o->kind == OP_PUT ? t->new : t->old,
	    xasprintf("%s%s", name, rest), p);
}

static void
add(struct executor *ex, struct changes *c, const struct txn *t,
    const struct record *r, const char *path)
{
	struct place_of live, kept;

	open_side(ex->workspace.fd, xstrdup(path), &live);
	open_kept(t, &r->ops, path, &kept);
	/* A directory that stays has another mode; what cannot be read is
	 * not told of. */
	if (live.side.dir != -1 || kept.side.dir != -1)
		(void)changes_add(c, path, &live.side, &kept.side);
	close_side(&live);
	close_side(&kept);
}

static void
add_mode(struct changes *c, const json_t *change, const struct ops *ops)
{
	json_t *back = json_deep_copy(change);

	for (size_t i = 0; i < ops->count; i++) {
		const struct op *o = &ops->items[i];

		if (o->kind == OP_META && pathjson_is(change, o->path))
			json_object_set_new(back, "mode",
			    json_sprintf("%04o", o->old_mode & 07777));
	}
	json_array_append_new(c->list, back);
}

void
undo_describe(struct executor *ex, const struct txn *t, const struct record *r,
    json_t *outcome)
{
	const json_t *change;
	struct changes c;
	size_t i;

	changes_open(&c, (size_t)ex->settings->summaries.diff_bytes);
	c.beat = executor_beat;
	c.beat_owner = ex;
	c.unlisted = (size_t)json_integer_value(
	    json_object_get(r->outcome, "changes_unlisted"));
	json_array_foreach (json_object_get(r->outcome, "changes"), i, change) {
		const char *op =
		    json_string_value(json_object_get(change, "op"));
		char *path = pathjson_take(change);

		if (op != NULL && strcmp(op, "mode") == 0)
			add_mode(&c, change, &r->ops);
		else if (op != NULL && path != NULL)
			add(ex, &c, t, r, path);
		free(path);
		if (i % 100 == 0)
			executor_beat(ex);
	}
	changes_describe(&c, outcome);
	changes_close(&c);
}
