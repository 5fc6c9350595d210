/* SPDX-License-Identifier: ISC */
/*
 * Acceptance and its recovery. ids.h has the order; here each step says what
 * a crash right behind it leaves, and recovery is the same steps again.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ids_part.h"
#include "common/sys.h"

#define ENTRY_MODE 02750
#define DIGITS 10

/* Where the document of an entry is staged and goes to. */
struct place {
	struct queue_tree *queue;
	int tmp;
	int dst;
	char name[NAME_SIZE];
};

static void
place_of(struct queue_tree *q, const struct ids_entry *e, enum ids_dst dst,
    int digit, struct place *p)
{
	struct queue_name n = {.digit = digit, .attempt = e->attempt};

	p->queue = q;
	(void)strlcpy(n.key, e->key, sizeof(n.key));
	if (dst == IDS_QUEUE) {
		p->tmp = q->dir[Q_TMP];
		p->dst = q->dir[Q_PATCHES];
		key_queue_file(&n, p->name);
	} else {
		p->tmp = q->outcomes.dir[BOX_TMP];
		p->dst = q->outcomes.dir[BOX_NEW];
		key_outcome_file(e->key, e->attempt, p->name);
	}
}

/*
 * Is the file name in dir the document of e? One that cannot be read as ours
 * counts: it is about to be set aside, with a summary of its own. 1, 0, -1.
 */
static int
is_of_entry(int dir, const char *name, const struct ids_entry *e)
{
	json_t *doc;
	const char *digest;
	int found = spool_read_json(dir, name, &doc);

	if (found == -1)
		return errno == EBADMSG || errno == EPERM || errno == EFBIG
			   ? 1
			   : -1;
	digest = json_string_value(json_object_get(doc, "digest"));
	if (found == 1)
		found = digest != NULL && strcmp(digest, e->digest) == 0;
	json_decref(doc);
	return found;
}

/*
 * Was the document of e published, wherever it is by now? An operator's retry
 * of an older revision may have taken its attempt number, so the digest
 * decides. 1, 0, -1.
 */
static int
published(const struct queue_tree *q, const struct ids_entry *e)
{
	char name[NAME_SIZE];
	struct queue_name n;
	enum queue_dir where = tree_find_key(q, e->key, e->attempt, &n);
	enum box_dir box;
	int is = 0;

	if (where == Q__MAX && errno != 0)
		return -1;
	if (where != Q__MAX) {
		key_queue_file(&n, name);
		is = is_of_entry(q->dir[where], name, e);
	}
	if (is != 0)
		return is;
	box = tree_find_outcome(q, e->key, e->attempt);
	if (box == BOX__MAX)
		return 0;
	key_outcome_file(e->key, e->attempt, name);
	return is_of_entry(q->outcomes.dir[box], name, e);
}

/* The directory of an entry, made where it is missing: fd or -1. */
static int
split_dir(struct tree *t, const char *name)
{
	char split[3] = {name[0], name[1], '\0'};

	return spool_make(t->ids, split, ENTRY_MODE) == -1
		   ? -1
		   : spool_dir(t->ids, split);
}

/* Step 4. What is between here and step 5 is a duplicate for the source. */
static enum spool_answer
move_entry(struct tree *t, const char *name)
{
	enum spool_answer answer = SPOOL_UNKNOWN;
	int dir = split_dir(t, name), err;

	if (dir == -1)
		return SPOOL_UNKNOWN;
	/* pending is not synced: an entry that comes back is recovered, and
	 * finds itself done. */
	if (sys_renameat2(t->ids_pending, name, dir, name, RENAME_NOREPLACE) ==
		0 &&
	    sys_fsync(dir) == 0)
		answer = SPOOL_DONE;
	err = errno;
	(void)close(dir);
	errno = err;
	return answer;
}

int
ids_note(struct tree *t, const char *id, const struct ids_entry *e)
{
	char name[IDS_NAME_SIZE], target[IDS_TARGET_SIZE];
	struct ids_entry entry = *e, *list;
	int count = ids_lookup(t, e->queue, id, &list);
	int dir, answer = -1;
	bool same;

	if (count == -1)
		return -1;
	same = count > 0 && list[count - 1].attempt == e->attempt &&
	       strcmp(list[count - 1].digest, e->digest) == 0;
	free(list);
	if (same)
		return 0;
	entry.rev = count + 1;
	ids_name(e->queue, id, entry.rev, name);
	ids_target(&entry, target);
	dir = split_dir(t, name);
	if (dir == -1)
		return -1;
	if (sys_symlinkat(target, dir, name) == 0)
		answer = sys_fsync(dir);
	(void)close(dir);
	return answer;
}

