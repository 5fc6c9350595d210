/* SPDX-License-Identifier: ISC */
/*
 * The spool's directories: their names, modes and descriptors. The only code
 * that spells them. patchflow-spool(5) lists who puts, moves and reads each.
 * Made at start and again when missing; a directory that is a symlink or of a
 * foreign owner is refused (ELOOP, ENOTDIR, EPERM).
 *
 * Rights are set here, at every open, by root or the spool's owner: all is
 * the owner's (of SPOOL; tree_begin's user's, else user patchflow's, where
 * root makes it), 2750, group patchflow; inbox/{tmp,new}, alerts/{tmp,new} and
 * QUEUE/requests/ask/{tmp,new} 3770, group patchflow-submit, and then what is
 * above them 2751 so that its members get there. Groups that do not exist
 * change nothing. For a user without rights on a directory its descriptor is
 * -1.
 */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#include <sys/types.h>
#include <limits.h>
#include <stddef.h>
#include "common/key.h"
#include "common/spool.h"

/* Life-cycle order: a KEY is looked for in this order. */
enum queue_dir {
	Q_PATCHES,
	Q_HELD,
	Q_RUNNING,
	Q_COMPLETED,
	Q_FAILED,
	Q_ARCHIVE,
	Q_TMP,
	Q__MAX
};

enum box_dir { BOX_TMP, BOX_NEW, BOX_CUR, BOX_DONE, BOX__MAX };

enum summary_dir { S_READY, S_TMP, S_COMPLETED, S_FAILED, S_BACKUP, S__MAX };

/* tmp new cur done: inbox, requests, outcomes, alerts. */
struct box {
	int dir[BOX__MAX];
};

struct queue_tree {
	char name[QUEUE_MAX + 1];
	const struct tree *tree; /* where it stays until tree_close */
	int base;                /* SPOOL/QUEUE */
	int dir[Q__MAX];
	struct box requests; /* of root and the spool's owner */
	struct box asks;     /* of everybody else: approvers */
	struct box outcomes;
	int summaries[S__MAX];
};

struct tree {
	int root;
	struct box inbox;
	struct box alerts; /* and alerts/dead, alerts/requests */
	int alerts_dead;
	int alerts_requests;
	int bad;
	int corrupt;
	int ids;
	int ids_pending;
	int journal;
	int state; /* state/NAME is made by tree_state */
	int run;
	int lock; /* held while opening */
	uid_t owner;
	gid_t group; /* (gid_t)-1: leave as they are */
	gid_t submit;
	size_t queue_count;
	struct queue_tree *queues;
	char path[PATH_MAX]; /* last: most of it is never touched */
};

/* "patches", "patches/.held", ... for messages and watches. */
extern const char *const queue_dir_path[Q__MAX];
extern const char *const box_dir_name[BOX__MAX];
extern const char *const summary_dir_path[S__MAX];
/* "queued", "held", "running", "completed", "failed", "archived", "". */
extern const char *const queue_dir_state[Q__MAX];

/* Where root is about to make the spool: makes SPOOL for the configured user
 * and its group. "" or no such user changes nothing. 0, or -1 with errno. */
int tree_begin(const char *path, const char *user);
/*
 * Opens the spool at path, making what is missing. queues are names. 0, or -1
 * with errno and, in why (PATH_MAX), the path that failed.
 */
int tree_open(struct tree *t, const char *path, const char *const *queues,
    size_t count, char *why);
void tree_close(struct tree *t);
struct queue_tree *tree_queue(struct tree *t, const char *name);
/* An fd of state/NAME with a tmp directory below it, made when missing;
 * *tmp is for spool_replace_json. -1 on error. */
int tree_state(struct tree *t, const char *name, int *tmp);

/*
 * Replaces a directory that has grown beyond min_bytes and is empty now by a
 * fresh one: on most filesystems it would stay that long and slow to read for
 * ever. dir is a descriptor of t that fills and empties (patches, .held, or
 * new or cur of a box), and the caller the one process that moves files out
 * of it. Puts go on meanwhile: what comes into the old one is moved over. 1
 * replaced, 0 not needed, -1.
 *
 * Descriptors keep their numbers; those of other processes go on meaning the
 * old directory until tree_refresh. A put into a directory that is gone is
 * refused with ENOENT: refresh and put again (tree_put_json, ids_accept,
 * alert_raise and request_put do).
 */
#define TREE_GIANT (4 << 20) /* bytes: some 50,000 names */
int tree_renew(struct tree *t, int dir, off_t min_bytes);
/*
 * Looks whether each descriptor still is the directory of its name, and opens
 * those that are not again, under the same number: how many, or -1. A stat a
 * directory: once a turn is cheap enough.
 */
int tree_refresh(const struct tree *t);
/* Only those that the outcomes of one queue pass through. */
int tree_refresh_outcomes(const struct queue_tree *q);
/* spool_put_json into a directory of t that another process may renew. */
enum spool_answer tree_put_json(const struct tree *t, const int *box,
    const char *name, const json_t *doc) __attribute__((warn_unused_result));

/*
 * Moves a file that cannot be trusted to corrupt/WHAT.NAME.UNIQUE, where
 * nothing deletes it. what says where it was: "patches", "outcomes".
 */
enum spool_answer tree_set_aside(struct tree *t, int dir, const char *what,
    const char *name) __attribute__((warn_unused_result));

/*
 * Where is KEY? Looks at names first (every digit, attempts from `from` to the
 * first without an outcome), then lists, excluding renewals. Fills found and
 * returns the directory, or Q__MAX: nowhere (errno 0), or an error (errno).
 * Highest attempt wins.
 */
enum queue_dir tree_find_key(const struct queue_tree *q, const char *key,
    int from, struct queue_name *found);
/* BOX_NEW, BOX_CUR or BOX_DONE holds the outcome of KEY,ATTEMPT; BOX__MAX. */
enum box_dir tree_find_outcome(const struct queue_tree *q, const char *key,
    int attempt);

#endif
