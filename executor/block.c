/* SPDX-License-Identifier: ISC */
/* What blocked a record, and whether it will pass. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/spool.h"
#include "executor/basis.h"
#include "executor/block.h"
#include "executor/changes.h"
#include "executor/conflict.h"
#include "executor/pathjson.h"

#define BLOCKED "BLOCKED"
#define BLOCKED_FORMAT "patchflow-blocked-1"

void
block_save(const struct txn *t, const struct block *b)
{
	json_t *doc =
	    json_pack("{s:s,s:i}", "format", BLOCKED_FORMAT, "errno", b->error);

	pathjson_put(doc, b->path);
	if (spool_put_json(t->tmp, t->dir, BLOCKED, doc) != SPOOL_DONE)
		log_warn("%s: the reason is not kept", t->name);
	json_decref(doc);
}

struct block
block_load(const struct txn *t)
{
	struct block b = {"", 0};
	json_t *doc = NULL;
	char *path;

	if (spool_read_json(t->dir, BLOCKED, &doc) == 1) {
		path = pathjson_take(doc);
		strlcpy(b.path, path != NULL ? path : "", sizeof(b.path));
		free(path);
		b.error =
		    (int)json_integer_value(json_object_get(doc, "errno"));
	}
	json_decref(doc);
	return b;
}

bool
block_permanent(int error)
{
	static const int list[] = {EACCES, EPERM, EROFS, ENOTDIR, ENOENT, ELOOP,
	    EXDEV, EISDIR, ENOTEMPTY, EBUSY, ETXTBSY, EMLINK, ENAMETOOLONG,
	    ENOSPC, EDQUOT};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i] == error)
			return true;
	}
	return false;
}

void
block_note(const struct commit *c, const struct record *r, const char *path,
    bool back, struct fault *f)
{
	const json_t *change =
	    changes_find(json_object_get(r->outcome, "changes"), path);
	json_t *bases = json_object();
	struct conflict_look l = {.workspace = c->workspace,
	    .txn = c->txn,
	    .ops = &r->ops,
	    .bases = bases,
	    .back = back};

	if (change != NULL)
		basis_put(bases, path, json_object_get(change, "old_sha256"));
	conflict_note(&l, path, "could not be put into place", f);
	json_decref(bases);
}
