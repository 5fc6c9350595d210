/* SPDX-License-Identifier: ISC */
/* Pairs of a needed id and a held file, by the id. */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/waits.h"

struct wait {
	RB_ENTRY(wait) entry;
	STAILQ_ENTRY(wait) next;
	char *id;
	char file[NAME_SIZE];
};

static int
compare(const struct wait *a, const struct wait *b)
{
	int order = strcmp(a->id, b->id);

	return order != 0 ? order : strcmp(a->file, b->file);
}

RB_PROTOTYPE(wait_tree, wait, entry, compare)
RB_GENERATE(wait_tree, wait, entry, compare)

static void
drop(struct wait *one)
{
	free(one->id);
	free(one);
}

static void
add(struct waits *w, const char *ref, const char *file)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];
	struct wait *one;

	if (w->count == WAITS_MAX || key_parse_ref(ref, id, queue) == -1)
		return;
	one = xcalloc(1, sizeof(*one));
	one->id = xstrdup(id);
	(void)strlcpy(one->file, file, sizeof(one->file));
	if (RB_INSERT(wait_tree, &w->by_id, one) != NULL)
		drop(one);
	else
		w->count++;
}

void
waits_add(struct waits *w, const json_t *patch, const char *file)
{
	const json_t *list = json_object_get(patch, "dependencies"), *ref;
	size_t i;

	json_array_foreach (list, i, ref) {
		if (json_is_string(ref))
			add(w, json_string_value(ref), file);
	}
}

void
waits_tell(struct waits *w, const char *id)
{
	/* Before every file of that id. */
	struct wait first = {.id = xstrdup(id)}, *one, *after;

	if (w->due.stqh_last == NULL)
		STAILQ_INIT(&w->due);
	for (one = RB_NFIND(wait_tree, &w->by_id, &first);
	     one != NULL && strcmp(one->id, id) == 0; one = after) {
		after = RB_NEXT(wait_tree, &w->by_id, one);
		(void)RB_REMOVE(wait_tree, &w->by_id, one);
		w->count--;
		STAILQ_INSERT_TAIL(&w->due, one, next);
	}
	free(first.id);
}

bool
waits_are_due(const struct waits *w)
{
	return STAILQ_FIRST(&w->due) != NULL;
}

bool
waits_take(struct waits *w, char file[NAME_SIZE])
{
	struct wait *one = STAILQ_FIRST(&w->due);

	if (one == NULL)
		return false;
	STAILQ_REMOVE_HEAD(&w->due, next);
	(void)strlcpy(file, one->file, NAME_SIZE);
	drop(one);
	return true;
}

void
waits_clear(struct waits *w)
{
	struct wait *one;

	while ((one = RB_MIN(wait_tree, &w->by_id)) != NULL) {
		(void)RB_REMOVE(wait_tree, &w->by_id, one);
		drop(one);
	}
	w->count = 0;
}

void
waits_free(struct waits *w)
{
	char file[NAME_SIZE];

	waits_clear(w);
	while (waits_take(w, file))
		;
}
