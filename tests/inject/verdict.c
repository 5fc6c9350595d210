/* SPDX-License-Identifier: ISC */
/* What the spool says, and what lies in it that should not. */
#include <sys/file.h>
#include <sys/stat.h>
#include <ctype.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "common/digest.h"
#include "tests/inject/image.h"
#include "tests/inject/world.h"

static int
count(const struct world *w, const char *top, const char *below)
{
	char path[2 * PATH_MAX];
	glob_t g;
	int n = 0;

	(void)snprintf(path, sizeof(path), "%s/spool/%s/%s", w->path, top,
	    below);
	if (glob(path, GLOB_NOSORT, NULL, &g) == 0) {
		n = (int)g.gl_pathc;
		globfree(&g);
	}
	return n;
}

static int
read_one(const char *path, char state[16])
{
	FILE *f = fopen(path, "r");
	json_t *doc;

	if (f == NULL)
		return -1;
	doc = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
	(void)fclose(f);
	(void)snprintf(state, 16, "%s",
	    json_is_object(doc)
		? json_string_value(json_object_get(doc, "state"))
		: "unreadable");
	json_decref(doc);
	return 0;
}

/* Of the newest; where it does not need the others, of the newest that is not
 * completed. */
static int
read_state(const struct world *w, char state[16])
{
	char path[PATH_MAX];
	int answer = -1;
	size_t i;
	glob_t g;

	(void)snprintf(path, sizeof(path), "%s/spool/%s/outcomes/[ncd]*/*.json",
	    w->path, w->queue);
	if (glob(path, 0, NULL, &g) != 0)
		return -1;
	i = g.gl_pathc;
	do
		answer = read_one(g.gl_pathv[--i], state);
	while (answer == 0 && i > 0 && w->otherwise != NULL &&
	       strcmp(state, "completed") == 0);
	globfree(&g);
	return answer;
}

static int
count_refused(const struct world *w)
{
	char path[PATH_MAX];
	int n = 0;
	glob_t g;

	(void)snprintf(path, sizeof(path), "%s/spool/%s/requests/done/*.json",
	    w->path, w->queue);
	if (glob(path, GLOB_NOSORT, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		json_t *doc =
		    json_load_file(g.gl_pathv[i], JSON_DISABLE_EOF_CHECK, NULL);

		n += json_is_false(json_object_get(doc, "ok"));
		json_decref(doc);
	}
	globfree(&g);
	return n;
}

/* NAME is KEY,ATTEMPT. */
static bool
is_recorded(const struct world *w, const char *name)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "outcomes/[ncd]*/%s.json", name);
	if (count(w, w->queue, path) > 0)
		return false;
	/* COMMIT or DONE, which may come to the disk before the outcome. */
	(void)snprintf(path, sizeof(path), "executor@%s/txn/%s/[CD]O[MN]*",
	    w->queue, name);
	return count(w, "state", path) > 0;
}

/* The verdict of a success is its record: recovery makes the rest of it. */
static int
count_recorded(const struct world *w)
{
	char path[PATH_MAX];
	int n = 0;
	glob_t g;

	(void)snprintf(path, sizeof(path),
	    "%s/spool/%s/patches/.running/*.json", w->path, w->queue);
	if (glob(path, GLOB_NOSORT, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		/* PRIORITY-NAME.json */
		char *name = xstrdup(strrchr(g.gl_pathv[i], '/') + 3);

		name[strlen(name) - strlen(".json")] = '\0';
		n += is_recorded(w, name);
		free(name);
	}
	globfree(&g);
	return n;
}

int
world_verdict(const struct world *w, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	if (w->queue == NULL)
		return 0;
	v->outcomes = count(w, w->queue, "outcomes/[ncd]*/*.json");
	v->queued = count(w, w->queue, "patches/*.json");
	v->running = count(w, w->queue, "patches/.running/*.json");
	v->held = count(w, w->queue, "patches/.held/*.json");
	v->completed = count(w, w->queue, "patches/.completed/*.json");
	v->failed = count(w, w->queue, "patches/.failed/*.json");
	v->recorded = count_recorded(w);
	v->alerts = count(w, "alerts", "new/*");
	v->refused = count_refused(w);
	return v->outcomes == 0 ? 0 : read_state(w, v->state);
}

/* Judged by themselves, or for others to clean: not counted as left over. */
static bool
is_expected(const char *path)
{
	static const char *const parts[] = {"/journal/", "/alerts/", "/run/",
	    "/outcomes/new/", "/outcomes/cur/", "/outcomes/done/",
	    "/patches/.completed/", "/patches/.failed/", "/txn/.undo/",
	    "/isolation.json"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(path, parts[i]) != NULL)
			return true;
	}
	return false;
}

