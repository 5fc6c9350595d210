/* SPDX-License-Identifier: ISC */
/* Which staging place a queue uses: recorded, and kept while it is in use. */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "executor/isolate.h"
#include "executor/kept.h"

#define PLACE_FORMAT "patchflow-place-1"
#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 10

/* 1, 0, or -1: not known, and then no other place may be used. */
static int
has_transactions(const char *path)
{
	struct spool_names n = {0};
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int any;

	if (dir == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	any = spool_list(dir, 0, &n);
	for (size_t i = 0; any == 0 && i < n.count; i++)
		any = key_txn_valid(n.names[i]);
	spool_names_free(&n);
	(void)close(dir);
	return any;
}

/* What is so and stays so; a want of space or descriptors passes. */
static bool
is_unsuitable(int err)
{
	return err == EXDEV || err == EROFS || err == EACCES || err == EPERM ||
	       err == EINVAL || err == ENOENT || err == ENOTDIR ||
	       err == EOPNOTSUPP || err == EWOULDBLOCK;
}

/* A place that was proven for this very workspace needs no trial again while
 * both are on one mount. */
struct recorded {
	const char *place; /* "" */
	bool same_workspace;
};

/*
 * Nobody else's: an executor of another spool would end our patches. Whoever
 * was killed a moment ago may hold it while it is torn down. Where a directory
 * cannot be locked, as on some network filesystems, that is no trouble.
 */
static int
lock_place(struct executor *ex)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000};
	int64_t until = clock_mono_ms() + LOCK_WAIT_MS;

	/* It is looked at only, beside the executor itself. */
	if (ex->opts->check)
		return 0;
	while (flock(ex->place.dir, LOCK_EX | LOCK_NB) == -1 &&
	       (errno == EWOULDBLOCK || errno == EINTR)) {
		if (clock_mono_ms() >= until) {
			log_warnx("%s: another executor uses it",
			    ex->place.path);
			place_close(&ex->place);
			errno = EWOULDBLOCK;
			return -1;
		}
		executor_beat(ex);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

static int
try_place(struct executor *ex, const struct recorded *r, char *path)
{
	int answer = place_open(&ex->place, path, &ex->workspace,
	    r->same_workspace && strcmp(r->place, path) == 0);
	int saved;

	if (answer == 0)
		answer = lock_place(ex);
	saved = errno;
	if (answer == -1)
		log_debug("%s: no staging place: %s", path, strerror(saved));
	free(path);
	errno = saved;
	return answer;
}

static char *
parent_place(const struct executor *ex)
{
	const char *slash = strrchr(ex->workspace.path, '/');

	return xasprintf("%.*s/.patchflow-%s",
	    (int)(slash - ex->workspace.path), ex->workspace.path, ex->q->name);
}

/* The place of before is kept while transactions lie in it. */
static int
choose_place(struct executor *ex, const struct recorded *r)
{
	const char *wanted = ex->queue->staging;
	int used = r->place[0] != '\0' ? has_transactions(r->place) : 0;

	if (used == -1)
		return -1;
	if (used == 1)
		return try_place(ex, r, xstrdup(r->place));
	if (wanted[0] != '\0')
		return try_place(ex, r, xstrdup(wanted));
	if (try_place(ex, r,
		xasprintf("%s/state/%s/txn", ex->tree->path, ex->instance)) ==
	    0)
		return 0;
	if (!is_unsuitable(errno))
		return -1;
	if (try_place(ex, r, parent_place(ex)) == 0)
		return 0;
	if (!is_unsuitable(errno))
		return -1;
	return try_place(ex, r, xasprintf("%s/.patchflow", ex->workspace.path));
}

static bool
is_empty(int dir)
{
	struct spool_names n = {0};
	bool empty = spool_list(dir, 1, &n) == 0 && n.count == 0;

	spool_names_free(&n);
	return empty;
}

/*
 * An unmounted workspace leaves the empty directory that it was mounted on:
 * another inode than before, and nothing in it.
 */
static bool
looks_unmounted(const struct executor *ex, const json_t *doc)
{
	json_int_t ino =
	    json_integer_value(json_object_get(doc, "workspace_ino"));
	const char *path = json_string_value(json_object_get(doc, "workspace"));

	if (path != NULL && strcmp(path, ex->workspace.path) != 0)
		return false; /* the configuration names another one */
	return ino != 0 && (ino_t)ino != ex->workspace.st.st_ino &&
	       is_empty(ex->workspace.fd);
}

/* A check leaves a broken record where it is. */
static int
load_record(struct executor *ex, json_t **doc)
{
	if (ex->opts->check)
		return spool_read_json(ex->state.dir, "place.json", doc);
	return state_load(&ex->state, "place.json", PLACE_FORMAT, doc);
}

/* Another place than before: that one is left for good. */
static void
leave_place(struct executor *ex)
{
	json_t *doc = NULL;
	const char *before = "";

	if (load_record(ex, &doc) == 1)
		before = json_string_value(json_object_get(doc, "place"));
	if (before != NULL && before[0] != '\0' &&
	    strcmp(before, ex->place.path) != 0)
		kept_bring(ex, before);
	json_decref(doc);
}

int
isolate_record(struct executor *ex)
{
	json_t *doc = json_pack("{s:s,s:s,s:s,s:I}", "format", PLACE_FORMAT,
	    "place", ex->place.path, "workspace", ex->workspace.path,
	    "workspace_ino", (json_int_t)ex->workspace.st.st_ino);
	enum spool_answer a;

	leave_place(ex);
	a = state_save(&ex->state, "place.json", doc);

	json_decref(doc);
	return a == SPOOL_DONE ? 0 : -1;
}

static struct recorded
read_record(const struct executor *ex, const json_t *doc)
{
	const char *place = json_string_value(json_object_get(doc, "place"));
	json_int_t ino =
	    json_integer_value(json_object_get(doc, "workspace_ino"));

	return (struct recorded){place != NULL ? place : "",
	    (ino_t)ino == ex->workspace.st.st_ino};
}

int
isolate_place(struct executor *ex)
{
	json_t *doc = NULL;
	struct recorded r;
	int answer = -1;
	int found = load_record(ex, &doc);

	/* It may name the place of transactions that wait. */
	if (found == -1 && errno != EBADMSG)
		return -1;
	/* Without a record nothing is known, and everything is tried. */
	if (found != 1)
		log_debug("no staging place is recorded");
	r = read_record(ex, doc);
	if (doc != NULL && looks_unmounted(ex, doc)) {
		errno = ENODEV;
	} else if (choose_place(ex, &r) == 0) {
		answer = 0;
	} else {
		log_warnx("%s: no staging place could be used (the key "
			  "staging names one)",
		    ex->workspace.path);
	}
	json_decref(doc);
	return answer;
}
