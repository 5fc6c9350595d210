/* SPDX-License-Identifier: ISC */
/* Outcomes, and what follows from them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/outcome.h"
#include "common/sys.h"
#include "common/text.h"
#include "executor/approval.h"
#include "executor/instant.h"
#include "executor/settle.h"

void
settle_common(struct executor *ex, json_t *doc)
{
	/* Recovery comes before the choice. */
	if (!ex->chosen)
		return;
	json_object_set_new(doc, "isolation",
	    json_string(jail_way_name[ex->isolation]));
	json_object_set_new(doc, "durability",
	    json_string(durability_name[ex->durability]));
}

/* A later attempt that went well ends the trouble of the others, whichever
 * it was. */
static void
tell_over(struct executor *ex, const struct outcome *o)
{
	static const char *const types[] = {"patch-failed", "patch-rejected"};
	char *text = xasprintf("%s %s", o->env.id, outcome_words(o));

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		executor_alert(ex, &(struct alert){.type = types[i],
				       .component = ex->instance,
				       .subject = o->env.id,
				       .severity = ALERT_INFO,
				       .text = text,
				       .queue = ex->q->name,
				       .id = o->env.id,
				       .resolved = true});
	free(text);
}

static void
tell(struct executor *ex, const struct outcome *o)
{
	const char *error = json_string_value(json_object_get(o->doc, "error"));
	struct alert a = {.type = o->state == OUTCOME_FAILED ? "patch-failed"
							     : "patch-rejected",
	    .component = ex->instance,
	    .subject = o->env.id,
	    .severity = ALERT_ERROR,
	    .queue = ex->q->name,
	    .id = o->env.id};
	char *text;

	if (o->state == OUTCOME_COMPLETED && o->env.attempt > 1)
		tell_over(ex, o);
	if (o->state != OUTCOME_FAILED && o->state != OUTCOME_REJECTED)
		return;
	if (o->state == OUTCOME_REJECTED)
		a.severity = ALERT_WARNING;
	text = xasprintf("%s %s%s%s", o->env.id, outcome_words(o),
	    error != NULL ? ": " : "", error != NULL ? error : "");
	a.text = text;
	executor_alert(ex, &a);
	free(text);
}

static void
note(struct executor *ex, const struct outcome *o)
{
	json_t *fields = json_object();
	json_t *ms = json_object_get(o->doc, "duration_ms");

	json_object_set_new(fields, "id", json_string(o->env.id));
	json_object_set_new(fields, "queue", json_string(ex->q->name));
	json_object_set_new(fields, "attempt", json_integer(o->env.attempt));
	json_object_set_new(fields, "state",
	    json_string(outcome_state_name[o->state]));
	if (o->stage != OUTCOME_NO_STAGE)
		json_object_set_new(fields, "stage",
		    json_string(outcome_stage_name[o->stage]));
	if (o->reason != OUTCOME_NO_REASON)
		json_object_set_new(fields, "reason",
		    json_string(outcome_reason_name[o->reason]));
	if (ms != NULL)
		json_object_set(fields, "duration_ms", ms);
	journal_write(&ex->journal, "settled", fields);
	log_info("%s: %s, attempt %d", o->env.key, outcome_words(o),
	    o->env.attempt);
}

static enum queue_dir
end_dir(const struct outcome *o)
{
	return o->state == OUTCOME_COMPLETED || o->state == OUTCOME_UNDONE
		   ? Q_COMPLETED
		   : Q_FAILED;
}

/* Gone from where it was is settled before; taken in the end directory by
 * the same name likewise. */
static int
move_file(struct executor *ex, enum queue_dir from, const char *file,
    enum queue_dir to)
{
	enum spool_answer a;

	if (from == Q_RUNNING) {
		a = spool_shift(ex->q->dir[from], file, ex->q->dir[to], NULL);
		ex->unsynced = ex->unsynced || a == SPOOL_DONE;
	} else {
		a = spool_move(ex->q->dir[from], file, ex->q->dir[to], NULL);
	}
	if (a == SPOOL_DONE || (a == SPOOL_REFUSED && errno == ENOENT))
		return 0;
	if (a == SPOOL_EXISTS &&
	    spool_remove(ex->q->dir[from], file) == SPOOL_DONE)
		return 0;
	executor_hold(ex, "%s: not moved to %s: %s", file, queue_dir_path[to],
	    strerror(errno));
	return -1;
}