static void
add_normal(struct buf *out, const char *name)
{
	while (*name != '\0') {
		if (!isdigit((unsigned char)*name)) {
			buf_putc(out, *name++);
			continue;
		}
		buf_putc(out, '#');
		while (isdigit((unsigned char)*name))
			name++;
	}
	buf_putc(out, '\n');
}

static int
compare(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void
list(const struct world *w, struct buf *out)
{
	char *const paths[] = {(char *)(uintptr_t)w->path, NULL};
	FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare);
	FTSENT *e;

	buf_clear(out);
	buf_puts(out, "");
	while (f != NULL && (e = fts_read(f)) != NULL) {
		if (e->fts_level == 1 &&
		    (strcmp(e->fts_name, "ws") == 0 ||
			strcmp(e->fts_name, "lost+found") == 0))
			(void)fts_set(f, e, FTS_SKIP);
		else if (e->fts_info != FTS_DP && e->fts_level > 0 &&
			 !is_expected(e->fts_path))
			add_normal(out, e->fts_path + strlen(w->path) + 1);
	}
	if (f != NULL)
		(void)fts_close(f);
}

static char *
held_lock(const struct world *w)
{
	char path[PATH_MAX];
	char *found = NULL;
	glob_t g;

	(void)snprintf(path, sizeof(path), "%s/spool/run/*.lock", w->path);
	if (glob(path, GLOB_NOSORT, NULL, &g) != 0)
		return NULL;
	for (size_t i = 0; i < g.gl_pathc && found == NULL; i++) {
		int fd = open(g.gl_pathv[i], O_RDONLY | O_CLOEXEC);

		if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1)
			found = xasprintf("lock %s", g.gl_pathv[i]);
		if (fd != -1)
			(void)close(fd);
	}
	globfree(&g);
	return found;
}

static char *
left_mount(const struct world *w)
{
	size_t len = strlen(w->path);
	char line[8192];
	char *found = NULL;
	FILE *f = fopen("/proc/self/mountinfo", "r");

	while (f != NULL && found == NULL &&
	       fgets(line, sizeof(line), f) != NULL) {
		const char *at = strstr(line, w->path);

		if (at != NULL && at[len] == '/')
			found = xasprintf("mount %s", line);
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

/* Where a group can be: looked for once, by the plain run. */
static const glob_t *
cgroup_places(void)
{
	static const char *const depths[] = {"/", "/*/", "/*/*/", "/*/*/*/"};
	static glob_t places;
	char path[32];

	if (places.gl_pathc > 0)
		return &places;
	for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup%s",
		    depths[i]);
		(void)glob(path, i > 0 ? GLOB_APPEND : 0, NULL, &places);
	}
	return &places;
}

/* By the name that the executor gives it, wherever the hierarchy is. */
static char *
left_cgroup(const struct world *w)
{
	const glob_t *places = cgroup_places();
	char digest[DIGEST_SIZE], path[PATH_MAX];
	char *text = xasprintf("%s/spool/executor@%s", w->path, w->queue);
	char *found = NULL;

	digest_bytes(text, strlen(text), digest);
	free(text);
	for (size_t i = 0; i < places->gl_pathc && found == NULL; i++) {
		(void)snprintf(path, sizeof(path), "%spatchflow-%.12s",
		    places->gl_pathv[i], digest);
		if (access(path, F_OK) == 0)
			found = xasprintf("cgroup %s", path);
	}
	return found;
}

char *
world_leftover(struct world *w)
{
	struct buf now = {0};
	char *found;

	if (w->queue == NULL)
		return xstrdup("");
	list(w, &now);
	if (w->residue.bytes == NULL) {
		w->residue = now; /* of the plain run */
		return xstrdup("");
	}
	found = image_difference(w->residue.bytes, now.bytes);
	if (found[0] == '-')
		found[0] = '\0'; /* less than that is fine */
	buf_free(&now);
	if (found[0] != '\0')
		return found;
	free(found);
	found = held_lock(w);
	if (found == NULL)
		found = left_mount(w);
	if (found == NULL)
		found = left_cgroup(w);
	return found != NULL ? found : xstrdup("");
}
