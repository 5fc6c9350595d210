/* SPDX-License-Identifier: ISC */
/* Queues that were left. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/left.h"
#include "common/text.h"

/* How many files there are below the queue's directory dir. */
static size_t
count_in(int queue, const char *path)
{
	struct spool_names names;
	int dir = spool_dir(queue, path);
	size_t count = 0;

	if (dir == -1)
		return 0;
	if (spool_list(dir, 0, &names) == 0) {
		count = names.count;
		spool_names_free(&names);
	}
	(void)close(dir);
	return count;
}

static void
count_all(int queue, bool delivers, struct left *l)
{
	for (int d = Q_PATCHES; d <= Q_RUNNING; d++)
		l->patches += count_in(queue, queue_dir_path[d]);
	l->reports =
	    count_in(queue, "outcomes/new") + count_in(queue, "outcomes/cur");
	if (delivers)
		l->reports += count_in(queue, summary_dir_path[S_READY]);
}

int
left_find(struct tree *t, bool delivers,
    void (*each)(void *owner, const struct left *l), void *owner)
{
	struct spool_names names;

	if (spool_list(t->root, 0, &names) == -1)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.names[i];
		struct left l = {0};
		int queue;

		if (!key_queue_valid(name) || tree_queue(t, name) != NULL)
			continue;
		queue = spool_dir(t->root, name);
		if (queue == -1)
			continue;
		(void)strlcpy(l.queue, name, sizeof l.queue);
		count_all(queue, delivers, &l);
		(void)close(queue);
		if (l.patches + l.reports > 0)
			each(owner, &l);
	}
	spool_names_free(&names);
	return 0;
}

char *
left_words(const struct left *l)
{
	return xasprintf("%zu patch%s and %zu report%s wait in it, and it is "
			 "no queue of the configuration",
	    l->patches, l->patches == 1 ? "" : "es", l->reports,
	    text_s(l->reports));
}
