/* SPDX-License-Identifier: ISC */
/* What lies in inbox/new, when it may be taken, and the moves of it. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/intake.h"
#include "common/alert.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"

#define INTAKE_NAMES 1024  /* that are listed at once */
#define INTAKE_MS 250      /* for one scan */
#define INTAKE_STUCK 64    /* files in cur that fail before no more are taken */
#define INTAKE_NAME_MAX 64 /* of a dropped file's own name in ours */
#define INTAKE_STATE "inbox.json"
#define INTAKE_FORMAT "patchflow-inbox-1"

static int
box(const struct intake *in, enum box_dir dir)
{
	return in->desk->tree->inbox.dir[dir];
}

void
intake_open(struct intake *in, struct desk *k, bool once)
{
	json_t *doc = NULL;

	memset(in, 0, sizeof *in);
	in->desk = k;
	in->once = once;
	/* Lost, the numbers begin anew and what is stuck is told again. */
	if (state_load(&k->state, INTAKE_STATE, INTAKE_FORMAT, &doc) == 1)
		counts_decode(json_object_get(doc, "counts"), &in->counts);
	stuck_load(in, json_object_get(doc, "stuck"));
	json_decref(doc);
	in->saved = in->counts.documents;
}

void
intake_save(struct intake *in, bool now)
{
	json_t *doc;

	if (!now && in->saved == in->counts.documents)
		return;
	doc = json_pack("{s:s, s:o, s:o}", "format", INTAKE_FORMAT, "counts",
	    counts_encode(&in->counts), "stuck", stuck_list(in));
	if (state_save(&in->desk->state, INTAKE_STATE, doc) == SPOOL_DONE)
		in->saved = in->counts.documents;
	json_decref(doc);
}

void
intake_close(struct intake *in)
{
	intake_save(in, false);
	json_decref(in->stuck_told);
	free(in->waiting);
	in->waiting = NULL;
	in->waiting_count = 0;
}

static int
tell(struct intake *in, const struct alert *given)
{
	struct alert alert = *given;

	alert.component = DESK_NAME;
	if (alert_raise(in->desk->tree, &alert) == SPOOL_DONE)
		return 0;
	log_warn("inbox: no alert %s put", alert.type);
	return -1;
}

/* Letters that are safe in a name and a log line; the rest becomes '_'. */
static void
plain_name(const char *name, char out[INTAKE_NAME_MAX + 1])
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t i;

	for (i = 0; i < INTAKE_NAME_MAX && name[i] != '\0'; i++)
		out[i] = strchr(safe, name[i]) != NULL ? name[i] : '_';
	out[i] = '\0';
}

/* Moves name out of from under a name of its own. */
static enum spool_answer
move_unique(int from, const char *name, int to)
{
	char plain[INTAKE_NAME_MAX + 1];
	char unique[NAME_MAX + 1];

	plain_name(name, plain);
	spool_unique_name(plain, unique, sizeof unique);
	return spool_move(from, name, to, unique);
}

int
intake_tell_file(struct intake *in, const char *type, const char *name,
    const char *why, bool resolved)
{
	char plain[INTAKE_NAME_MAX + 1];
	char *text, *subject;
	struct alert alert = {.type = type,
	    .severity = resolved ? ALERT_INFO : ALERT_ERROR,
	    .resolved = resolved};
	int result;

	plain_name(name, plain);
	subject = xasprintf("inbox/%s", plain);
	text = xasprintf("%s in the inbox: %s", plain, why);
	alert.subject = subject;
	alert.text = text;
	log_warnx("%s", text);
	result = tell(in, &alert);
	free(subject);
	free(text);
	return result;
}

/* In corrupt/ for people, or left where it is; told either way, once. */
static bool
set_aside(struct intake *in, enum box_dir from, const char *name,
    enum told *told)
{
	if (*told != TOLD_HOSTILE &&
	    intake_tell_file(in, "spool-corrupt", name,
		"set aside in corrupt/; a document is a plain file of one "
		"name, no link, FIFO or folder",
		false) == 0)
		*told = TOLD_HOSTILE;
	return *told == TOLD_HOSTILE &&
	       move_unique(box(in, from), name, in->desk->tree->corrupt) ==
		   SPOOL_DONE;
}

static void
put_failed(struct intake *in, const char *name)
{
	char *text = xasprintf("inbox/cur/%s cannot be put into the spool "
			       "(%s); it stays there and is tried again",
	    name, strerror(errno));
	struct alert alert = {.type = "put-failed",
	    .subject = "inbox",
	    .severity = ALERT_CRITICAL,
	    .text = text};

	log_warn("inbox/cur/%s: not put", name);
	in->stuck++;
	if (!in->retry.told)
		in->retry.told = tell(in, &alert) == 0;
	free(text);
}

static void
put_works(struct intake *in)
{
	struct alert alert = {.type = "put-failed",
	    .subject = "inbox",
	    .severity = ALERT_INFO,
	    .text = "documents of the inbox are put again",
	    .resolved = true};

	if (in->retry.delay_ms == 0)
		return;
	if (in->retry.told && tell(in, &alert) == -1)
		return;
	memset(&in->retry, 0, sizeof in->retry);
}

static void
settle(struct intake *in, const char *name)
{
	enum spool_answer answer =
	    spool_move(box(in, BOX_CUR), name, box(in, BOX_DONE), NULL);

	if (answer == SPOOL_EXISTS)
		answer = move_unique(box(in, BOX_CUR), name, box(in, BOX_DONE));
	/* Taken again later, and known by its id then; unless it is gone. */
	if (answer != SPOOL_DONE && errno != ENOENT)
		put_failed(in, name);
}

