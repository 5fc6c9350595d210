/* SPDX-License-Identifier: ISC */
/* Retention, leftovers, lost directories. */
#include <sys/stat.h>
#include <dirent.h>

#include "bridge/tidy.h"
#include "common/log.h"
#include "common/retain.h"
#include "common/sys.h"

#define STALE_MS (3600ll * 1000) /* of a writer that cannot be asked */

static bool
tidy_box(int dir, int64_t age_ms, int64_t bytes, const char *what)
{
	struct retain retain = {.age_ms = age_ms,
	    .bytes = bytes,
	    .move_to = -1};
	int count = retain_dir(dir, &retain);

	if (count == -1)
		log_warn("%s: not tidied", what);
	else if (count > 0)
		log_info("%s: removed %d old files", what, count);
	return count >= RETAIN_MORE;
}

/* Only we take files out of these two. */
static void
renew(struct tree *tree, enum box_dir box)
{
	int done = tree_renew(tree, tree->inbox.dir[box], TREE_GIANT);

	if (done == -1)
		log_warn("inbox/%s: not renewed", box_dir_name[box]);
	else if (done == 1)
		log_info("inbox/%s: renewed, it had grown", box_dir_name[box]);
}

bool
tidy_boxes(struct desk *k)
{
	const struct retention_settings *keep = &k->set->retention;
	struct tree *tree = k->tree;
	bool more = tidy_box(tree->bad, keep->bad_age, keep->bad_bytes, "bad");

	if (tidy_box(tree->inbox.dir[BOX_DONE], keep->inbox_age,
		keep->inbox_bytes, "inbox/done"))
		more = true;
	renew(tree, BOX_NEW);
	renew(tree, BOX_CUR);
	if (spool_sweep_tmp(tree->inbox.dir[BOX_TMP], STALE_MS) == -1)
		log_warn("inbox/tmp: not swept");
	/* Only we write there, and the lock says that we are alone. */
	if (spool_sweep_tmp(k->state.tmp, 0) == -1)
		log_warn("state/%s/tmp: not swept", DESK_NAME);
	return more;
}

static bool
is_queue_file(const char *name)
{
	struct queue_name n;

	return key_parse_queue_file(name, &n) == 0;
}

static bool
is_outcome_file(const char *name)
{
	char key[KEY_SIZE];
	int attempt;

	return key_parse_outcome_file(name, key, &attempt) == 0;
}

/* Without an fsync: what comes back after a power cut goes again. */
static int
remove_staged(int tmp, bool (*ours)(const char *))
{
	DIR *d = spool_opendir(tmp);
	const char *name;
	int count = 0;

	if (d == NULL)
		return 0;
	while ((name = spool_readdir(d)) != NULL)
		if (ours(name) && sys_unlinkat(tmp, name, 0) == 0)
			count++;
	(void)closedir(d);
	return count;
}

void
tidy_staged(struct desk *k)
{
	int count = 0;

	for (size_t i = 0; i < k->tree->queue_count; i++) {
		struct queue_tree *q = &k->tree->queues[i];

		count += remove_staged(q->dir[Q_TMP], is_queue_file);
		count +=
		    remove_staged(q->outcomes.dir[BOX_TMP], is_outcome_file);
	}
	if (count > 0)
		log_info("removed %d staged files that were not accepted",
		    count);
}

static bool
lost(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && st.st_nlink == 0;
}

bool
tidy_lost(const struct desk *k)
{
	const struct tree *t = k->tree;
	bool gone;

	/* A directory that was replaced is no loss. */
	if (tree_refresh(t) == -1)
		log_warn("%s: not looked through", t->path);
	gone = lost(t->bad) || lost(t->corrupt) || lost(t->ids) ||
	       lost(t->ids_pending) || lost(k->state.dir) || lost(k->state.tmp);
	for (int box = BOX_TMP; box < BOX__MAX; box++)
		gone = gone || lost(t->inbox.dir[box]);
	for (size_t i = 0; i < t->queue_count; i++) {
		const struct queue_tree *q = &t->queues[i];

		gone = gone || lost(q->dir[Q_PATCHES]) || lost(q->dir[Q_TMP]) ||
		       lost(q->outcomes.dir[BOX_NEW]) ||
		       lost(q->outcomes.dir[BOX_TMP]);
	}
	if (gone)
		log_warnx("a directory of the spool was removed: starting "
			  "anew to make it again");
	return gone;
}
