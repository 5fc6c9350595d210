/* SPDX-License-Identifier: ISC */
/* Keeping transactions, and letting them go. */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/spool.h"
#include "common/sys.h"
#include "executor/ballast.h"
#include "executor/clone.h"
#include "executor/displaced.h"
#include "executor/foreign.h"
#include "executor/kept.h"
#include "executor/settle.h"
#include "executor/subtree.h"

#define UNDO_DIR ".undo"
#define ROOM_BYTES (64LL << 20) /* or a tenth of a small filesystem */
#define BEAT_EVERY 20

/* Closes what it opens: p->dir is the folder's. 0 or -1. */
static int
open_folder(struct executor *ex, struct place *p)
{
	if (sys_mkdirat(ex->place.dir, UNDO_DIR, 0700) == -1 && errno != EEXIST)
		return -1;
	if (snprintf(p->path, sizeof(p->path), "%s/" UNDO_DIR,
		ex->place.path) >= (int)sizeof(p->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	p->dir = spool_dir(ex->place.dir, UNDO_DIR);
	return p->dir == -1 ? -1 : 0;
}

static int
visit_size(struct subtree_walk *w, const struct subtree_at *at)
{
	int64_t *bytes = w->owner;

	*bytes += at->st->st_blocks * 512;
	return 0;
}

static int64_t
size_of(struct executor *ex, int dir, const char *name)
{
	int64_t bytes = 0;
	struct subtree_walk w = {.visit = visit_size,
	    .owner = &bytes,
	    .beat = executor_beat,
	    .beat_owner = ex};

	return subtree_walk(&w, dir, name, name) == -1 ? 0 : bytes;
}

/* The record and what was displaced are enough. */
static void
strip(int folder, const char *name)
{
	static const char *const parts[] = {"upper", "work", "tmp", "BEGIN",
	    CLONE_DIRS, FOREIGN_LIST};
	int dir = spool_dir(folder, name);

	for (size_t i = 0; dir != -1 && i < sizeof(parts) / sizeof(parts[0]);
	     i++) {
		if (subtree_remove(dir, parts[i]) == -1)
			log_debug("%s/%s: not removed", name, parts[i]);
	}
	if (dir != -1)
		(void)close(dir);
}

/* Not synced: one that comes back is settled again, and kept again. */
static int
move_in(struct executor *ex, const struct place *p, const char *name)
{
	if (sys_renameat2(ex->place.dir, name, p->dir, name,
		RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EEXIST || subtree_remove(p->dir, name) == -1)
		return -1;
	return sys_renameat2(ex->place.dir, name, p->dir, name,
	    RENAME_NOREPLACE);
}

/* What is left to do of the last one, in the folder. */
static void
finish(struct executor *ex, const struct place *p)
{
	if (ex->unstripped[0] == '\0')
		return;
	strip(p->dir, ex->unstripped);
	ex->kept_bytes += size_of(ex, p->dir, ex->unstripped);
	ex->unstripped[0] = '\0';
}

void
kept_finish(struct executor *ex)
{
	struct place p;

	if (ex->unstripped[0] == '\0' || open_folder(ex, &p) == -1)
		return;
	finish(ex, &p);
	(void)close(p.dir);
}

void
kept_put(struct executor *ex, const struct txn *t)
{
	const struct retention_settings *r = &ex->settings->retention;
	struct place p;

	if (r->transactions_age == 0 || open_folder(ex, &p) == -1) {
		settle_drop(ex, t->name);
		return;
	}
	finish(ex, &p);
	if (move_in(ex, &p, t->name) == 0) {
		(void)strlcpy(ex->unstripped, t->name, sizeof(ex->unstripped));
	} else {
		log_warn("%s: not kept for undo", t->name);
		settle_drop(ex, t->name);
	}
	(void)close(p.dir);
	ex->kept_more = true;
}

void
kept_limit(struct executor *ex)
{
	if (ex->kept_more &&
	    (!ex->kept_known ||
		ex->kept_bytes > ex->settings->retention.transactions_bytes))
		kept_tidy(ex);
	ex->kept_more = false;
}

static int
add_parts(int folder, const char *name)
{
	static const char *const parts[] = {"upper", "work", "tmp"};
	int dir = spool_dir(folder, name), answer = 0;

	if (dir == -1)
		return -1;
	for (size_t i = 0; i < 3 && answer == 0; i++) {
		if (sys_mkdirat(dir, parts[i], 0700) == -1 && errno != EEXIST)
			answer = -1;
	}
	(void)close(dir);
	return answer;
}

int
kept_open(struct executor *ex, const char *name, struct txn *t)
{
	struct place p;
	int answer;

	txn_reset(t);
	if (open_folder(ex, &p) == -1)
		return -1;
	finish(ex, &p);
	answer = add_parts(p.dir, name) == 0 ? txn_open(t, &p, name) : -1;
	(void)close(p.dir);
	return answer;
}

int
kept_fetch(struct executor *ex, const char *name)
{
	struct place p;
	int answer;

	if (open_folder(ex, &p) == -1)
		return -1;
	finish(ex, &p);
	answer =
	    spool_move(p.dir, name, ex->place.dir, NULL) == SPOOL_DONE ? 0 : -1;
	(void)close(p.dir);
	return answer;
}

int
kept_aside(struct executor *ex, int from, const char *name, const char *what)
{
	char kept[NAME_SIZE + 16];
	struct alert a = {.type = "displaced-changed",
	    .component = ex->instance,
	    .subject = name,
	    .severity = ALERT_ERROR,
	    .queue = ex->q->name};
	char *text;

	/* A dot keeps it out of recovery's sight. */
	if (snprintf(kept, sizeof(kept), ".kept-%s", name) < 0 ||
	    sys_renameat2(from, name, ex->place.dir, kept, RENAME_NOREPLACE) ==
		-1 ||
	    sys_fsync(ex->place.dir) == -1)
		return -1;
	text = xasprintf("%s: what was there is kept in %s/%s", what,
	    ex->place.path, kept);
	log_warnx("%s", text);
	a.text = text;
	executor_alert(ex, &a);
	free(text);
	return 0;
}

int
kept_displaced(struct executor *ex, const char *name)
{
	if (kept_aside(ex, ex->place.dir, name,
		"files that others changed while the patch was put into "
		"place") == 0)
		return 0;
	executor_hold(ex, "%s: displaced files not kept aside: %s", name,
	    strerror(errno));
	return -1;
}

/* An editor that had a file open wrote into what we displaced: somebody has
 * to look. */
static bool
rescue(struct executor *ex, const struct place *p, const char *name,
    const char *path)
{
	char *what = xasprintf("%s was written by a process that still had the "
			       "file of before open when the patch replaced it",
	    path);
	bool kept = kept_aside(ex, p->dir, name, what) == 0;

	free(what);
	return kept;
}

static bool
is_late(struct executor *ex, const struct place *p, const char *name)
{
	struct record r = {0};
	enum commit_state state;
	const char *path;
	bool late = false;
	struct txn t;

	txn_reset(&t);
	/* Where it cannot be kept aside it stays here. */
	if (add_parts(p->dir, name) == 0 && txn_open(&t, p, name) == 0 &&
	    commit_read(&t, &r, &state) == 1) {
		path = displaced_late(&t, &r);
		late = path != NULL;
		if (late && !rescue(ex, p, name, path))
			log_warn("%s: not kept aside", name);
		record_free(&r);
	}
	txn_close(&t);
	return late;
}

/* Hidden first: nobody finds half of one. */
static int64_t
let_go(struct executor *ex, const struct place *p, const char *name)
{
	int64_t bytes = size_of(ex, p->dir, name);

	ex->kept_bytes -= bytes;
	if (is_late(ex, p, name))
		return bytes;
	log_info("%s: not kept for undo any longer", name);
	if (txn_drop(p, name) == -1)
		log_warn("%s/%s: not removed", p->path, name);
	settle_note_time(ex, p->dir);
	return bytes;
}

static bool
is_old(const struct executor *ex, const struct place *p, const char *name)
{
	int64_t age = ex->settings->retention.transactions_age;
	char path[NAME_SIZE + 8];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/DONE", name) < 0 ||
	    fstatat(p->dir, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT; /* what is left of one */
	return clock_wall_us() / 1000 - st.st_ctim.tv_sec * 1000 > age;
}

/* Another spool's executor may have used the place as well. */
static bool
is_ours(const struct executor *ex, const char *name)
{
	char key[NAME_SIZE];
	struct queue_name n;
	char *comma;

	(void)strlcpy(key, name, sizeof(key));
	comma = strrchr(key, ',');
	if (comma == NULL)
		return false;
	*comma = '\0';
	return tree_find_key(ex->q, key, 1, &n) != Q__MAX;
}

/* Those that were left behind. */
static size_t
bring(const struct executor *ex, int from, int to)
{
	struct spool_names n = {0};
	size_t left = 0;

	if (spool_list(from, 0, &n) == -1)
		return 1;
	for (size_t i = 0; i < n.count; i++) {
		if (is_ours(ex, n.names[i]) &&
		    sys_renameat2(from, n.names[i], to, n.names[i],
			RENAME_NOREPLACE) == -1)
			left++;
	}
	spool_names_free(&n);
	return left;
}

/* The place of before, or -1: it is gone, somebody uses it, or it is the
 * present one by another name. */
static int
open_left(const struct executor *ex, const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat a, b;

	if (dir == -1)
		return -1;
	if ((flock(dir, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
	    fstat(dir, &a) == 0 && fstat(ex->place.dir, &b) == 0 &&
	    (a.st_dev != b.st_dev || a.st_ino != b.st_ino))
		return dir;
	(void)close(dir);
	return -1;
}

void
kept_bring(struct executor *ex, const char *from)
{
	int old = open_left(ex, from);
	int folder = old != -1 ? spool_dir(old, UNDO_DIR) : -1;
	struct place p = {.dir = -1};

	ex->kept_known = false;
	if (old != -1)
		(void)sys_unlinkat(old, BALLAST, 0);
	if (folder != -1 && open_folder(ex, &p) == 0 &&
	    bring(ex, folder, p.dir) == 0)
		(void)sys_unlinkat(old, UNDO_DIR, AT_REMOVEDIR);
	else if (folder != -1)
		log_warnx("%s/" UNDO_DIR ": patches that are kept there cannot "
			  "be undone from %s: set staging as it was, or "
			  "remove them",
		    from, ex->place.path);
	if (p.dir != -1)
		(void)close(p.dir);
	if (folder != -1)
		(void)close(folder);
	if (old != -1)
		(void)close(old);
}

/* The names begin with the time of arrival: the oldest go first for their size,
 * and each for its age, for one may have waited long and ended late. All are
 * measured, so a tenth more goes than must: else each patch would measure them
 * again. */
static void
tidy_folder(struct executor *ex, const struct place *p,
    const struct spool_names *n)
{
	int64_t limit = ex->settings->retention.transactions_bytes;
	bool known = ex->kept_known;

	ex->kept_known = true;
	ex->kept_bytes = 0;
	for (size_t i = 0; i < n->count; i++) {
		if (i % BEAT_EVERY == 0)
			executor_beat(ex);
		if (!known) /* one that was killed did not come to it */
			strip(p->dir, n->names[i]);
		ex->kept_bytes += size_of(ex, p->dir, n->names[i]);
	}
	if (ex->kept_bytes > limit)
		limit -= limit / 10;
	for (size_t i = 0; i < n->count; i++) {
		if (i % BEAT_EVERY == 0)
			executor_beat(ex);
		if (ex->kept_bytes > limit || is_old(ex, p, n->names[i]))
			(void)let_go(ex, p, n->names[i]);
	}
}

void
kept_tidy(struct executor *ex)
{
	struct spool_names n = {0};
	struct place p;

	if (ex->place.dir == -1 || open_folder(ex, &p) == -1)
		return;
	finish(ex, &p);
	if (txn_sweep(&p) == -1 || spool_list(p.dir, 0, &n) == -1)
		log_warn("%s: retention failed", p.path);
	else
		tidy_folder(ex, &p, &n);
	spool_names_free(&n);
	(void)close(p.dir);
}

static bool
has_room(const struct executor *ex)
{
	struct fsinfo i;

	if (fsinfo_space(ex->place.dir, &i) == -1)
		return true;
	return i.free_bytes >= ROOM_BYTES || i.free_bytes >= i.total_bytes / 10;
}

bool
kept_make_room(struct executor *ex)
{
	struct spool_names n = {0};
	struct place p;
	size_t i = 0;

	if (has_room(ex) || open_folder(ex, &p) == -1)
		return false;
	finish(ex, &p);
	if (spool_list(p.dir, 0, &n) == 0) {
		while (i < n.count && !has_room(ex))
			(void)let_go(ex, &p, n.names[i++]);
	}
	if (i > 0)
		log_warnx("the disk is nearly full: %zu patches cannot be "
			  "undone any more",
		    i);
	spool_names_free(&n);
	(void)close(p.dir);
	return i > 0;
}
