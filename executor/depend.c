/* SPDX-License-Identifier: ISC */
/* States of other patches, and what they mean for one that needs them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/ids.h"
#include "common/outcome.h"
#include "executor/depend_part.h"

#define LOOKS 3         /* before a patch is said to be nowhere */
#define CIRCLE_SHOWN 16 /* members in the text; all stand in the outcome */

int
depend_compare(const struct depend_node *a, const struct depend_node *b)
{
	return strcmp(a->ref, b->ref);
}

RB_GENERATE(depend_nodes, depend_node, entry, depend_compare)

void
depends_open(struct depends *d, struct tree *t)
{
	memset(d, 0, sizeof(*d));
	d->tree = t;
	RB_INIT(&d->nodes);
}

void
depends_close(struct depends *d)
{
	struct depend_node *n;

	while ((n = RB_MIN(depend_nodes, &d->nodes)) != NULL) {
		(void)RB_REMOVE(depend_nodes, &d->nodes, n);
		json_decref(n->circle);
		free(n->edges);
		free(n->ref);
		free(n);
	}
}

static void
set_state(struct depend_node *n, enum depend state, const char *words)
{
	n->state = state;
	(void)strlcpy(n->words, words, sizeof(n->words));
}

/* Members as settle writes them: "ID@QUEUE", at least one. */
static bool
is_circle(const json_t *list)
{
	const json_t *ref;
	size_t i;

	json_array_foreach (list, i, ref) {
		if (!json_is_string(ref) ||
		    strchr(json_string_value(ref), '@') == NULL)
			return false;
	}
	return json_array_size(list) > 0;
}

/* 1 judged by the outcome of that attempt, 0 there is none, -1 not now. */
static int
judge_outcome(struct depend_node *n, int attempt)
{
	enum box_dir box = tree_find_outcome(n->q, n->key, attempt);
	char name[NAME_SIZE];
	json_t *doc = NULL;
	struct outcome o;
	int found;

	if (box == BOX__MAX)
		return 0;
	key_outcome_file(n->key, attempt, name);
	found = spool_read_json(n->q->outcomes.dir[box], name, &doc);
	if (found == 1 && outcome_decode(doc, &o) == 0) {
		set_state(n,
		    o.state == OUTCOME_COMPLETED ? DEPEND_READY : DEPEND_FAILED,
		    outcome_words(&o));
		if (is_circle(json_object_get(doc, "circle")))
			n->circle = json_incref(json_object_get(doc, "circle"));
		outcome_free(&o);
		json_decref(doc);
		return 1;
	}
	json_decref(doc);
	/* Taken on to the next box, or broken: the next look tells. */
	return found == 1 ? 0 : -1;
}

/* Where it ended, or nowhere: its outcome tells how. */
static void
judge_ended(struct depend_node *n, int attempt)
{
	int judged = judge_outcome(n, attempt);

	if (judged == -1) {
		set_state(n, DEPEND_WAIT, "being settled");
	} else if (judged == 0 && n->dir == Q_COMPLETED) {
		set_state(n, DEPEND_READY, "completed");
	} else if (judged == 0 && n->dir == Q_FAILED) {
		set_state(n, DEPEND_FAILED, "failed");
	} else if (judged == 0) {
		n->forgotten = true;
		set_state(n, DEPEND_FAILED, "forgotten");
	}
}

/* Nowhere is an answer that must be sure: a file that goes back into the
 * queue may pass behind one look, but hardly behind three. */
static int
find_key(struct depend_node *n, int attempt)
{
	for (int i = 0; i < LOOKS; i++) {
		n->dir = tree_find_key(n->q, n->key, attempt, &n->at);
		if (n->dir != Q__MAX)
			return n->at.attempt;
		if (errno != 0)
			return -1;
		if (tree_find_outcome(n->q, n->key, attempt) != BOX__MAX)
			break;
	}
	return attempt;
}

