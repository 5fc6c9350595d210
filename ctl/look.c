/* SPDX-License-Identifier: ISC */
/*
 * Files move under our feet, always forward in the life cycle but for
 * requeues; a queue file that is gone by the time it is read is looked for
 * once more.
 */
#include "ctl/look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/spool.h"

static void
forget(struct look *l)
{
	json_decref(l->job);
	l->job = NULL;
	if (l->has_outcome)
		outcome_free(&l->out);
	l->has_outcome = false;
	l->summary[0] = '\0';
	l->ended = false;
}

void
looks_free(struct look *looks, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		forget(&looks[i]);
		free(looks[i].revs);
	}
	free(looks);
}

int
look_outcome(const struct queue_tree *q, const char *key, int attempt,
    struct outcome *o)
{
	char name[NAME_SIZE];
	json_t *doc = NULL;
	int d, found, answer = 0;

	key_outcome_file(key, attempt, name);
	for (d = BOX_NEW; d <= BOX_DONE; d++) {
		found = spool_read_json(q->outcomes.dir[d], name, &doc);
		if (found == 0)
			continue;
		if (found == -1)
			return -1;
		answer = outcome_decode(doc, o) == 0 ? 1 : -1;
		json_decref(doc);
		return answer;
	}
	return 0;
}

static void
find_summary(struct ctl *c, struct look *l)
{
	static const enum summary_dir dirs[] = {S_READY, S_COMPLETED, S_FAILED};
	char name[NAME_SIZE];
	size_t i;
	int n;

	key_summary_file(l->name.key, l->name.attempt, name);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (!spool_exists(l->queue->summaries[dirs[i]], name))
			continue;
		n = snprintf(l->summary, sizeof(l->summary), "%s/%s/%s/%s",
		    c->t.path, l->queue->name, summary_dir_path[dirs[i]], name);
		if (n < 0 || (size_t)n >= sizeof(l->summary))
			l->summary[0] = '\0';
		return;
	}
}

/* Nowhere in the queue: refused by the bridge, on its way, or long gone. */
static void
find_elsewhere(struct look *l)
{
	const struct ids_entry *last = &l->revs[l->rev_count - 1];

	(void)strlcpy(l->name.key, last->key, sizeof(l->name.key));
	l->name.attempt = last->attempt;
	l->state = last->pending ? "accepting" : "gone";
	l->ended = !last->pending;
}

static int
read_outcome(struct look *l)
{
	int found =
	    look_outcome(l->queue, l->name.key, l->name.attempt, &l->out);

	/* Before it is taken for gone: its directory may have been renewed. */
	if (found == 0 && l->ended &&
	    tree_find_outcome(l->queue, l->name.key, l->name.attempt) !=
		BOX__MAX)
		found = look_outcome(l->queue, l->name.key, l->name.attempt,
		    &l->out);
	if (found == -1)
		return -1;
	if (found == 0)
		return 0;
	l->has_outcome = true;
	if (l->dir == Q__MAX || l->ended) {
		l->state = outcome_state_name[l->out.state];
		l->ended = true;
	}
	return 0;
}

/* 1 read or not needed, 0 moved away, -1 error. */
static int
read_job(struct look *l)
{
	char name[NAME_SIZE];

	if (l->dir >= Q_COMPLETED)
		return 1;
	key_queue_file(&l->name, name);
	return spool_read_json(l->queue->dir[l->dir], name, &l->job);
}

static int
look_once(struct look *l)
{
	const struct ids_entry *last = &l->revs[l->rev_count - 1];

	errno = 0;
	l->dir = tree_find_key(l->queue, last->key, last->attempt, &l->name);
	if (l->dir == Q__MAX && errno != 0)
		return -1;
	if (l->dir == Q__MAX)
		find_elsewhere(l);
	else {
		l->state = queue_dir_state[l->dir];
		l->ended = l->dir >= Q_COMPLETED;
	}
	return read_job(l);
}

int
look_refresh(struct ctl *c, struct look *l)
{
	/* refused by the bridge: it will never be in a state directory */
	bool refused = l->dir == Q__MAX && l->has_outcome;
	int tries, answer = refused ? 1 : 0;

	if (!refused)
		forget(l);
	for (tries = 0; tries < 3 && answer == 0; tries++)
		answer = look_once(l);
	if (answer == -1 || (!refused && read_outcome(l) == -1))
		return -1;
	find_summary(c, l);
	return 0;
}

