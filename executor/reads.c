/* SPDX-License-Identifier: ISC */
/* One walk over the workspace for what is younger than the view. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "executor/conflict.h"
#include "executor/instant.h"
#include "executor/reads.h"
#include "executor/subtree.h"
#include "executor/utf8.h"

#define ENTRIES_MAX 20000 /* some 80 ms; more only where asked for */
#define WIDE_MS (3600 * 1000LL)
#define NAMED_MAX 5

struct reads {
	const struct commit *commit;
	const struct ops *ops;
	struct buf names;
	char *paths[NAMED_MAX]; /* of files, for the outcome */
	size_t path_count;
	size_t late;
	size_t limit; /* 0: none */
};

/* commit_check has looked at these already. */
static bool
is_ours(const struct ops *ops, const char *path)
{
	for (size_t i = 0; i < ops->count; i++) {
		size_t len = strlen(ops->items[i].path);

		if (strncmp(path, ops->items[i].path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/'))
			return true;
	}
	return false;
}

static bool
is_late(const struct stat *st, const struct timespec *since)
{
	return !instant_is_after(since, &st->st_ctim);
}

static int
visit(struct subtree_walk *w, const struct subtree_at *at)
{
	struct reads *r = w->owner;

	if (r->limit != 0 && w->seen > r->limit)
		return 1;
	if (strcmp(at->path, ".git") == 0 ||
	    strcmp(at->path, ".patchflow") == 0)
		return SUBTREE_SKIP;
	if (!is_late(at->st, &r->commit->since) || is_ours(r->ops, at->path))
		return 0;
	/* A directory tells of names that came or went. */
	if (++r->late > NAMED_MAX)
		return 0;
	if (!S_ISDIR(at->st->st_mode))
		r->paths[r->path_count++] = xstrdup(at->path);
	buf_printf(&r->names, "%s%s%s", r->late > 1 ? ", " : "",
	    at->path[0] != '\0' ? at->path : ".",
	    S_ISDIR(at->st->st_mode) ? "/" : "");
	return 0;
}

static void
note(const struct reads *r, struct fault *f)
{
	struct conflict_look l = {.workspace = r->commit->workspace,
	    .txn = r->commit->txn,
	    .bases = r->commit->bases};

	for (size_t i = 0; i < r->path_count; i++)
		conflict_note(&l, r->paths[i],
		    "was changed by somebody else while commands may have "
		    "read it",
		    f);
}

static int
judge(const struct reads *r, bool strict, struct diff *d, struct fault *f)
{
	const char *more = r->late > NAMED_MAX ? ", ..." : "";

	if (r->late == 0)
		return 0;
	if (!strict) {
		json_array_append_new(d->warnings,
		    utf8_format("while its commands ran, somebody else "
				"changed: %s%s",
			r->names.bytes, more));
		return 0;
	}
	(void)fault_fail(f, OUTCOME_CONFLICT,
	    "while its commands ran, somebody else changed: %s%s",
	    r->names.bytes, more);
	f->temporary = true;
	note(r, f);
	return -1;
}

int
reads_check(struct executor *ex, const struct commit *c, struct diff *d,
    struct fault *f)
{
	bool strict = strcmp(ex->queue->stale_reads, "conflict") == 0;
	struct reads r = {.commit = c,
	    .ops = &d->ops,
	    .limit = strict ? 0 : ENTRIES_MAX};
	struct subtree_walk w = {.visit = visit,
	    .owner = &r,
	    .beat = executor_beat,
	    .beat_owner = ex};
	int answer, found;

	if (strcmp(ex->queue->stale_reads, "ignore") == 0 ||
	    (!strict && clock_mono_ms() < ex->wide_until_ms))
		return 0;
	found = subtree_walk(&w, c->workspace->fd, ".", "");
	if (found == 1)
		ex->wide_until_ms = clock_mono_ms() + WIDE_MS;
	/* It went while it was looked at: that is a change, too. */
	if (found == -1 && errno == ENOENT && r.late++ == 0)
		buf_puts(&r.names, "something that is gone");
	answer = judge(&r, strict, d, f);
	buf_free(&r.names);
	for (size_t i = 0; i < r.path_count; i++)
		free(r.paths[i]);
	return answer;
}
