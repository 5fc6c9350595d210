/* SPDX-License-Identifier: ISC */
/* The small bridge of the sweeps. */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"
#include "tests/unit/model.h"

/* The source: a second revision of "one" after it, and a refusal. */
static const struct {
	const char *id, *text;
	int attempt, rev;
	enum ids_dst dst;
} source[] = {
    {"one", "first", 1, 1, IDS_QUEUE},
    {"two words", "other", 1, 1, IDS_OUTCOME},
    {"one", "corrected", 2, 2, IDS_QUEUE},
};
_Static_assert(sizeof(source) / sizeof(source[0]) == MODEL_DOCUMENTS,
    "the source");
#define MODEL_TROUBLE_MAX 90 /* below FAULT_KILLED */
#define CURSOR_FORMAT "test-cursor-1"

/* Outside the faults every call works, or the test itself is broken. */
static void
must_be(int got, int want)
{
	if (got != want)
		abort();
}

int
model_open(struct model *m, const char *path)
{
	static const char *const queues[] = {MODEL_QUEUE};
	char why[PATH_MAX];

	*m = (struct model){.accepted_fd = -1};
	if (tree_open(&m->tree, path, queues, 1, why) == -1)
		return -1;
	m->queue = tree_queue(&m->tree, MODEL_QUEUE);
	return state_open(&m->cursor, &m->tree, "test");
}

void
model_close(struct model *m)
{
	state_close(&m->cursor);
	tree_close(&m->tree);
}

int
model_cursor(struct model *m)
{
	json_t *doc;
	int at = 0;
	int found = state_load(&m->cursor, "cursor.json", CURSOR_FORMAT, &doc);

	if (found == 1)
		at = (int)json_integer_value(json_object_get(doc, "at"));
	json_decref(doc);
	return found == -1 ? -1 : at;
}

static int
save_cursor(struct model *m, int at)
{
	json_t *doc = json_pack("{s:s,s:i}", "format", CURSOR_FORMAT, "at", at);
	enum spool_answer answer = state_save(&m->cursor, "cursor.json", doc);

	json_decref(doc);
	return answer == SPOOL_DONE ? 0 : -1;
}

static void
digest_of(int i, char out[DIGEST_SIZE])
{
	digest_bytes(source[i].text, strlen(source[i].text), out);
}

/* What two wrong bridges do: the entry in its place at once. */
static enum spool_answer
make_entry(struct model *m, const struct ids_accept *a)
{
	struct buf b = {0};
	char h[DIGEST_SIZE], path[DIGEST_SIZE + 16], target[512];
	int made;

	buf_add(&b, MODEL_QUEUE, sizeof(MODEL_QUEUE));
	buf_puts(&b, a->id);
	digest_bytes(b.bytes, b.len, h);
	buf_free(&b);
	(void)snprintf(path, sizeof(path), "%.2s", h);
	if (spool_make(m->tree.ids, path, 02750) == -1)
		return SPOOL_REFUSED;
	(void)snprintf(path, sizeof(path), "%.2s/%s%s", h, h,
	    a->entry->rev == 1 ? "" : ",2");
	(void)snprintf(target, sizeof(target), MODEL_QUEUE "/%s.%s%s",
	    a->entry->key, a->entry->digest, a->entry->rev == 1 ? "" : ",2");
	made = sys_symlinkat(target, m->tree.ids, path);
	return made == 0 || errno == EEXIST ? SPOOL_DONE : SPOOL_REFUSED;
}