static void
look_at(struct depends *d, struct depend_node *n, const char *id)
{
	struct ids_entry *list = NULL;
	int count = ids_lookup(d->tree, n->q->name, id, &list);
	int attempt = 0;
	bool pending = false;

	set_state(n, DEPEND_WAIT, "not handed in");
	n->dir = Q__MAX;
	if (count > 0) {
		(void)strlcpy(n->key, list[count - 1].key, sizeof(n->key));
		attempt = list[count - 1].attempt;
		pending = list[count - 1].pending;
		free(list);
	}
	if (count < 0 || pending)
		set_state(n, DEPEND_WAIT, "being accepted");
	if (count <= 0 || pending)
		return;
	attempt = find_key(n, attempt);
	if (attempt == -1)
		set_state(n, DEPEND_WAIT, "not readable");
	else if (n->dir < Q_COMPLETED)
		set_state(n, DEPEND_WAIT, queue_dir_state[n->dir]);
	else
		judge_ended(n, attempt);
}

struct depend_node *
depend_node(struct depends *d, const struct queue_tree *q, const char *id)
{
	struct depend_node *n, wanted = {.ref = NULL};

	wanted.ref = xasprintf("%s@%s", id, q->name);
	n = RB_FIND(depend_nodes, &d->nodes, &wanted);
	if (n != NULL) {
		free(wanted.ref);
		return n;
	}
	n = xcalloc(1, sizeof(*n));
	n->ref = wanted.ref;
	n->q = q;
	look_at(d, n, id);
	(void)RB_INSERT(depend_nodes, &d->nodes, n);
	return n;
}

/* Calls on each patch that ref names, one a queue: how many are known. */
static int
resolve(struct depends *d, const char *ref,
    void (*on)(void *owner, struct depend_node *n), void *owner)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];
	int known = 0;

	if (key_parse_ref(ref, id, queue) == -1)
		return 0;
	for (size_t i = 0; i < d->tree->queue_count; i++) {
		const struct queue_tree *q = &d->tree->queues[i];
		struct depend_node *n;

		if (queue[0] != '\0' && strcmp(queue, q->name) != 0)
			continue;
		n = depend_node(d, q, id);
		if (n->key[0] == '\0' && n->state == DEPEND_WAIT &&
		    strcmp(n->words, "not handed in") == 0)
			continue;
		known++;
		on(owner, n);
	}
	return known;
}

static void
add_edge(void *owner, struct depend_node *to)
{
	struct depend_node *n = owner;

	if (to->state != DEPEND_WAIT)
		return;
	n->edges = xreallocarray(n->edges, n->edge_count + 1,
	    sizeof(struct depend_node *));
	n->edges[n->edge_count++] = to;
}

static void
add_edges(struct depends *d, struct depend_node *n, const json_t *patch)
{
	const json_t *list = json_object_get(patch, "dependencies"), *ref;
	size_t i;

	n->has_edges = true;
	json_array_foreach (list, i, ref) {
		if (json_is_string(ref))
			(void)resolve(d, json_string_value(ref), add_edge, n);
	}
}

void
depend_edges(struct depends *d, struct depend_node *n)
{
	char name[NAME_SIZE];
	json_t *doc = NULL;
	struct job job;

	if (n->has_edges || (n->dir != Q_PATCHES && n->dir != Q_HELD))
		return;
	n->has_edges = true;
	key_queue_file(&n->at, name);
	if (spool_read_json(n->q->dir[n->dir], name, &doc) == 1 &&
	    job_decode(doc, &job) == 0) {
		add_edges(d, n, job.patch);
		job_free(&job);
	}
	json_decref(doc);
}

struct worst {
	struct depend_answer *a;
	const char *self; /* ID@QUEUE of who needs them */
};

/* Where self stands in the circle; its size where it does not. A member that
 * was rejected before us tells of ours as well. */
static size_t
place_in(const json_t *circle, const char *self)
{
	const json_t *ref;
	size_t i;

	json_array_foreach (circle, i, ref) {
		if (strcmp(json_string_value(ref), self) == 0)
			break;
	}
	return i;
}

