/* SPDX-License-Identifier: ISC */
/* A look into the queues, in a process that may hang. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

#define LOOK_MS 10000
#define OUTCOMES_LOOKED_AT 256

/* Names of patches sort by priority and age: the first is next. */
static void
look_at_patches(const struct queue_tree *q, struct glance *g)
{
	struct spool_names n = {0};
	struct queue_name name;
	size_t i;

	g->known = spool_list(q->dir[Q_PATCHES], GLANCE_NAMES, &n) == 0;
	if (!g->known) {
		log_warn("%s/%s: not listed", q->name,
		    queue_dir_path[Q_PATCHES]);
		return;
	}
	g->depth = n.count;
	for (i = 0; i < n.count; i++) {
		int64_t at;

		if (key_parse_queue_file(n.names[i], &name) == -1)
			continue;
		at = key_time_us(name.key);
		if (g->first[0] == '\0')
			(void)strlcpy(g->first, n.names[i], sizeof g->first);
		if (g->oldest_us == 0 || at < g->oldest_us)
			g->oldest_us = at;
	}
	spool_names_free(&n);
}

static void
look_at_running(const struct queue_tree *q, struct glance *g)
{
	struct spool_names n = {0};

	/* Unknown is not idle. */
	g->is_running =
	    spool_list(q->dir[Q_RUNNING], 1, &n) == -1 || n.count > 0;
	spool_names_free(&n);
}

/* What the executor itself says of its queue: paused by a person, or held for
 * want of something (and then it tries again by itself and has told why). */
static void
look_at_hold(const struct tree *t, const struct queue_tree *q, struct glance *g)
{
	char instance[SERVICE_NAME];
	json_t *doc = NULL;
	const char *hold = NULL;
	int dir;

	(void)snprintf(instance, sizeof instance, "executor@%s", q->name);
	dir = spool_dir(t->state, instance);
	if (dir == -1)
		return;
	if (spool_read_json(dir, "queue.json", &doc) == 1) {
		hold = json_string_value(json_object_get(doc, "hold"));
		g->is_held = json_is_true(json_object_get(doc, "paused")) ||
			     (hold != NULL && hold[0] != '\0');
	}
	json_decref(doc);
	(void)close(dir);
}

/* How many outcomes in dir are older than limit. mtime is when it was
 * written; the renames since have not changed it. */
static size_t
count_old(int dir, int64_t limit_ms)
{
	struct spool_names n = {0};
	int64_t now_us = clock_wall_us();
	struct stat st;
	size_t i, old = 0;

	if (spool_list(dir, OUTCOMES_LOOKED_AT, &n) == -1)
		return 0;
	for (i = 0; i < n.count; i++) {
		if (fstatat(dir, n.names[i], &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (now_us - st.st_mtim.tv_sec * INT64_C(1000000) >
		    limit_ms * 1000)
			old++;
	}
	spool_names_free(&n);
	return old;
}

/* Somebody may have helped with chmod(1) or chown(1); or another directory,
 * or none, has the spool's name now. */
static bool
are_rights_wrong(const struct tree *t)
{
	const int dirs[] = {t->root, t->run, t->state, t->ids, t->journal,
	    t->bad, t->inbox.dir[BOX_CUR]};
	struct stat st, root = {0};
	size_t i;

	(void)fstat(t->root, &root);
	for (i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (dirs[i] != -1 && fstat(dirs[i], &st) == 0 &&
		    (st.st_uid != root.st_uid || (st.st_mode & 0002) != 0))
			return true;
	return stat(t->path, &st) == -1 || st.st_ino != root.st_ino ||
	       st.st_dev != root.st_dev;
}

static int
look(void *watchdog, int out_fd)
{
	struct watchdog *w = watchdog;
	struct glance_book *b = w->check.glance.book;
	int64_t limit_ms = w->settings->watchdog.summary_delay;
	size_t i;

	(void)out_fd;
	for (i = 0; i < w->tree->queue_count && i < GLANCE_QUEUES; i++) {
		const struct queue_tree *q = &w->tree->queues[i];
		struct glance *g = &b->queues[i];

		memset(g, 0, sizeof *g);
		look_at_patches(q, g);
		look_at_running(q, g);
		look_at_hold(w->tree, q, g);
		g->unsummarized =
		    count_old(q->outcomes.dir[BOX_NEW], limit_ms) +
		    count_old(q->outcomes.dir[BOX_CUR], limit_ms);
	}
	b->rights_wrong = are_rights_wrong(w->tree);
	return EXIT_DONE;
}

static void
on_looked(struct errand *h, int status)
{
	struct watchdog *w = h->owner;

	/* One that is late hangs, which is told by who looks at disks. */
	if (status == EXIT_DONE && !w->check.glance.stale && !w->going_down)
		check_take(w, w->check.glance.book);
	supervise_settle(w);
}

void
glance_open(struct watchdog *w)
{
	struct glance_look *g = &w->check.glance;
	void *book = mmap(NULL, sizeof *g->book, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (book == MAP_FAILED)
		fatal("watchdog: no memory for looks");
	g->book = book;
}

void
glance_begin(struct watchdog *w)
{
	struct glance_look *g = &w->check.glance;

	if (g->errand.pid != 0)
		return;
	g->stale = false;
	g->errand.owner = w;
	g->errand.done = on_looked;
	g->errand.in_tree = true;
	if (errand_fork(&g->errand, look, w, LOOK_MS) == -1)
		log_warn("watchdog: queues not looked at");
}

void
glance_forget(struct watchdog *w)
{
	w->check.glance.stale = true;
}
