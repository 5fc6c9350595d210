/* SPDX-License-Identifier: ISC */
/*
 * Circles among patches that wait for one another: Tarjan's strongly
 * connected components, without recursion, each patch visited once in the
 * life of a struct depends.
 */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/depend_part.h"

static void
reach(struct depends *d, struct depend_node *n, struct depend_node *from)
{
	depend_edges(d, n);
	n->number = n->low = ++d->counter;
	n->up = from;
	n->rest = d->stack;
	n->stacked = true;
	d->stack = n;
}

static bool
needs_itself(const struct depend_node *n)
{
	for (size_t i = 0; i < n->edge_count; i++) {
		if (n->edges[i] == n)
			return true;
	}
	return false;
}

/* All above n on the stack, and n, reach one another: one group. */
static void
leave(struct depends *d, struct depend_node *n)
{
	bool alone = d->stack == n && !needs_itself(n);
	struct depend_node *m;

	if (n->low != n->number)
		return;
	do {
		m = d->stack;
		d->stack = m->rest;
		m->stacked = false;
		m->group = alone ? 0 : n->number;
	} while (m != n);
}

static void
lower(struct depend_node *n, int to)
{
	if (to < n->low)
		n->low = to;
}

/* One edge further, or back to where n was reached from. */
static struct depend_node *
step(struct depends *d, struct depend_node *n)
{
	struct depend_node *next, *up = n->up;

	if (n->edge_at < n->edge_count) {
		next = n->edges[n->edge_at++];
		if (next->number == 0) {
			reach(d, next, n);
			return next;
		}
		if (next->stacked)
			lower(n, next->number);
		return n;
	}
	leave(d, n);
	if (up != NULL)
		lower(up, n->low);
	return up;
}

/* A walk within a group: nodes seen, in the order they were. */
struct walk {
	struct depend_node **queue; /* as long as there are nodes */
	size_t tail;
	int mark; /* in low of those that were seen */
};

/* One step from n on; true when it came back to start. */
static bool
walk_on(struct walk *w, struct depend_node *n, struct depend_node *start)
{
	for (size_t i = 0; i < n->edge_count; i++) {
		struct depend_node *next = n->edges[i];

		if (next == start) {
			start->up = n;
			return true;
		}
		if (next->group != start->group || next->low == w->mark)
			continue;
		next->low = w->mark;
		next->up = n;
		w->queue[w->tail++] = next;
	}
	return false;
}

/* Comes back to start by the shortest way: breadth first. */
static bool
walk_back(struct walk *w, struct depend_node *start)
{
	w->queue[w->tail++] = start;
	for (size_t head = 0; head < w->tail; head++)
		if (walk_on(w, w->queue[head], start))
			return true;
	return false;
}

static json_t *
spell(struct depend_node *start)
{
	json_t *list = json_array();
	struct depend_node *n = start;

	/* up leads backwards, from the last member to the first. */
	do {
		n = n->up;
		json_array_insert_new(list, 0, json_string(n->ref));
	} while (n != start);
	return list;
}

json_t *
depend_circle(struct depends *d, struct depend_node *n)
{
	struct depend_node *at = n;
	struct walk w = {0};
	json_t *list = NULL;

	if (n->number == 0) {
		reach(d, n, NULL);
		while (at != NULL)
			at = step(d, at);
	}
	if (n->group == 0)
		return NULL;
	w.queue = xcalloc((size_t)d->counter + 1, sizeof(struct depend_node *));
	/* Marks below all numbers, another one for each walk. */
	w.mark = -++d->walks;
	if (walk_back(&w, n))
		list = spell(n);
	free(w.queue);
	return list;
}
