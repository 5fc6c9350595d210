/* SPDX-License-Identifier: ISC */
/*
 * The spool's directories: their names, modes and descriptors. The only code
 * that spells them. patchflow-spool(5) lists who puts, moves and reads each.
 * Made at start and again when missing; a directory that is a symlink or of a
 * foreign owner is refused (ELOOP, ENOTDIR, EPERM).
 *
 * Rights are set here, at every open, by root or the spool's owner: all is
 * the owner's (of SPOOL; user patchflow's where root makes it and there is
 * one), 2750, group patchflow; inbox/{tmp,new} and alerts/{tmp,new} 3770,
 * group patchflow-submit, and then SPOOL, inbox and alerts 2751 so that its
 * members get there. Groups that do not exist change nothing. For a user
 * without rights on a directory its descriptor is -1.
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
	int base; /* SPOOL/QUEUE */
	int dir[Q__MAX];
	struct box requests;
	struct box outcomes;
	int summaries[S__MAX];
};

struct tree {
	int root;
	char path[PATH_MAX];
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
	uid_t owner;
	gid_t group; /* (gid_t)-1: leave as they are */
	gid_t submit;
	size_t queue_count;
	struct queue_tree *queues;
};

/* "patches", "patches/.held", ... for messages and watches. */
extern const char *const queue_dir_path[Q__MAX];
extern const char *const box_dir_name[BOX__MAX];
extern const char *const summary_dir_path[S__MAX];
/* "queued", "held", "running", "completed", "failed", "archived", "". */
extern const char *const queue_dir_state[Q__MAX];

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
 * Moves a file that cannot be trusted to corrupt/WHAT.NAME.UNIQUE, where
 * nothing deletes it. what says where it was: "patches", "outcomes".
 */
enum spool_answer tree_set_aside(struct tree *t, int dir, const char *what,
    const char *name) __attribute__((warn_unused_result));

/*
 * Where is KEY? Looks at names first (every digit, attempts from `from` to
 * from + 7), then lists. Fills found and returns the directory, or Q__MAX
 * when it is nowhere (errno 0) or on error (errno set). Highest attempt wins.
 */
enum queue_dir tree_find_key(const struct queue_tree *q, const char *key,
    int from, struct queue_name *found);
/* BOX_NEW, BOX_CUR or BOX_DONE holds the outcome of KEY,ATTEMPT; BOX__MAX. */
enum box_dir tree_find_outcome(const struct queue_tree *q, const char *key,
    int attempt);

#endif