static void
weigh(void *owner, struct depend_node *n)
{
	struct worst *w = owner;
	struct depend_answer *a = w->a;

	if (place_in(n->circle, w->self) < json_array_size(n->circle)) {
		json_decref(a->circle);
		a->circle = json_incref(n->circle);
	}
	if (n->state <= a->state)
		return;
	a->state = n->state;
	if (snprintf(a->why, sizeof(a->why),
		n->state == DEPEND_WAIT ? "waits for %s, which is %s"
		: n->forgotten
		    ? "needs %s, which ended so long ago that nothing tells "
		      "how"
		    : "needs %s, which is %s",
		n->ref, n->words) < 0)
		a->why[0] = '\0';
}

static const char *
member(const json_t *circle, size_t i)
{
	return json_string_value(
	    json_array_get(circle, i % json_array_size(circle)));
}

static bool
is_of_one_queue(const json_t *circle)
{
	const char *first = strrchr(member(circle, 0), '@');

	for (size_t i = 1; i < json_array_size(circle); i++) {
		if (strcmp(strrchr(member(circle, i), '@'), first) != 0)
			return false;
	}
	return true;
}

/* "a -> b -> a", with the queues where there is more than one. */
static void
say_circle(struct depend_answer *a)
{
	size_t count = json_array_size(a->circle);
	bool plain = is_of_one_queue(a->circle);
	struct buf b = {0};

	buf_puts(&b, "dependencies in a circle: ");
	for (size_t i = 0; i <= count; i++) {
		const char *ref = member(a->circle, i);
		const char *end = plain ? strrchr(ref, '@') : strchr(ref, 0);

		if (i == CIRCLE_SHOWN && count > CIRCLE_SHOWN + 1) {
			buf_printf(&b, "... (%zu more) -> ", count - i);
			i = count - 1;
			continue;
		}
		buf_add(&b, ref, (size_t)(end - ref));
		buf_puts(&b, i < count ? " -> " : "");
	}
	(void)strlcpy(a->why, b.bytes, sizeof(a->why));
	buf_free(&b);
}

/* It begins with us, whoever told. */
static void
turn_circle(struct depend_answer *a, const char *self)
{
	size_t from = place_in(a->circle, self);
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(a->circle); i++)
		json_array_append_new(list,
		    json_string(member(a->circle, from + i)));
	json_decref(a->circle);
	a->circle = list;
}

static void
check_circle(struct depends *d, const struct queue_tree *q,
    const struct job *job, struct depend_answer *a)
{
	struct depend_node *n = depend_node(d, q, job->env.id);

	if (!n->has_edges)
		add_edges(d, n, job->patch);
	a->circle = depend_circle(d, n);
	if (a->circle != NULL)
		a->state = DEPEND_FAILED;
}

void
depends_check(struct depends *d, const struct job *job, bool circles,
    struct depend_answer *a)
{
	const json_t *list = json_object_get(job->patch, "dependencies"), *ref;
	const struct queue_tree *own = tree_queue(d->tree, job->env.queue);
	struct worst w = {.a = a};
	char *self = xasprintf("%s@%s", job->env.id, job->env.queue);
	size_t i;

	w.self = self;
	memset(a, 0, sizeof(*a));
	json_array_foreach (list, i, ref) {
		const char *name = json_string_value(ref);

		if (name != NULL && resolve(d, name, weigh, &w) > 0)
			continue;
		if (a->state < DEPEND_WAIT &&
		    snprintf(a->why, sizeof(a->why),
			"waits for %s, which nobody has handed in yet",
			name != NULL ? name : "nothing") < 0)
			a->why[0] = '\0';
		if (a->state < DEPEND_WAIT)
			a->state = DEPEND_WAIT;
	}
	if (a->state == DEPEND_WAIT && circles && own != NULL)
		check_circle(d, own, job, a);
	if (a->circle != NULL) {
		turn_circle(a, self);
		say_circle(a);
	}
	free(self);
}
