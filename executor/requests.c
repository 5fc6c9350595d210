/* SPDX-License-Identifier: ISC */
/*
 * Operators' requests: new -> cur, acted upon, answered in done, cur gone.
 * What is found in cur at start is done again: each verb says of a patch that
 * is already where it should be that all is well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/approver.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/request.h"
#include "executor/approval.h"
#include "executor/executor.h"
#include "executor/settle.h"
#include "executor/tries.h"
#include "executor/undo.h"
#include "executor/utf8.h"

#define TAKE_MAX 256 /* in one pass */
#define ASKS_MAX 16  /* of others: many do not keep patches waiting */
#define REQUEST_BYTES (64u << 10)
#define PAUSE_FORMAT "patchflow-paused-1"

struct answer {
	bool ok;
	char text[256];
};

static void
say(struct answer *a, bool ok, const char *fmt, const char *what)
{
	a->ok = ok;
	/* fmt has one %s at most; each is a literal below. */
	if (snprintf(a->text, sizeof(a->text), "%s%s", fmt, what) < 0)
		a->text[0] = '\0';
}

/* It is what, or could not be made so. */
static void
say_done(struct answer *a, bool done, const char *what)
{
	say(a, done, done ? "" : "the spool cannot be written, so it is not ",
	    what);
}

/* Where the latest revision of id is; Q__MAX where it is unknown. */
static enum queue_dir
find(struct executor *ex, const char *id, struct queue_name *n)
{
	struct ids_entry *list = NULL;
	int count = ids_lookup(ex->tree, ex->q->name, id, &list);
	enum queue_dir dir = Q__MAX;

	if (count > 0)
		dir = tree_find_key(ex->q, list[count - 1].key,
		    list[count - 1].attempt, n);
	free(list);
	return dir;
}

static int
set_hold(struct executor *ex, const struct queue_name *n, bool hold)
{
	struct tries t;

	if (tries_load(&ex->state, n->key, &t) == -1)
		return -1;
	if (t.attempt == 0)
		t.attempt = n->attempt;
	t.operator_hold = hold;
	t.not_before_us = 0;
	return tries_save(&ex->state, n->key, &t) == SPOOL_DONE ? 0 : -1;
}

static bool
move(struct executor *ex, enum queue_dir from, const struct queue_name *n,
    enum queue_dir to, const struct queue_name *as)
{
	char a[NAME_SIZE], b[NAME_SIZE];

	key_queue_file(n, a);
	key_queue_file(as, b);
	ex->index.dirty = true;
	return spool_move(ex->q->dir[from], a, ex->q->dir[to], b) == SPOOL_DONE;
}

/* What nobody holds but the queue's order is not to be forced. */
static void
do_release(struct executor *ex, const struct queue_name *n, struct answer *a)
{
	struct tries t;

	if (tries_load(&ex->state, n->key, &t) == -1)
		say(a, false, "its state cannot be read", "");
	else if (t.operator_hold || t.not_before_us > clock_wall_us())
		say_done(a,
		    set_hold(ex, n, false) == 0 &&
			move(ex, Q_HELD, n, Q_PATCHES, n),
		    "released");
	else if (t.approval.digest[0] != '\0' && !t.approval.granted)
		say(a, false, "it waits for approval; `patchflow approve'", "");
	else
		say(a, true, "it waits for what it depends on", "");
}

