/* SPDX-License-Identifier: ISC */
/* Which directories are watched. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "common/log.h"
#include "executor/hints.h"

static int
watch_dir(struct executor *ex, struct hint *h, const struct queue_tree *q,
    const char *below)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", ex->tree->path, q->name,
		below) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return hint_dir(h, path);
}

/* What goes makes no work, and is mostly our own doing. */
static int
open_hint(struct executor *ex, struct hint *h, void (*on)(struct hint *))
{
	if (hint_open(h, &ex->loop, ex, on) == -1)
		return -1;
	h->arrivals = true;
	return 0;
}

/* Where they cannot be watched, .held is looked at every HELD_MS. */
static void
watch_others(struct executor *ex, void (*on)(struct hint *))
{
	static const enum queue_dir ends[] = {Q_COMPLETED, Q_FAILED};

	if (ex->tree->queue_count < 2 || open_hint(ex, &ex->others, on) == -1)
		return;
	for (size_t i = 0; i < ex->tree->queue_count; i++) {
		const struct queue_tree *q = &ex->tree->queues[i];

		for (size_t k = 0; q != ex->q && k < 2; k++) {
			if (watch_dir(ex, &ex->others, q,
				queue_dir_path[ends[k]]) == -1)
				log_debug("%s: not watched", q->name);
		}
	}
}

void
hints_open(struct executor *ex, void (*on_work)(struct hint *),
    void (*on_other)(struct hint *))
{
	if (open_hint(ex, &ex->hint, on_work) == -1 ||
	    watch_dir(ex, &ex->hint, ex->q, "patches") == -1 ||
	    watch_dir(ex, &ex->hint, ex->q, "requests/new") == -1 ||
	    watch_dir(ex, &ex->hint, ex->q, "requests/ask/new") == -1)
		log_warn("inotify: looking only every %d s", RESCAN_MS / 1000);
	watch_others(ex, on_other);
}
