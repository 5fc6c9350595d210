/* SPDX-License-Identifier: ISC */
/* Checked state documents. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/state.h"

int
state_open(struct state *s, struct tree *t, const char *name)
{
	*s = (struct state){.tree = t, .dir = -1, .tmp = -1};
	s->dir = tree_state(t, name, &s->tmp);
	/* Ours alone: what is in tmp was left by a predecessor. */
	return s->dir == -1 || spool_sweep_tmp(s->tmp, SPOOL_DEAD_WRITERS) == -1
		   ? -1
		   : 0;
}

void
state_close(struct state *s)
{
	if (s->dir != -1)
		(void)close(s->dir);
	if (s->tmp != -1)
		(void)close(s->tmp);
	s->dir = s->tmp = -1;
}

int
state_load(const struct state *s, const char *file, const char *format,
    json_t **doc)
{
	int found = spool_read_json(s->dir, file, doc);
	const char *says = json_string_value(json_object_get(*doc, "format"));

	if (found == 0 || (found == -1 && errno != EBADMSG))
		return found;
	if (found == 1 && says != NULL && strcmp(says, format) == 0)
		return 1;
	json_decref(*doc);
	*doc = NULL;
	if (tree_set_aside(s->tree, s->dir, "state", file) == SPOOL_REFUSED)
		return -1;
	errno = EBADMSG;
	return -1;
}

enum spool_answer
state_save(const struct state *s, const char *file, const json_t *doc)
{
	return spool_replace_json(s->tmp, s->dir, file, doc);
}

enum spool_answer
state_remove(const struct state *s, const char *file)
{
	return spool_remove(s->dir, file);
}