static void
do_approve(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_HELD || dir == Q_PATCHES)
		a->ok = approval_grant(ex, r, n.key, a->text);
	else
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static void
do_retry(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n, next;
	enum queue_dir dir = find(ex, r->id, &n);

	next = n;
	if (dir == Q_FAILED) {
		next.attempt++;
		say_done(a, move(ex, dir, &n, Q_PATCHES, &next),
		    "queued again as the next attempt");
	} else if (dir == Q_HELD) {
		do_release(ex, &n, a);
	} else {
		say(a, dir == Q_PATCHES || dir == Q_RUNNING, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	}
}

static void
do_hold(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_PATCHES || dir == Q_HELD) {
		ex->held_any = true;
		say_done(a,
		    set_hold(ex, &n, true) == 0 &&
			(dir == Q_HELD || move(ex, dir, &n, Q_HELD, &n)),
		    "held until retry");
		return;
	}
	say(a, false, "it is ",
	    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static bool
reject(struct executor *ex, enum queue_dir dir, struct queue_name *n,
    const struct request *r)
{
	char file[NAME_SIZE], who[64];
	struct settle_at at = {dir, file};
	struct fault f = {0};
	struct job job;
	json_t *doc = NULL;
	struct tries t;
	bool done = false;

	/* What reading it has done so often is not tried again for this. */
	if (tries_load(&ex->state, n->key, &t) == -1 ||
	    (t.attempt == n->attempt && t.crashes >= CRASHES_MAX))
		return false;
	key_queue_file(n, file);
	hand_take(ex, n->key, n->attempt);
	approval_name(r->uid, who, sizeof(who));
	(void)fault_reject(&f, OUTCOME_BY_OPERATOR, "%s by %s%s%s",
	    r->verb == REQUEST_REJECT ? "not approved" : "cancelled", who,
	    r->reason[0] != '\0' ? ": " : "", r->reason);
	if (spool_read_json(ex->q->dir[dir], file, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		job.env.attempt = n->attempt;
		done = settle_fault(ex, &job.env, &f, NULL, &at) == 0;
		job_free(&job);
	}
	json_decref(doc);
	hand_drop(ex);
	return done;
}

static void
do_reject(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir != Q_HELD && dir != Q_PATCHES)
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	else if (!approval_is_meant(ex, r, n.key, a->text))
		a->ok = false;
	else
		say_done(a, reject(ex, dir, &n, r), "rejected");
}

static void
do_cancel(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_RUNNING && ex->run.active &&
	    strcmp(ex->run.name.key, n.key) == 0) {
		run_kill(ex, RUN_CANCELLED);
		say(a, true, "it is being stopped", "");
	} else if (dir == Q_PATCHES || dir == Q_HELD) {
		ex->index.dirty = true;
		say_done(a, reject(ex, dir, &n, r), "rejected");
	} else {
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
	}
}

static void
do_undo(struct executor *ex, const struct request *r, struct answer *a)
{
	struct queue_name n;
	enum queue_dir dir = find(ex, r->id, &n);

	if (dir == Q_COMPLETED)
		a->ok = undo_ask(ex, r->id, &n, a->text);
	else
		say(a, false, "it is ",
		    dir == Q__MAX ? "not known here" : queue_dir_state[dir]);
}

static void
do_pause(struct executor *ex, const struct request *r, struct answer *a)
{
	json_t *doc = json_pack("{s:s}", "format", PAUSE_FORMAT);

	(void)r;
	say_done(a, state_save(&ex->state, "paused.json", doc) == SPOOL_DONE,
	    "paused");
	ex->paused |= a->ok;
	json_decref(doc);
}

static void
do_resume(struct executor *ex, const struct request *r, struct answer *a)
{
	(void)r;
	say_done(a, state_remove(&ex->state, "paused.json") == SPOOL_DONE,
	    "resumed");
	if (a->ok)
		ex->paused = false;
}

static void (*const verbs[REQUEST__MAX])(struct executor *,
    const struct request *, struct answer *) = {
    [REQUEST_RETRY] = do_retry,
    [REQUEST_HOLD] = do_hold,
    [REQUEST_CANCEL] = do_cancel,
    [REQUEST_APPROVE] = do_approve,
    [REQUEST_REJECT] = do_reject,
    [REQUEST_UNDO] = do_undo,
    [REQUEST_PAUSE] = do_pause,
    [REQUEST_RESUME] = do_resume,
};

/* Only root and the spool's owner could put into the one box; in the other
 * nobody is either of them. */
static bool
may_ask(struct executor *ex, const struct box *b, struct request *r,
    char why[256])
{
	if (b == &ex->q->asks)
		return approver_allow(ex->queue, r, why);
	(void)strlcpy(r->as, r->uid == 0 ? "root" : "owner", sizeof(r->as));
	return true;
}

/* Told with the patch, so that `log ID` shows who asked for what. */
static void
note(struct executor *ex, const char *name, const struct request *r,
    const struct answer *a)
{
	const char *verb =
	    r->verb < REQUEST__MAX ? request_verb_name[r->verb] : "unknown";

	log_info("request %s: %s%s%s by uid %u%s%s: %s, %s", name, verb,
	    r->id[0] != '\0' ? " " : "", r->id, r->uid,
	    r->as[0] != '\0' ? " as " : "", r->as, a->ok ? "done" : "refused",
	    a->text);
	journal_write(&ex->journal, "request",
	    json_pack("{s:s*,s:s,s:s,s:I,s:s,s:b,s:o}", "id",
		r->id[0] != '\0' ? r->id : NULL, "queue", ex->q->name, "verb",
		verb, "uid", (json_int_t)r->uid, "as", r->as, "ok", a->ok,
		"answer", utf8_string(a->text)));
}

/* 0, or -1: it will be done again, so nothing may run in between, or a retry
 * would be one more retry each time. */
static int
answer_in(struct executor *ex, const struct box *b, const char *name,
    const json_t *reply)
{
	if (spool_replace_json(b->dir[BOX_TMP], b->dir[BOX_DONE], name,
		reply) == SPOOL_DONE &&
	    spool_remove(b->dir[BOX_CUR], name) == SPOOL_DONE)
		return 0;
	executor_hold(ex, "request %s: its answer is not written: %s", name,
	    strerror(errno));
	return -1;
}

static void
act(struct executor *ex, const struct box *b, const char *name, uid_t uid,
    const json_t *doc)
{
	struct answer a = {false, "not a request of this version"};
	struct request r = {.verb = REQUEST__MAX};
	json_t *reply;
	bool readable = request_decode(doc, &r) == 0;

	r.uid = uid;
	if (readable && may_ask(ex, b, &r, a.text))
		verbs[r.verb](ex, &r, &a);
	note(ex, name, &r, &a);
	reply = json_deep_copy(doc);
	json_object_set_new(reply, "ok", json_boolean(a.ok));
	json_object_set_new(reply, "answer", utf8_string(a.text));
	(void)answer_in(ex, b, name, reply);
	json_decref(reply);
	status_write(ex);
}

static void
set_aside(struct executor *ex, const struct box *b, const char *name)
{
	const struct alert a = {.type = "spool-corrupt",
	    .component = ex->instance,
	    .subject = name,
	    .severity = ALERT_ERROR,
	    .text = "a request could not be read; it lies in corrupt/",
	    .queue = ex->q->name};

	log_warnx("request %s: set aside", name);
	executor_alert(ex, &a);
	if (tree_set_aside(ex->tree, b->dir[BOX_CUR], "request", name) !=
	    SPOOL_DONE)
		log_warn("request %s: not set aside", name);
}

/* What cannot be looked at may be a cancel, a hold or a pause: nothing runs
 * before it is known. */
static void
hold_for(struct executor *ex, const char *what, int error)
{
	executor_hold(ex, "%s: not read: %s", what, strerror(error));
}

/* 1 with the document and whose it is, read from one descriptor; 0; -1. */
static int
read_request(struct executor *ex, const struct box *b, const char *name,
    uid_t *uid, json_t **doc)
{
	struct spool_file f;
	int found = spool_read(b->dir[BOX_CUR], name, REQUEST_BYTES,
	    b == &ex->q->asks, &f);

	*doc = NULL;
	if (found != 1)
		return found;
	*uid = f.uid;
	*doc = spool_check(f.bytes, f.len);
	spool_file_free(&f);
	if (*doc != NULL)
		return 1;
	errno = EBADMSG;
	return -1;
}

static void
take(struct executor *ex, const struct box *b, const char *name)
{
	json_t *doc;
	uid_t uid;
	int found = read_request(ex, b, name, &uid, &doc);
	int saved = errno;

	if (found == 1)
		act(ex, b, name, uid, doc);
	else if (found == -1 && (saved == EBADMSG || saved == EPERM ||
				    saved == EFBIG || saved == EACCES))
		set_aside(ex, b, name);
	else if (found == -1)
		hold_for(ex, name, saved);
	json_decref(doc);
}

static bool
claim(struct executor *ex, const struct box *b, const char *name)
{
	if (spool_move(b->dir[BOX_NEW], name, b->dir[BOX_CUR], NULL) ==
	    SPOOL_DONE)
		return true;
	/* It lies in one of them still, if nobody took it back. */
	if (errno != ENOENT)
		hold_for(ex, name, errno);
	return false;
}

static void
take_all(struct executor *ex, const struct box *b, enum box_dir from)
{
	struct spool_names n = {0};

	size_t limit = b == &ex->q->asks ? ASKS_MAX : TAKE_MAX;

	if (spool_list(b->dir[from], limit, &n) == -1) {
		hold_for(ex, "requests", errno);
		return;
	}
	for (size_t i = 0; i < n.count; i++) {
		if (from == BOX_CUR || claim(ex, b, n.names[i]))
			take(ex, b, n.names[i]);
	}
	spool_names_free(&n);
}

void
requests_take(struct executor *ex)
{
	take_all(ex, &ex->q->requests, BOX_CUR);
	take_all(ex, &ex->q->requests, BOX_NEW);
	take_all(ex, &ex->q->asks, BOX_CUR);
	take_all(ex, &ex->q->asks, BOX_NEW);
}

void
requests_open(struct executor *ex)
{
	json_t *doc = NULL;

	ex->paused =
	    state_load(&ex->state, "paused.json", PAUSE_FORMAT, &doc) == 1;
	json_decref(doc);
}
