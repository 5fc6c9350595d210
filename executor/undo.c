/* SPDX-License-Identifier: ISC */
/* Running undo:ID. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/basis.h"
#include "executor/carry.h"
#include "executor/conflict.h"
#include "executor/gitlock.h"
#include "executor/kept.h"
#include "executor/pathjson.h"
#include "executor/settle.h"
#include "executor/undo.h"
#include "executor/utf8.h"

/* Which attempt is to be taken back. */
struct target {
	const char *id;
	const char *key;
	int attempt;
	char txn[NAME_SIZE];
};

static int
read_target(const json_t *patch, struct target *t)
{
	const json_t *doc = json_object_get(patch, "undo");

	t->id = json_string_value(json_object_get(doc, "id"));
	t->key = json_string_value(json_object_get(doc, "key"));
	t->attempt = (int)json_integer_value(json_object_get(doc, "attempt"));
	if (t->id == NULL || t->key == NULL || !key_valid(t->key) ||
	    t->attempt < 1 || t->attempt > ATTEMPT_MAX ||
	    snprintf(t->txn, sizeof(t->txn), "%s,%d", t->key, t->attempt) < 0)
		return -1;
	return 0;
}

bool
undo_is(const json_t *patch)
{
	return json_object_get(patch, "undo") != NULL;
}

/* As commit_check wants them: the same rights are needed on the way back. */
static void
invert(const struct ops *from, struct ops *to)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct op *o = &from->items[i];
		struct op *b;

		if (op_is_object(o))
			continue;
		b = ops_add(to,
		    o->kind == OP_META     ? OP_META
		    : o->kind == OP_DELETE ? OP_PUT
		    : o->old_ino == 0      ? OP_DELETE
					   : OP_PUT,
		    o->path);
		b->old_ino = o->kind == OP_DELETE ? 0
			     : o->kind == OP_PUT  ? o->new_ino
						  : o->old_ino;
		b->old_mode =
		    o->kind == OP_META ? (o->mode & 07777) | S_IFDIR : o->mode;
		b->mode = o->old_mode;
	}
}

static int
check_rights(struct executor *ex, const struct txn *t, const struct record *r,
    struct fault *f)
{
	struct commit c = {.workspace = &ex->workspace,
	    .txn = t,
	    .beat = executor_beat,
	    .owner = ex,
	    .since = {.tv_sec = INT64_MAX},
	    .split_links = true};
	struct ops back = {NULL, 0};
	int answer;

	invert(&r->ops, &back);
	answer = commit_check(&c, &back, f);
	ops_free(&back);
	return answer;
}

/* What the patch left is the base of its undo. */
static json_t *
left_by(const struct record *r)
{
	const json_t *change;
	json_t *bases = json_object();
	size_t i;

	json_array_foreach (json_object_get(r->outcome, "changes"), i, change) {
		char *path = pathjson_take(change);

		if (path != NULL)
			basis_put(bases, path,
			    json_object_get(change, "new_sha256"));
		free(path);
	}
	return bases;
}

static void
note_changed(struct executor *ex, const struct txn *t, const struct record *r,
    const json_t *changed)
{
	struct run *run = &ex->run;
	json_t *bases = left_by(r);
	struct conflict_look l = {.workspace = &ex->workspace,
	    .txn = t,
	    .ops = &r->ops,
	    .bases = bases,
	    .back = true};
	const json_t *entry;
	size_t i;

	if (run->warnings == NULL)
		run->warnings = json_array();
	json_array_foreach (changed, i, entry) {
		const char *why =
		    json_string_value(json_object_get(entry, "why"));
		char *path = pathjson_take(entry);

		json_array_append_new(run->warnings,
		    utf8_format("%s %s", path, why));
		conflict_note(&l, path, why, &run->fault);
		free(path);
	}
	json_decref(bases);
}

static int
refuse_changed(struct executor *ex, const struct txn *t, const struct record *r,
    const json_t *changed)
{
	struct run *run = &ex->run;
	size_t count = json_array_size(changed);

	note_changed(ex, t, r, changed);
	(void)fault_fail(&run->fault, OUTCOME_CONFLICT,
	    "%zu %s changed since: %s%s", count,
	    count == 1 ? "thing has" : "things have",
	    json_string_value(json_array_get(run->warnings, 0)),
	    count > 1 ? ", ..." : "");
	fault_hint(&run->fault, "undo later patches first, the newest before "
				"the others; a patch with a git commit can "
				"only be undone while HEAD is that commit");
	return -1;
}

static int
check_target(struct executor *ex, const struct txn *t, struct record *r)
{
	struct fault *f = &ex->run.fault;
	json_t *changed = json_array();
	int answer = -1;

	if (r->workspace_ino != ex->workspace.st.st_ino)
		(void)fault_fail(f, OUTCOME_CONFLICT,
		    "the workspace is another directory than it was");
	else if (undo_check(ex, t, r, changed) == -1)
		(void)fault_errno(f, OUTCOME_PREPARE,
		    "comparing the workspace");
	else if (json_array_size(changed) > 0)
		(void)refuse_changed(ex, t, r, changed);
	else
		answer = check_rights(ex, t, r, f);
	json_decref(changed);
	return answer;
}