static enum spool_answer
accept_without_pending(struct model *m, const struct ids_accept *a)
{
	struct queue_name n = {.digit = a->digit, .attempt = a->entry->attempt};
	char name[NAME_SIZE];
	int tmp = m->queue->dir[Q_TMP], dst = m->queue->dir[Q_PATCHES];
	enum spool_answer answer = SPOOL_DONE;

	(void)strlcpy(n.key, a->entry->key, sizeof(n.key));
	key_queue_file(&n, name);
	if (a->dst == IDS_OUTCOME) {
		key_outcome_file(n.key, n.attempt, name);
		tmp = m->queue->outcomes.dir[BOX_TMP];
		dst = m->queue->outcomes.dir[BOX_NEW];
	}
	if (m->how == MODEL_ENTRY_FIRST)
		answer = make_entry(m, a);
	if (answer == SPOOL_DONE)
		answer = spool_put_json(tmp, dst, name, a->doc);
	if (answer == SPOOL_DONE && m->how == MODEL_ENTRY_LAST)
		answer = make_entry(m, a);
	return answer;
}

static enum spool_answer
accept_one(struct model *m, const struct ids_accept *a)
{
	enum spool_answer answer;

	if (m->how == MODEL_ENTRY_FIRST || m->how == MODEL_ENTRY_LAST)
		return accept_without_pending(m, a);
	answer = ids_accept(a);
	/* Unknown is tried again under the same entry, at once or later; what
	 * was visible may be gone by then. */
	if (answer != SPOOL_UNKNOWN)
		return answer;
	model_run_executor(m);
	return ids_accept(a);
}

static enum spool_answer
take_document(struct model *m, int i, int64_t time_us, const char *key)
{
	struct ids_entry e = {.queue = MODEL_QUEUE,
	    .attempt = source[i].attempt,
	    .rev = source[i].rev};
	json_t *doc;
	struct ids_accept a = {.tree = &m->tree,
	    .id = source[i].id,
	    .entry = &e,
	    .dst = source[i].dst,
	    .digit = 5};
	enum spool_answer answer;

	digest_of(i, e.digest);
	if (key == NULL)
		key_make(time_us, source[i].id, e.key);
	else
		(void)strlcpy(e.key, key, sizeof(e.key));
	doc = json_pack("{s:s}", "digest", e.digest);
	a.doc = doc;
	answer = accept_one(m, &a);
	json_decref(doc);
	return answer;
}

/* Document i, unless it is a duplicate: 0 when the cursor may move. */
static int
judge(struct model *m, int i, struct ids_clock *clock)
{
	struct ids_entry *list;
	char digest[DIGEST_SIZE], key[KEY_SIZE] = "";
	int count = ids_lookup(&m->tree, MODEL_QUEUE, source[i].id, &list);
	int64_t time_us;
	bool known = false;

	if (count == -1)
		return -1;
	digest_of(i, digest);
	for (int n = 0; n < count; n++) {
		known |= strcmp(list[n].digest, digest) == 0;
		(void)strlcpy(key, list[n].key, sizeof(key));
	}
	/* Nothing is pending here: recovery went before. */
	free(list);
	if (known)
		return 0;
	time_us = ids_next_time(clock);
	if (time_us == -1)
		return -1;
	return take_document(m, i, time_us, count == 0 ? NULL : key) ==
		       SPOOL_DONE
		   ? 0
		   : -1;
}

/* What went wrong, as an exit status that no kill has. */
static int
trouble(void)
{
	return errno > 0 && errno < MODEL_TROUBLE_MAX ? errno : 1;
}

/* The promise is told outside the spool before the next call. */
static int
moved_on(struct model *m, int at)
{
	if (m->accepted_fd != -1 && write(m->accepted_fd, "a", 1) != 1)
		return trouble();
	return save_cursor(m, at) == -1 ? trouble() : 0;
}

int
model_bridge(void *arg)
{
	struct model *m = arg;
	struct ids_clock clock;
	int at, r = 0;

	if (ids_recover(&m->tree) == -1 ||
	    ids_clock_open(&clock, &m->tree) == -1)
		return trouble();
	at = model_cursor(m);
	for (; r == 0 && at >= 0 && at < MODEL_DOCUMENTS; at++) {
		if ((m->how == MODEL_CURSOR_FIRST &&
			save_cursor(m, at + 1) == -1) ||
		    judge(m, at, &clock) == -1)
			r = trouble();
		else
			r = moved_on(m, at + 1);
	}
	ids_clock_close(&clock);
	return at == -1 ? trouble() : r;
}