/* Takes back steps 1 and 2, after which nothing was visible. */
static enum spool_answer
take_back(struct tree *t, const struct place *p, const char *entry,
    enum spool_answer answer)
{
	int err = errno;

	(void)sys_unlinkat(p->tmp, p->name, 0);
	if (entry != NULL)
		(void)sys_unlinkat(t->ids_pending, entry, 0);
	errno = err;
	return answer;
}

/* Step 3; a file of that name that is this very document is as good. */
static enum spool_answer
publish(const struct place *p, const struct ids_entry *e)
{
	enum spool_answer answer = spool_publish(p->tmp, p->dst, p->name);

	/* The destination was renewed since we opened it. */
	if (answer == SPOOL_REFUSED && errno == ENOENT &&
	    tree_refresh(p->queue->tree) > 0)
		answer = spool_publish(p->tmp, p->dst, p->name);
	if (answer != SPOOL_EXISTS)
		return answer;
	if (is_of_entry(p->dst, p->name, e) == 1) {
		(void)sys_unlinkat(p->tmp, p->name, 0);
		return SPOOL_DONE;
	}
	errno = EEXIST;
	return SPOOL_EXISTS;
}

/* Steps 1 to 4 of a new entry. */
static enum spool_answer
accept_new(const struct ids_accept *a, const struct place *p, const char *name)
{
	struct tree *t = a->tree;
	char target[IDS_TARGET_SIZE];
	enum spool_answer answer;

	answer = spool_stage_json(p->tmp, p->name, a->doc);
	if (answer != SPOOL_DONE)
		return answer;
	ids_target(a->entry, target);
	if (sys_symlinkat(target, t->ids_pending, name) == -1)
		return take_back(t, p, NULL, SPOOL_REFUSED);
	if (sys_fsync(t->ids_pending) == -1)
		return take_back(t, p, name, SPOOL_REFUSED);
	answer = publish(p, a->entry);
	if (answer == SPOOL_REFUSED || answer == SPOOL_EXISTS)
		return take_back(t, p, name, answer);
	if (answer == SPOOL_UNKNOWN)
		return answer;
	return move_entry(t, name);
}

/* The same entry is pending from an earlier call: what is left of it. */
static enum spool_answer
accept_again(const struct ids_accept *a, const struct place *p,
    const char *name)
{
	int is = published(p->queue, a->entry);
	enum spool_answer answer;

	if (is == -1)
		return SPOOL_UNKNOWN;
	if (is == 0) {
		answer = spool_stage_json(p->tmp, p->name, a->doc);
		/* The entry says that somebody may have seen it. */
		if (answer != SPOOL_DONE ||
		    sys_fsync(a->tree->ids_pending) == -1 ||
		    publish(p, a->entry) != SPOOL_DONE)
			return SPOOL_UNKNOWN;
	} else if (sys_fsync(p->dst) == -1) {
		return SPOOL_UNKNOWN;
	}
	return move_entry(a->tree, name);
}

static bool
same_entry(const struct ids_entry *a, const struct ids_entry *b)
{
	char x[IDS_TARGET_SIZE], y[IDS_TARGET_SIZE];

	ids_target(a, x);
	ids_target(b, y);
	return strcmp(x, y) == 0;
}

static enum spool_answer
taken(void)
{
	errno = EEXIST;
	return SPOOL_EXISTS;
}

/* The entry is in its place: of this call's document, durably? */
static enum spool_answer
accepted(struct tree *t, const char *name, bool same)
{
	char split[3] = {name[0], name[1], '\0'};
	int dir, synced;

	if (!same)
		return taken();
	dir = spool_dir(t->ids, split);
	synced = dir != -1 && sys_fsync(dir) == 0;
	if (dir != -1)
		(void)close(dir);
	return synced ? SPOOL_DONE : SPOOL_UNKNOWN;
}