const char *
look_ref(const struct look *l)
{
	static char ref[ID_MAX + QUEUE_MAX + 2];
	int n = snprintf(ref, sizeof(ref), "%s@%s", l->id, l->queue->name);

	return n > 0 ? ref : "";
}

bool
look_is_over(const struct look *l)
{
	return l->ended && (l->summary[0] != '\0' || !l->has_outcome);
}

int
look_status(const struct look *l)
{
	/* Of what is archived or gone nobody knows any more how it ended. */
	if (!l->has_outcome)
		return l->dir == Q_COMPLETED ? CTL_DONE : CTL_FAILED;
	return l->out.state == OUTCOME_COMPLETED ||
		       l->out.state == OUTCOME_UNDONE
		   ? CTL_DONE
		   : CTL_FAILED;
}

/* 1 found, 0 not, -1 error. */
static int
look_in(struct ctl *c, struct queue_tree *q, const char *id, struct look *l)
{
	memset(l, 0, sizeof(*l));
	l->queue = q;
	l->dir = Q_PATCHES;
	(void)strlcpy(l->id, id, sizeof(l->id));
	l->rev_count = ids_lookup(&c->t, q->name, id, &l->revs);
	if (l->rev_count <= 0)
		return l->rev_count;
	if (look_refresh(c, l) == 0)
		return 1;
	looks_free(memcpy(xmalloc(sizeof(*l)), l, sizeof(*l)), 1);
	return -1;
}

/* ID@QUEUE where QUEUE is one of ours; else all of ref is the id. -1 where it
 * can be none. */
static int
split(const struct ctl *c, const char *ref, char id[ID_MAX + 1],
    const char **queue)
{
	const struct queue_settings *q;
	char name[QUEUE_MAX + 1];

	*queue = NULL;
	if (key_parse_ref(ref, id, name) == -1)
		return -1;
	q = name[0] != '\0' ? settings_queue(&c->s, name) : NULL;
	if (q != NULL)
		*queue = q->name;
	else
		(void)strlcpy(id, ref, ID_MAX + 1);
	return 0;
}

/* In queue, or in all of them where it is NULL: count, or -1. */
static int
look_around(struct ctl *c, const char *id, const char *queue, struct look **out)
{
	struct look *looks = xcalloc(c->t.queue_count, sizeof(*looks));
	size_t i;
	int n = 0, found = 0;

	*out = NULL;
	for (i = 0; i < c->t.queue_count && found != -1; i++) {
		if (queue != NULL && strcmp(queue, c->t.queues[i].name) != 0)
			continue;
		found = look_in(c, &c->t.queues[i], id, &looks[n]);
		n += found == 1;
	}
	if (found != -1 && n > 0) {
		*out = looks;
		return n;
	}
	looks_free(looks, n);
	return found == -1 ? -1 : 0;
}

bool
look_inbox_is_empty(struct ctl *c)
{
	struct spool_names names;
	size_t count = 0;

	for (int box = BOX_NEW; box <= BOX_CUR; box++) {
		if (spool_list(c->t.inbox.dir[box], 1, &names) == -1)
			continue;
		count += names.count;
		spool_names_free(&names);
	}
	return count == 0;
}

int
looks_find(struct ctl *c, const char *ref, struct look **out)
{
	char id[ID_MAX + 1];
	const char *queue;
	int n;

	*out = NULL;
	if (split(c, ref, id, &queue) == -1) {
		ctl_say("\"%s\" cannot be an id", ref);
		return 0;
	}
	n = look_around(c, id, queue, out);
	if (n == -1)
		ctl_say("%s: %s", ref, strerror(errno));
	else if (n == 0)
		ctl_say("no patch is called \"%s\"%s%s%s", id,
		    queue != NULL ? " in " : "", queue != NULL ? queue : "",
		    look_inbox_is_empty(c)
			? ""
			: "; what lies in the inbox has no id yet, the bridge "
			  "takes it in");
	return n;
}

bool
look_is_known(struct ctl *c, const char *ref)
{
	char id[ID_MAX + 1];
	const char *queue;
	struct look *looks;
	int n;

	if (split(c, ref, id, &queue) == -1)
		return true;
	n = look_around(c, id, queue, &looks);
	if (n > 0)
		looks_free(looks, n);
	return n != 0;
}
