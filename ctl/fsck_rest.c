/* SPDX-License-Identifier: ISC */
/* fsck of what is no queue: ids, boxes, tmp directories, locks, strangers. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/left.h"
#include "common/spool.h"
#include "common/tree.h"
#include "ctl/control.h"
#include "ctl/fsck.h"

#define TMP_AGE_MS (INT64_C(3600) * 1000) /* a younger one has a writer */
#define PENDING_US (INT64_C(60) * 1000000)

static void
check_settled(struct fsck *f, const struct ids_entry *e)
{
	struct queue_tree *q = tree_queue(&f->c->t, e->queue);
	int64_t age_ms = (clock_wall_us() - key_time_us(e->key)) / 1000;
	struct queue_name found;
	int attempt;

	/* retention takes the patch, and then its outcome, but not its id */
	if (q == NULL || age_ms >= f->c->s.retention.completed_age)
		return;
	for (attempt = e->attempt; attempt < e->attempt + 8; attempt++)
		if (tree_find_outcome(q, e->key, attempt) != BOX__MAX)
			return;
	errno = 0;
	if (tree_find_key(q, e->key, e->attempt, &found) == Q__MAX &&
	    errno == 0)
		fsck_say(f, FSCK_WRONG, "ids",
		    "%s in %s was accepted and is in no state", e->key,
		    e->queue);
}

static int
check_entry(void *owner, const char *h, const struct ids_entry *e)
{
	struct fsck *f = owner;

	f->files++;
	if (e == NULL) {
		fsck_say(f, FSCK_WRONG, "ids", "%s is no entry of ours", h);
		return 0;
	}
	if (!e->pending) {
		check_settled(f, e);
		return 0;
	}
	if (clock_wall_us() - key_time_us(e->key) > PENDING_US)
		fsck_say(f, FSCK_NOTE, "ids/pending",
		    "%s in %s: the bridge's next start ends it", e->key,
		    e->queue);
	return 0;
}

void
fsck_ids(struct fsck *f)
{
	if (ids_walk(&f->c->t, check_entry, f) == -1)
		fsck_say(f, FSCK_WRONG, "ids", "%s", strerror(errno));
}