enum spool_answer
ids_accept(const struct ids_accept *a)
{
	struct queue_tree *q = tree_queue(a->tree, a->entry->queue);
	char name[IDS_NAME_SIZE], path[IDS_NAME_SIZE + 3];
	struct ids_entry e;
	struct place p;
	int found;

	if (q == NULL || !key_is_of(a->entry->key, a->id)) {
		errno = EINVAL;
		return SPOOL_REFUSED;
	}
	place_of(q, a->entry, a->dst, a->digit, &p);
	ids_name(a->entry->queue, a->id, a->entry->rev, name);
	(void)snprintf(path, sizeof(path), "%.2s/%s", name, name);
	found = ids_read(a->tree->ids, path, &e);
	if (found == -1)
		return SPOOL_REFUSED;
	if (found == 1)
		return accepted(a->tree, name, same_entry(&e, a->entry));
	found = ids_read(a->tree->ids_pending, name, &e);
	if (found == -1)
		return SPOOL_REFUSED;
	if (found == 0)
		return accept_new(a, &p, name);
	return same_entry(&e, a->entry) ? accept_again(a, &p, name) : taken();
}

/* The staged file of e, under whatever digit: 1 with its place, 0, -1. */
static int
find_staged(struct queue_tree *q, const struct ids_entry *e, struct place *p)
{
	for (int i = 0; i <= DIGITS; i++) {
		place_of(q, e, i == DIGITS ? IDS_OUTCOME : IDS_QUEUE, i, p);
		if (spool_exists(p->tmp, p->name))
			return 1;
	}
	return 0;
}

/*
 * An operator's retry of an older revision has taken the name while nobody
 * was there. Taken back as ids_accept does it: nobody has seen the document,
 * its source has it still and hands it in again. Waiting for the
 * executor to claim the other file would stop every source while the queue is
 * paused.
 */
static int
give_way(struct queue_tree *q, const struct ids_entry *e, const struct place *p)
{
	int is = published(q, e);

	return is == 0 ? sys_unlinkat(p->tmp, p->name, 0) : is;
}

/* 1 when the staged file of e is published by now, 0 when there was none that
 * is whole, or none that may stay, -1. */
static int
recover_staged(struct queue_tree *q, const struct ids_entry *e)
{
	enum spool_answer answer;
	struct place p;
	json_t *doc;
	int whole;

	if (find_staged(q, e, &p) == 0)
		return 0;
	whole = spool_read_json(p.tmp, p.name, &doc);
	json_decref(doc);
	if (whole == -1 && errno != EBADMSG)
		return -1;
	if (whole != 1) /* torn: its writer never got further */
		return sys_unlinkat(p.tmp, p.name, 0);
	answer = publish(&p, e);
	if (answer == SPOOL_EXISTS)
		return give_way(q, e, &p);
	return answer == SPOOL_DONE ? 1 : -1;
}

/* The entry stands in its place already: a power cut brought this one back. */
static int
drop_copy(struct tree *t, const char *name)
{
	char path[IDS_NAME_SIZE + 3];
	struct ids_entry e;

	(void)snprintf(path, sizeof(path), "%.2s/%s", name, name);
	if (ids_read(t->ids, path, &e) != 1)
		return 0;
	return sys_unlinkat(t->ids_pending, name, 0) == 0 ? 1 : -1;
}

static int
recover_entry(struct tree *t, const char *name, const struct ids_entry *e)
{
	struct queue_tree *q = tree_queue(t, e->queue);
	int is = drop_copy(t, name);

	if (is != 0)
		return is == 1 ? 1 : -1;
	if (q == NULL)
		return 0;
	is = recover_staged(q, e);
	if (is == 0)
		is = published(q, e);
	if (is == 0)
		return sys_unlinkat(t->ids_pending, name, 0) == 0 ? 1 : -1;
	return is == 1 && move_entry(t, name) == SPOOL_DONE ? 1 : -1;
}

struct recovery {
	struct tree *tree;
	int count;
	int err;
};

static void
recover_name(struct recovery *r, const char *name)
{
	struct ids_entry e;
	int found = ids_read(r->tree->ids_pending, name, &e);

	if (found == -1 && errno == EBADMSG)
		found = tree_set_aside(r->tree, r->tree->ids_pending, "pending",
			    name) == SPOOL_REFUSED
			    ? -1
			    : 0;
	if (found == 1)
		found = recover_entry(r->tree, name, &e);
	if (found == 1)
		r->count++;
	if (found == -1 && r->err == 0)
		r->err = errno != 0 ? errno : EIO;
}

int
ids_recover(struct tree *t)
{
	struct recovery r = {.tree = t};
	struct spool_names names;

	/* At most one is left by a crash; more only by failures. */
	if (spool_list(t->ids_pending, 0, &names) == -1)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		recover_name(&r, names.names[i]);
	spool_names_free(&names);
	if (r.count > 0 && sys_fsync(t->ids_pending) == -1 && r.err == 0)
		r.err = errno;
	errno = r.err;
	return r.err == 0 ? r.count : -1;
}
