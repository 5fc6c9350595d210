/* SPDX-License-Identifier: ISC */
/* States of other patches, and the search for cycles among those waiting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ids.h"
#include "common/job.h"
#include "common/outcome.h"
#include "executor/depend.h"

#define DEPTH_MAX 64   /* longer chains are no cycle that we would find */
#define VISITS_MAX 500 /* patches that are read for one check */

struct found {
	struct queue_tree *q;
	char key[KEY_SIZE];
	int attempt;
};

/* The latest revision of id in q: true and where, false where unknown. */
static bool
look_up(struct tree *t, struct queue_tree *q, const char *id, struct found *out)
{
	struct ids_entry *list = NULL;
	int n = ids_lookup(t, q->name, id, &list);

	if (n > 0) {
		out->q = q;
		strlcpy(out->key, list[n - 1].key, sizeof(out->key));
		out->attempt = list[n - 1].attempt;
	}
	free(list);
	return n > 0;
}

static bool
resolve(struct tree *t, const struct queue_tree *own, const char *ref,
    struct found *out)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];
	struct queue_tree *q;

	if (key_parse_ref(ref, id, queue) == -1)
		return false;
	q = tree_queue(t, queue[0] != '\0' ? queue : own->name);
	if (q != NULL && look_up(t, q, id, out))
		return true;
	for (size_t i = 0; queue[0] == '\0' && i < t->queue_count; i++) {
		if (look_up(t, &t->queues[i], id, out))
			return true;
	}
	return false;
}

/* By the outcome: for what retention has taken, or never was queued. */
static enum depend
by_outcome(const struct found *f, int attempt)
{
	enum box_dir box = tree_find_outcome(f->q, f->key, attempt);
	enum depend answer = DEPEND_WAIT;
	char name[NAME_SIZE];
	struct outcome o;
	json_t *doc = NULL;

	if (box == BOX__MAX)
		return DEPEND_WAIT;
	key_outcome_file(f->key, attempt, name);
	if (spool_read_json(f->q->outcomes.dir[box], name, &doc) == 1 &&
	    outcome_decode(doc, &o) == 0) {
		answer =
		    o.state == OUTCOME_COMPLETED ? DEPEND_READY : DEPEND_FAILED;
		outcome_free(&o);
	}
	json_decref(doc);
	return answer;
}

static enum depend
state_of(const struct found *f, struct queue_name *at, enum queue_dir *dir)
{
	*dir = tree_find_key(f->q, f->key, f->attempt, at);
	switch (*dir) {
	case Q_COMPLETED:
		/* Undone patches lie here too: their outcome knows. */
		return by_outcome(f, at->attempt) == DEPEND_FAILED
			   ? DEPEND_FAILED
			   : DEPEND_READY;
	case Q_FAILED:
		return DEPEND_FAILED;
	case Q_ARCHIVE:
		return by_outcome(f, at->attempt);
	case Q__MAX:
		return by_outcome(f, f->attempt);
	case Q_PATCHES:
	case Q_HELD:
	case Q_RUNNING:
	case Q_TMP:
		break;
	}
	return DEPEND_WAIT;
}

struct search {
	struct tree *tree;
	const char *start; /* KEY that a cycle comes back to */
	const char *trail[DEPTH_MAX + 1];
	int depth;
	int visits;
	char *why;
};

static void
print_cycle(const struct search *s, const char *last)
{
	size_t at = 0;

	for (int i = 0; i <= s->depth && at < 400; i++) {
		int n = snprintf(s->why + at, 512 - at, "%s -> ", s->trail[i]);

		at += n > 0 ? (size_t)n : 0;
	}
	if (at < 500 && snprintf(s->why + at, 512 - at, "%s", last) < 0)
		s->why[at] = '\0';
}

static bool search_patch(struct search *s, struct queue_tree *q,
    const json_t *patch, const char *id);

static bool
search_one(struct search *s, const struct queue_tree *q, const char *ref)
{
	struct queue_name at;
	struct found f;
	enum queue_dir dir;
	char name[NAME_SIZE];
	json_t *doc = NULL;
	struct job job;
	bool cycle = false;

	if (!resolve(s->tree, q, ref, &f) || ++s->visits > VISITS_MAX ||
	    state_of(&f, &at, &dir) != DEPEND_WAIT)
		return false;
	if (strcmp(f.key, s->start) == 0) {
		print_cycle(s, ref);
		return true;
	}
	if (dir != Q_PATCHES && dir != Q_HELD)
		return false;
	key_queue_file(&at, name);
	if (spool_read_json(f.q->dir[dir], name, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		cycle = search_patch(s, f.q, job.patch, job.env.id);
		job_free(&job);
	}
	json_decref(doc);
	return cycle;
}

static bool
search_patch(struct search *s, struct queue_tree *q, const json_t *patch,
    const char *id)
{
	const json_t *list = json_object_get(patch, "dependencies");
	const json_t *ref;
	size_t i;
	bool cycle = false;

	if (s->depth + 1 >= DEPTH_MAX)
		return false;
	s->trail[++s->depth] = id;
	json_array_foreach (list, i, ref) {
		cycle = json_is_string(ref) &&
			search_one(s, q, json_string_value(ref));
		if (cycle)
			break;
	}
	s->trail[s->depth--] = NULL;
	return cycle;
}

static bool
is_cyclic(struct tree *t, const struct queue_tree *q, const char *id,
    const json_t *patch, char why[512])
{
	struct search s = {.tree = t, .depth = -1, .why = why};
	struct queue_tree *own = tree_queue(t, q->name);
	struct found f;

	if (own == NULL || !look_up(t, own, id, &f))
		return false;
	s.start = f.key;
	return search_patch(&s, own, patch, id);
}

/* A bare id is that patch in every queue that knows it: the worst counts. */
static enum depend
state_of_ref(struct tree *t, const char *ref)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];
	enum depend worst = DEPEND_READY;
	bool known = false;

	if (key_parse_ref(ref, id, queue) == -1)
		return DEPEND_WAIT;
	for (size_t i = 0; i < t->queue_count; i++) {
		struct queue_tree *q = &t->queues[i];
		struct queue_name at;
		enum queue_dir dir;
		struct found f;
		enum depend one;

		if ((queue[0] != '\0' && strcmp(queue, q->name) != 0) ||
		    !look_up(t, q, id, &f))
			continue;
		known = true;
		one = state_of(&f, &at, &dir);
		if (one > worst)
			worst = one;
	}
	return known ? worst : DEPEND_WAIT;
}

enum depend
depend_check(struct tree *t, const struct queue_tree *q, const char *id,
    const json_t *patch, char why[512])
{
	const json_t *list = json_object_get(patch, "dependencies");
	enum depend all = DEPEND_READY;
	const json_t *ref;
	size_t i;

	why[0] = '\0';
	json_array_foreach (list, i, ref) {
		const char *name = json_string_value(ref);
		enum depend one = DEPEND_WAIT;

		if (name != NULL)
			one = state_of_ref(t, name);
		if (one <= all)
			continue;
		all = one;
		if (snprintf(why, 512,
			one == DEPEND_FAILED ? "%s was not completed"
					     : "waits for %s",
			name != NULL ? name : "nothing") < 0)
			why[0] = '\0';
		if (one == DEPEND_FAILED)
			return one;
	}
	if (all == DEPEND_WAIT) {
		char cycle[512] = "";

		if (is_cyclic(t, q, id, patch, cycle)) {
			if (snprintf(why, 512,
				"dependencies in a circle: "
				"%.480s",
				cycle) < 0)
				why[0] = '\0';
			return DEPEND_FAILED;
		}
	}
	return all;
}