static void
check_tmp(struct fsck *f, int dir, const char *place)
{
	struct spool_names names;
	struct stat st;
	size_t i;
	int swept = f->repair ? spool_sweep_tmp(dir, TMP_AGE_MS) : 0;

	if (swept > 0)
		fsck_say(f, FSCK_MENDED, place, "%d abandoned files removed",
		    swept);
	if (spool_list(dir, 0, &names) == -1)
		return;
	for (i = 0; i < names.count; i++) {
		f->files++;
		/* by ctime, as the sweep: nobody can backdate that */
		if (fstatat(dir, names.names[i], &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    clock_wall_us() / 1000 - (int64_t)st.st_ctim.tv_sec * 1000 >
			TMP_AGE_MS)
			fsck_say(f, FSCK_NOTE, place,
			    "%s is left over, and goes once its writer is gone",
			    names.names[i]);
	}
	spool_names_free(&names);
}

static void
check_tmps(struct fsck *f)
{
	struct tree *t = &f->c->t;
	struct queue_tree *q;
	char *place;
	size_t i, n;

	check_tmp(f, t->inbox.dir[BOX_TMP], "inbox/tmp");
	check_tmp(f, t->alerts.dir[BOX_TMP], "alerts/tmp");
	for (i = 0; i < t->queue_count; i++) {
		q = &t->queues[i];
		const struct {
			int dir;
			const char *name;
		} tmps[] = {{q->dir[Q_TMP], "patches/.tmp"},
		    {q->requests.dir[BOX_TMP], "requests/tmp"},
		    {q->asks.dir[BOX_TMP], "requests/ask/tmp"},
		    {q->outcomes.dir[BOX_TMP], "outcomes/tmp"},
		    {q->summaries[S_TMP], "summaries/.tmp"}};

		for (n = 0; n < sizeof(tmps) / sizeof(tmps[0]); n++) {
			place = xasprintf("%s/%s", q->name, tmps[n].name);
			check_tmp(f, tmps[n].dir, place);
			free(place);
		}
	}
}

/* Files of ours that anybody may have put: alerts, requests. */
static void
check_box(struct fsck *f, int dir, const char *place)
{
	struct spool_names names;
	struct spool_file file;
	json_t *doc;
	size_t i;

	if (spool_list(dir, 0, &names) == -1)
		return;
	for (i = 0; i < names.count; i++) {
		f->files++;
		if (spool_read(dir, names.names[i], SPOOL_FILE_MAX, true,
			&file) != 1)
			continue;
		doc = spool_check(file.bytes, file.len);
		if (doc == NULL)
			fsck_bad_file(f, dir, place, NULL, names.names[i]);
		json_decref(doc);
		spool_file_free(&file);
	}
	spool_names_free(&names);
}

static void
check_boxes(struct fsck *f)
{
	struct tree *t = &f->c->t;
	char *place;
	size_t i;
	int d;

	for (d = BOX_NEW; d <= BOX_DONE; d++) {
		place = xasprintf("alerts/%s", box_dir_name[d]);
		check_box(f, t->alerts.dir[d], place);
		free(place);
	}
	check_box(f, t->alerts_dead, "alerts/dead");
	for (i = 0; i < t->queue_count; i++)
		for (d = BOX_NEW; d <= BOX_DONE; d++) {
			place = xasprintf("%s/requests/%s", t->queues[i].name,
			    box_dir_name[d]);
			check_box(f, t->queues[i].requests.dir[d], place);
			free(place);
			place = xasprintf("%s/requests/ask/%s",
			    t->queues[i].name, box_dir_name[d]);
			check_box(f, t->queues[i].asks.dir[d], place);
			free(place);
		}
}

static bool
is_known(const struct tree *t, const char *name)
{
	static const char *const own[] = {"inbox", "bad", "corrupt", "alerts",
	    "ids", "journal", "state", "run"};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	for (i = 0; i < t->queue_count; i++)
		if (strcmp(name, t->queues[i].name) == 0)
			return true;
	return false;
}

static void
check_top(struct fsck *f)
{
	struct spool_names names;
	size_t i;

	if (spool_list(f->c->t.root, 0, &names) == -1)
		return;
	for (i = 0; i < names.count; i++)
		if (!is_known(&f->c->t, names.names[i]))
			fsck_say(f, FSCK_NOTE, names.names[i],
			    "is neither ours nor a queue of the "
			    "configuration");
	spool_names_free(&names);
	if (spool_list(f->c->t.corrupt, 0, &names) == -1)
		return;
	if (names.count > 0)
		fsck_say(f, FSCK_NOTE, "corrupt", "%zu files were set aside",
		    names.count);
	spool_names_free(&names);
}

/* NAME.lock in run: the kernel drops a lock with its process, so one without
 * a holder is only a file; what counts is a holder that is not its pid. */
static void
check_locks(struct fsck *f)
{
	struct spool_names names;
	char *instance;
	size_t i, len;
	long pid;

	if (spool_list(f->c->t.run, 0, &names) == -1)
		return;
	for (i = 0; i < names.count; i++) {
		len = strlen(names.names[i]);
		if (len <= 5 || strcmp(names.names[i] + len - 5, ".lock") != 0)
			continue;
		instance = xstrndup(names.names[i], len - 5);
		pid = control_pid(f->c, instance);
		if (control_is_running(f->c, instance) && pid > 0 &&
		    kill((pid_t)pid, 0) == -1 && errno == ESRCH)
			fsck_say(f, FSCK_WRONG, "run",
			    "%s is held, but its process %ld is gone",
			    names.names[i], pid);
		free(instance);
	}
	spool_names_free(&names);
}

static void
say_left(void *owner, const struct left *l)
{
	char *words = left_words(l);

	fsck_say(owner, FSCK_WRONG, l->queue, "%s", words);
	free(words);
}

static void
check_left(struct fsck *f)
{
	if (left_find(&f->c->t, f->c->s.summaries.destination_count > 0,
		say_left, f) == -1)
		fsck_say(f, FSCK_WRONG, "spool", "%s", strerror(errno));
}

void
fsck_rest(struct fsck *f)
{
	check_tmps(f);
	check_boxes(f);
	check_locks(f);
	check_top(f);
	check_left(f);
}
