/* SPDX-License-Identifier: ISC */
/*
 * Operators' requests: new -> cur, acted upon, answered in done, cur gone.
 * What is found in cur at start is done again: each verb says of a patch that
 * is already where it should be that all is well.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/approver.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/request.h"
#include "executor/tail.h"
#include "executor/utf8.h"
#include "executor/verbs.h"

#define TAKE_MAX 256 /* in one pass */
#define ASKS_MAX 16  /* of others: many do not keep patches waiting */
#define REQUEST_BYTES (64u << 10)

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
	struct answer a = {.text = "not a request of this version"};
	struct request r = {.verb = REQUEST__MAX};
	json_t *reply;
	bool readable = request_decode(doc, &r) == 0;

	/* What they ask of the last one is answered by its outcome. */
	(void)tail_finish(ex);
	r.uid = uid;
	if (readable && may_ask(ex, b, &r, a.text))
		verbs_do(ex, &r, &a);
	if (a.later)
		return;
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

/* Whose file it is, is asked of the descriptor that it was read from. */
static void
take(struct executor *ex, const struct box *b, const char *name)
{
	struct spool_file f;
	int found = spool_read(b->dir[BOX_CUR], name, REQUEST_BYTES,
	    b == &ex->q->asks, &f);
	uid_t uid = found == 1 ? f.uid : 0;
	json_t *doc = found == 1 ? spool_take_json(&f) : NULL;
	int saved = errno;

	if (doc != NULL)
		act(ex, b, name, uid, doc);
	else if (found != 0 && (saved == EBADMSG || saved == EPERM ||
				   saved == EFBIG || saved == EACCES))
		set_aside(ex, b, name);
	else if (found != 0)
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
	struct quiet *q = &ex->quiet[b == &ex->q->asks][from == BOX_CUR];
	size_t limit = b == &ex->q->asks ? ASKS_MAX : TAKE_MAX;
	struct spool_names n = {0};
	int64_t before_us;
	struct stat st;
	bool looked;

	if (quiet_holds(q, b->dir[from], clock_mono_ms()))
		return;
	before_us = clock_wall_us();
	looked = fstat(b->dir[from], &st) == 0;
	if (spool_list(b->dir[from], limit, &n) == -1) {
		hold_for(ex, "requests", errno);
		return;
	}
	q->until_ms = 0;
	if (looked && n.count == 0)
		quiet_note(q, &st, before_us, clock_mono_ms());
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
