/* SPDX-License-Identifier: ISC */
/*
 * The spool's directories: their names, modes and descriptors. The only code
 * that spells them. patchflow-spool(5) lists who puts, moves and reads each.
 * Made at start and again when missing; a directory that is a symlink or of a
 * foreign owner is refused (EPERM).
 */
#ifndef COMMON_TREE_H
#define COMMON_TREE_H

#include <limits.h>
#include <stddef.h>
#include "common/key.h"

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
 * Where is KEY? Looks at names first (every digit, attempts from `from` to
 * from + 7), then lists. Fills found and returns the directory, or Q__MAX
 * when it is nowhere (errno 0) or on error (errno set). Highest attempt wins.
 */
enum queue_dir tree_find_key(const struct queue_tree *q, const char *key,
    int from, struct queue_name *found);
/* BOX_NEW, BOX_CUR or BOX_DONE holds the outcome of KEY,ATTEMPT; BOX__MAX. */
enum box_dir tree_find_outcome(
    const struct queue_tree *q, const char *key, int attempt);

#endif