static void
take_claimed(struct intake *in, const char *name)
{
	enum told told = TOLD_NOTHING;

	if (submission_accept(in, name) == ACCEPT_DONE)
		settle(in, name);
	else if (errno != EPERM || !set_aside(in, BOX_CUR, name, &told))
		put_failed(in, name);
	daemon_beat(in->desk->work, 0, "inbox");
}

/* What a former scan, or a former process, left in cur. */
static void
take_left(struct intake *in)
{
	struct spool_names names;
	bool cut;

	if (!retry_due(&in->retry))
		return;
	if (spool_list(box(in, BOX_CUR), INTAKE_NAMES, &names) == -1) {
		log_warn("inbox/cur: not listed");
		retry_failed(&in->retry);
		return;
	}
	in->stuck = 0;
	for (size_t i = 0; i < names.count && in->stuck < INTAKE_STUCK; i++)
		take_claimed(in, names.names[i]);
	cut = names.cut;
	spool_names_free(&names);
	if (in->stuck > 0)
		retry_failed(&in->retry);
	else if (!cut)
		put_works(in);
}

static void
tell_stuck(struct intake *in, struct waiting *w, const char *what, int error)
{
	if (w->told == TOLD_NOTHING && stuck_tell(in, w->name, what, error))
		w->told = TOLD_STUCK;
}

static bool
claim(struct intake *in, const char *name, enum sight sight)
{
	char plain[INTAKE_NAME_MAX + 1];
	char unique[NAME_MAX + 1];
	const char *to = name;
	enum spool_answer answer;

	/* A dropped file gets a name of its own, so that the same name with
	 * the same content dropped again is a new occurrence. */
	plain_name(name, plain);
	if (sight != SIGHT_CHECKED || strcmp(plain, name) != 0) {
		spool_unique_name(plain, unique, sizeof unique);
		to = unique;
	}
	answer = spool_move(box(in, BOX_NEW), name, box(in, BOX_CUR), to);
	if (answer != SPOOL_DONE && answer != SPOOL_UNKNOWN)
		return false;
	take_claimed(in, to);
	return true;
}

/* True: dealt with; false: *w waits. */
static bool
consider(struct intake *in, struct waiting *w, bool first)
{
	bool ready = waiting_stable(in, w);
	enum sight sight;

	/* A file that is being written is not read at every hint. */
	if (!first && !ready)
		return false;
	sight = waiting_inspect(in, w->name);
	if (sight == SIGHT_UNREADABLE) {
		tell_stuck(in, w, "cannot be read", errno);
		return false;
	}
	if (sight != SIGHT_CHECKED && !ready)
		return false;
	if (sight == SIGHT_HOSTILE) {
		stuck_over(in, w->name, "set aside at last");
		return set_aside(in, BOX_NEW, w->name, &w->told);
	}
	if (claim(in, w->name, sight)) {
		stuck_over(in, w->name, "taken at last");
		return true;
	}
	tell_stuck(in, w, "cannot be moved", errno);
	return false;
}

/* Takes what is ready of the names; *waiting gets the rest of those that were
 * looked at. False: time was up before the last. */
static bool
take_names(struct intake *in, const struct spool_names *names,
    struct waiting *waiting, size_t *count)
{
	int64_t until_ms = clock_mono_ms() + INTAKE_MS;
	bool first;

	for (size_t i = 0; i < names->count; i++) {
		struct waiting *w = &waiting[*count];

		if (clock_mono_ms() >= until_ms)
			return false;
		if (waiting_look(in, names->names[i], w, &first) == -1)
			continue;
		if (in->stuck >= INTAKE_STUCK || !consider(in, w, first))
			(*count)++;
	}
	return true;
}

static enum scan
take_new(struct intake *in)
{
	struct spool_names names;
	struct waiting *waiting;
	size_t count = 0;
	bool more;

	if (spool_list(box(in, BOX_NEW), INTAKE_NAMES + in->waiting_count,
		&names) == -1) {
		log_warn("inbox/new: not listed");
		return SCAN_IDLE;
	}
	waiting = xcalloc(names.count + 1, sizeof *waiting);
	more = !take_names(in, &names, waiting, &count) ||
	       (names.cut && count < names.count);
	spool_names_free(&names);
	free(in->waiting);
	in->waiting = waiting;
	in->waiting_count = count;
	stuck_sweep(in);
	return more ? SCAN_MORE : SCAN_IDLE;
}

enum scan
intake_scan(struct intake *in)
{
	size_t stuck;
	enum scan result;

	take_left(in);
	stuck = in->stuck;
	result = take_new(in);
	if (in->stuck > stuck)
		retry_failed(&in->retry);
	intake_save(in, false);
	return result == SCAN_IDLE && in->retry.delay_ms != 0 ? SCAN_RETRY
							      : result;
}

size_t
intake_unsettled(const struct intake *in)
{
	size_t count = 0;

	for (size_t i = 0; i < in->waiting_count; i++)
		count += in->waiting[i].told == TOLD_NOTHING;
	return count;
}

int64_t
intake_wait(const struct intake *in)
{
	int64_t wait = retry_wait(&in->retry);
	int64_t settle_ms = in->desk->set->bridge.settle;

	if (intake_unsettled(in) > 0 && (wait == -1 || wait > settle_ms))
		wait = settle_ms;
	return wait;
}