bool
settle_in_order(const struct executor *ex)
{
	return ex->ordered && ex->recovered;
}

int
settle_sync(struct executor *ex)
{
	if (!ex->unsynced || settle_in_order(ex))
		return 0;
	if (sys_fsync(ex->q->dir[Q_RUNNING]) == -1) {
		executor_hold(ex, "%s: not synced: %s",
		    queue_dir_path[Q_RUNNING], strerror(errno));
		return -1;
	}
	ex->unsynced = false;
	return 0;
}

void
settle_draft(struct executor *ex, const json_t *doc)
{
	/* With our pid in it: what a crash leaves is swept at the start. */
	spool_unique_name("tmp", ex->draft, sizeof(ex->draft));
	if (spool_draft_json(ex->q->outcomes.dir[BOX_TMP], ex->draft, doc) !=
	    SPOOL_DONE)
		ex->draft[0] = '\0';
}

void
settle_sync_draft(struct executor *ex)
{
	int (*sync)(int, const char *) =
	    settle_in_order(ex) ? spool_flush_name : spool_sync;

	if (ex->draft[0] != '\0' &&
	    sync(ex->q->outcomes.dir[BOX_TMP], ex->draft) == -1)
		settle_undraft(ex);
}

void
settle_undraft(struct executor *ex)
{
	if (ex->draft[0] != '\0' &&
	    sys_unlinkat(ex->q->outcomes.dir[BOX_TMP], ex->draft, 0) == -1)
		log_debug("%s: not removed", ex->draft);
	ex->draft[0] = '\0';
	ex->shown = SHOWN_NOT;
}

void
settle_show(struct executor *ex, const json_t *doc)
{
	const int *box = ex->q->outcomes.dir;
	char name[NAME_SIZE];
	struct outcome o;

	/* Decoding takes a reference and changes nothing. */
	if (ex->draft[0] == '\0' ||
	    outcome_decode((json_t *)(uintptr_t)doc, &o) == -1)
		return;
	key_outcome_file(o.env.key, o.env.attempt, name);
	if (spool_shift(box[BOX_TMP], ex->draft, box[BOX_NEW], name) ==
	    SPOOL_DONE) {
		ex->draft[0] = '\0';
		ex->shown = SHOWN;
	}
	outcome_free(&o);
}

static int
sync_box(struct executor *ex, enum box_dir box)
{
	if (sys_fsync(ex->q->outcomes.dir[box]) == 0)
		return 0;
	executor_hold(ex, "outcomes/%s: not synced: %s", box_dir_name[box],
	    strerror(errno));
	return -1;
}

int
settle_sync_shown(struct executor *ex)
{
	if (ex->shown != SHOWN)
		return 0;
	if (!settle_in_order(ex) && sync_box(ex, BOX_NEW) == -1)
		return -1;
	ex->shown = SHOWN_DURABLE;
	return 0;
}

static int
put_outcome(struct executor *ex, const struct outcome *o, bool *first)
{
	char name[NAME_SIZE];
	enum spool_answer a;
	enum box_dir box;

	*first = ex->shown == SHOWN_DURABLE;
	ex->shown = SHOWN_NOT;
	if (*first)
		return 0;
	box = tree_find_outcome(ex->q, o->env.key, o->env.attempt);
	/* Whoever put it may have died before it was synced. */
	*first = box == BOX__MAX;
	if (!*first)
		return sync_box(ex, box);
	key_outcome_file(o->env.key, o->env.attempt, name);
	if (settle_sync(ex) == -1)
		return -1;
	a = tree_put_json(ex->tree, ex->q->outcomes.dir, name, o->doc);
	if (a == SPOOL_DONE || a == SPOOL_EXISTS)
		return 0;
	executor_hold(ex, "%s: outcome not written: %s", o->env.key,
	    strerror(errno));
	return -1;
}

/* What is kept of a patch while it waits or runs. */
static void
close_patch(struct executor *ex, const struct envelope *env)
{
	approval_close(ex, env->key, env->id);
	tries_forget(&ex->state, env->key);
}