static json_t *
success_doc(struct executor *ex, const struct target *to, const struct txn *t,
    const struct record *r)
{
	struct run *run = &ex->run;
	json_t *doc = outcome_new(&run->job.env, OUTCOME_COMPLETED,
	    OUTCOME_NO_STAGE, OUTCOME_NO_REASON);
	char at[ISO_TIME_SIZE];

	settle_common(ex, doc);
	clock_iso(run->started_us, at);
	json_object_set_new(doc, "started_at", json_string(at));
	clock_iso(clock_wall_us(), at);
	json_object_set_new(doc, "finished_at", json_string(at));
	json_object_set_new(doc, "duration_ms",
	    json_integer(clock_mono_ms() - run->started_ms));
	json_object_set(doc, "description",
	    json_object_get(run->job.patch, "description"));
	undo_describe(ex, t, r, doc);
	json_object_set_new(doc, "undoes",
	    json_pack("{s:s,s:s,s:i}", "id", to->id, "key", to->key, "attempt",
		to->attempt));
	return doc;
}

/* From UNDO on the patch is taken back: recovery would do it too. */
static int
write_record(struct executor *ex, const struct target *to, struct txn *t,
    struct record *r)
{
	struct record undo = *r;
	enum spool_answer a;

	strlcpy(undo.file, ex->run.file, sizeof(undo.file));
	undo.outcome = success_doc(ex, to, t, r);
	a = commit_write_undo(t, &undo);
	json_decref(undo.outcome);
	if (a == SPOOL_DONE)
		return 0;
	if (a == SPOOL_UNKNOWN) {
		executor_hold(ex, "%s: undo record: %s", to->txn,
		    strerror(errno));
		return 1;
	}
	(void)fault_errno(&ex->run.fault, OUTCOME_PREPARE, "the undo record");
	return -1;
}

/* It lies where recovery finds it. Nobody else's git comes in between. */
static int
lock_and_write(struct executor *ex, const struct target *to, struct txn *t,
    struct record *r)
{
	int answer = -1;

	if (gitlock_take(ex, t, &r->ops, &ex->run.fault) == 0 &&
	    check_target(ex, t, r) == 0)
		answer = write_record(ex, to, t, r);
	if (answer != -1)
		return answer;
	if (gitlock_release(&ex->workspace, t) == 0) {
		kept_put(ex, t);
		return -1;
	}
	executor_hold(ex, "%s: git's lock is not released: %s", to->txn,
	    strerror(errno));
	return 1;
}

static int
take_back(struct executor *ex, const struct target *to, struct txn *t,
    struct record *r)
{
	if (settle_sync(ex) == -1)
		return 1;
	if (kept_fetch(ex, to->txn) == -1)
		return fault_errno(&ex->run.fault, OUTCOME_PREPARE,
		    "fetching the kept transaction");
	return lock_and_write(ex, to, t, r);
}

/* Its summary has to be out before its outcome says something else. */
static int
check_state(struct executor *ex, const struct target *t)
{
	enum box_dir box = tree_find_outcome(ex->q, t->key, t->attempt);

	if (box == BOX_DONE || box == BOX__MAX)
		return 0;
	(void)fault_fail(&ex->run.fault, OUTCOME_PREPARE,
	    "the summary of %s is not published yet", t->id);
	ex->run.fault.temporary = true;
	return -1;
}

int
undo_run(struct executor *ex)
{
	struct fault *f = &ex->run.fault;
	struct target to;
	struct txn t;
	struct record r = {0};
	enum commit_state state;
	int answer = -1;

	if (read_target(ex->run.job.patch, &to) == -1)
		return fault_reject(f, OUTCOME_MALFORMED,
		    "it does not say what is to be undone");
	if (check_state(ex, &to) == -1)
		return -1;
	if (kept_open(ex, to.txn, &t) == -1)
		return fault_fail(f, OUTCOME_PREPARE,
		    "what %s replaced is not kept any more "
		    "(retention.transactions_age, transactions_bytes)",
		    to.id);
	if (commit_read(&t, &r, &state) != 1 || state != COMMIT_DONE)
		(void)fault_fail(f, OUTCOME_PREPARE,
		    "the kept transaction of %s cannot be trusted", to.id);
	else
		answer = take_back(ex, &to, &t, &r);
	record_free(&r);
	txn_close(&t);
	if (answer == 0 && carry_on(ex, to.txn) == -1)
		answer = 1;
	return answer;
}

/* Its outcome says undone from now on; where retention has taken that, the
 * record has a copy. */
static json_t *
outcome_of(struct executor *ex, const struct txn *t, const char *name)
{
	json_t *doc = NULL, *record = NULL;

	if (spool_read_json(ex->q->outcomes.dir[BOX_DONE], name, &doc) == 1)
		return doc;
	if (spool_read_json(t->dir, "DONE", &record) == 1)
		doc = json_deep_copy(json_object_get(record, "outcome"));
	json_decref(record);
	return doc;
}

int
undo_mark(struct executor *ex, const struct txn *t, const struct record *r)
{
	struct box *b = &ex->q->outcomes;
	struct target to;
	char name[NAME_SIZE];
	json_t *doc, *undoes = json_object_get(r->outcome, "undoes");
	json_t *patch = json_pack("{s:O}", "undo", undoes);
	enum spool_answer a = SPOOL_DONE;

	if (patch != NULL && read_target(patch, &to) == 0) {
		key_outcome_file(to.key, to.attempt, name);
		doc = outcome_of(ex, t, name);
		json_object_set_new(doc, "state", json_string("undone"));
		json_object_set(doc, "undone_by",
		    json_object_get(r->outcome, "id"));
		a = spool_replace_json(b->dir[BOX_TMP], b->dir[BOX_DONE], name,
		    doc);
		json_decref(doc);
	}
	json_decref(patch);
	if (a == SPOOL_DONE)
		return 0;
	executor_hold(ex, "%s: not marked as undone: %s", t->name,
	    strerror(errno));
	return -1;
}
