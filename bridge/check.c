/* SPDX-License-Identifier: ISC */
/* -n: can each source be read, and a document be put into each queue? */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bridge/bridge.h"
#include "common/buf.h"

/* From one tmp directory to another: nobody looks for work there. */
static void
try_put(struct trials *t, const struct queue_tree *q)
{
	char name[NAME_SIZE];
	int tmp = q->dir[Q_TMP];

	spool_unique_name("json", name, sizeof(name));
	if (spool_put(q->requests.dir[BOX_TMP], tmp, name, "x", 1) ==
		SPOOL_DONE &&
	    spool_remove(tmp, name) == SPOOL_DONE) {
		trial_note(t, TRIAL_OK, q->name, "put",
		    xstrdup("a file was put and synced"));
		return;
	}
	trial_note(t, trial_judge(errno), q->name, "put",
	    xasprintf("%s/%s: %s", q->tree->path, q->name, strerror(errno)));
	trial_fix(t, "give the spool room, a local filesystem and the "
		     "bridge's user the rights");
}

/* 0, or -1 with errno. Not opened unless regular: a FIFO's writer would see
 * it. */
static int
read_source(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd != -1)
		(void)close(fd);
	return fd == -1 ? -1 : 0;
}

static void
try_source(struct trials *t, const struct source_settings *s)
{
	if (read_source(s->path) == 0) {
		trial_note(t, TRIAL_OK, s->name, "source",
		    xasprintf("%s, can be read", s->path));
	} else if (errno == ENOENT) {
		trial_note(t, TRIAL_WARNING, s->name, "source",
		    trial_explain(s->path));
		trial_fix(t, "none needed if it is still to come");
	} else {
		trial_note(t, trial_judge(errno), s->name, "source",
		    trial_explain(s->path));
		trial_fix(t, "a regular file that the bridge's user can read");
	}
}

int
bridge_check(struct settings *set)
{
	struct trials t = {0};
	struct tree tree;
	size_t i;

	daemon_tree(set, &tree);
	for (i = 0; i < tree.queue_count; i++)
		try_put(&t, &tree.queues[i]);
	for (i = 0; i < set->bridge.source_count; i++)
		try_source(&t, &set->bridge.sources[i]);
	tree_close(&tree);
	return daemon_report(&t, set);
}