void
settle_close(struct executor *ex, const json_t *doc)
{
	struct outcome o;

	if (outcome_decode((json_t *)(uintptr_t)doc, &o) == -1)
		return;
	close_patch(ex, &o.env);
	outcome_free(&o);
}

int
settle_outcome(struct executor *ex, const json_t *doc, enum queue_dir from,
    const char *file)
{
	struct outcome o;
	bool first;
	int answer = -1;

	/* Decoding takes a reference and changes nothing. */
	if (outcome_decode((json_t *)(uintptr_t)doc, &o) == -1) {
		executor_hold(ex, "%s: outcome is not valid", file);
		return -1;
	}
	if (put_outcome(ex, &o, &first) == -1)
		goto out;
	/* While the file is still here: killed in between, recovery comes by
	 * again and tells; alertd folds the repetition. */
	tell(ex, &o);
	if (move_file(ex, from, file, end_dir(&o)) == 0) {
		close_patch(ex, &o.env);
		ex->work++;
		ex->held_stale = true;
		waits_tell(&ex->waits, o.env.id);
		if (first)
			note(ex, &o);
		answer = 0;
	}
out:
	outcome_free(&o);
	return answer;
}

int
settle_fault(struct executor *ex, const struct envelope *env,
    const struct fault *f, json_t *extra, const struct settle_at *at)
{
	json_t *doc = outcome_new(env, f->state, f->stage, f->reason);
	char now[ISO_TIME_SIZE];
	int answer;

	settle_undraft(ex); /* it tells of a success */
	settle_common(ex, doc);
	fault_describe(f, doc);
	if (extra != NULL)
		json_object_update_missing(doc, extra);
	clock_iso(clock_wall_us(), now);
	if (json_object_get(doc, "finished_at") == NULL)
		json_object_set_new(doc, "finished_at", json_string(now));
	answer = settle_outcome(ex, doc, at->dir, at->file);
	json_decref(doc);
	return answer;
}

/* Recovery knows the key alone. */
static void
note_requeue(struct executor *ex, const char *key, int64_t delay_ms)
{
	const struct run *r = &ex->run;
	bool known = strcmp(r->name.key, key) == 0;

	journal_write(&ex->journal, "requeued",
	    json_pack("{s:o*,s:s,s:s,s:I,s:o*}", "id",
		known ? json_string(r->job.env.id) : NULL, "key", key, "queue",
		ex->q->name, "delay_ms", (json_int_t)delay_ms, "reason",
		known && r->fault.set ? text_json(r->fault.text) : NULL));
}

int
settle_requeue(struct executor *ex, const char *file, const char *key,
    struct tries *t, int64_t delay_ms)
{
	int to = delay_ms > 0 ? Q_HELD : Q_PATCHES;
	enum spool_answer a;

	/* The waiting time first: a held file without one goes at once. */
	if (delay_ms > 0) {
		t->not_before_us = clock_wall_us() + delay_ms * 1000;
		ex->held_any = true;
	}
	if (t->attempt != 0 && tries_save(&ex->state, key, t) != SPOOL_DONE) {
		executor_hold(ex, "%s: state not written: %s", key,
		    strerror(errno));
		return -1;
	}
	a = spool_move(ex->q->dir[Q_RUNNING], file, ex->q->dir[to], NULL);
	if (a != SPOOL_DONE && !(a == SPOOL_REFUSED && errno == ENOENT)) {
		executor_hold(ex, "%s: not requeued: %s", file,
		    strerror(errno));
		return -1;
	}
	ex->index.dirty = true;
	note_requeue(ex, key, delay_ms);
	log_info("%s: requeued, delay %lld ms", key, (long long)delay_ms);
	return 0;
}

void
settle_note_time(struct executor *ex, int dir)
{
	struct stat st;

	if (fstat(dir, &st) == 0 &&
	    instant_is_after(&st.st_ctim, &ex->last_commit))
		ex->last_commit = st.st_ctim;
}

void
settle_drop(struct executor *ex, const char *txn)
{
	if (txn_drop(&ex->place, txn) == -1)
		log_warn("%s: transaction not dropped", txn);
	settle_note_time(ex, ex->place.dir);
}
