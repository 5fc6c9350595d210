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

/* A walk within the group that comes back to start: breadth first, so the
 * shortest. queue is as long as there are nodes. */
static bool
walk_back(struct depend_node *start, struct depend_node **queue, int mark)
{
	size_t head = 0, tail = 0;

	queue[tail++] = start;
	while (head < tail) {
		struct depend_node *n = queue[head++];

		for (size_t i = 0; i < n->edge_count; i++) {
			struct depend_node *next = n->edges[i];

			if (next == start) {
				start->up = n;
				return true;
			}
			if (next->group != start->group || next->low == mark)
				continue;
			next->low = mark;
			next->up = n;
			queue[tail++] = next;
		}
	}
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
	struct depend_node **queue, *at = n;
	json_t *list = NULL;

	if (n->number == 0) {
		reach(d, n, NULL);
		while (at != NULL)
			at = step(d, at);
	}
	if (n->group == 0)
		return NULL;
	queue = xcalloc((size_t)d->counter + 1, sizeof(*queue));
	/* Marks below all numbers, another one for each walk. */
	if (walk_back(n, queue, -++d->walks))
		list = spell(n);
	free(queue);
	return list;
}