/* By bare calls: another process, which our faults do not meet. */
static void
take_all(int src, int dst)
{
	int fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	const struct dirent *e;

	must_be(d != NULL, 1);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			must_be(renameat2(src, e->d_name, dst, e->d_name,
				    RENAME_NOREPLACE),
			    0);
	(void)closedir(d);
}

void
model_run_executor(struct model *m)
{
	if (!m->executor)
		return;
	take_all(m->queue->dir[Q_PATCHES], m->queue->dir[Q_COMPLETED]);
	take_all(m->queue->outcomes.dir[BOX_NEW],
	    m->queue->outcomes.dir[BOX_DONE]);
}

static void
count_digests(int dir, int count[MODEL_DOCUMENTS])
{
	struct spool_names n;
	char digest[DIGEST_SIZE];

	must_be(spool_list(dir, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++) {
		json_t *doc;
		const char *s;

		must_be(spool_read_json(dir, n.names[i], &doc), 1);
		s = json_string_value(json_object_get(doc, "digest"));
		for (int d = 0; d < MODEL_DOCUMENTS; d++) {
			digest_of(d, digest);
			count[d] += strcmp(s, digest) == 0;
		}
		json_decref(doc);
	}
	spool_names_free(&n);
}

void
model_count(struct model *m, int count[MODEL_DOCUMENTS])
{
	for (int d = 0; d < MODEL_DOCUMENTS; d++)
		count[d] = 0;
	for (int d = Q_PATCHES; d <= Q_COMPLETED; d++)
		count_digests(m->queue->dir[d], count);
	count_digests(m->queue->outcomes.dir[BOX_NEW], count);
	count_digests(m->queue->outcomes.dir[BOX_DONE], count);
}

bool
model_holds(struct model *m)
{
	int count[MODEL_DOCUMENTS], at = model_cursor(m);

	model_count(m, count);
	for (int d = 0; d < MODEL_DOCUMENTS; d++)
		if (count[d] > 1 || (d < at && count[d] == 0))
			return false;
	return at >= 0;
}

static int
count_entry(void *owner, const char *h, const struct ids_entry *e)
{
	int *count = owner;

	(void)h;
	count[0]++;
	if (e == NULL || e->pending)
		count[1]++;
	return 0;
}

bool
model_complete(struct model *m)
{
	int count[MODEL_DOCUMENTS], entries[2] = {0, 0};

	model_count(m, count);
	for (int d = 0; d < MODEL_DOCUMENTS; d++)
		if (count[d] != 1)
			return false;
	must_be(ids_walk(&m->tree, count_entry, entries), 0);
	return entries[0] == MODEL_DOCUMENTS && entries[1] == 0 &&
	       model_cursor(m) == MODEL_DOCUMENTS;
}

static void
empty_dir(int dir)
{
	struct spool_names n;

	must_be(spool_list(dir, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++)
		(void)unlinkat(dir, n.names[i], 0);
	spool_names_free(&n);
}

static void
empty_ids(int ids)
{
	struct spool_names n;

	must_be(spool_list(ids, 0, &n), 0);
	for (size_t i = 0; i < n.count; i++) {
		int dir = spool_dir(ids, n.names[i]);

		empty_dir(dir);
		(void)close(dir);
	}
	spool_names_free(&n);
}

void
model_start_over(struct model *m)
{
	int bridge_tmp,
	    bridge_state = tree_state(&m->tree, "ghost-bridge", &bridge_tmp);

	empty_ids(m->tree.ids);
	empty_dir(m->cursor.dir);
	empty_dir(m->cursor.tmp);
	empty_dir(bridge_state);
	(void)close(bridge_state);
	(void)close(bridge_tmp);
	for (int d = 0; d < Q__MAX; d++)
		empty_dir(m->queue->dir[d]);
	for (int d = 0; d < BOX__MAX; d++)
		empty_dir(m->queue->outcomes.dir[d]);
}
