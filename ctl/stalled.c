/* SPDX-License-Identifier: ISC */
#include "ctl/stalled.h"

#include <stdlib.h>

#include "common/buf.h"
#include "ctl/control.h"
#include "ctl/out.h"
#include "ctl/status.h"

/* Whose claim it was is gone; its successor knows by the record. */
static char *
without_executor(enum queue_dir dir)
{
	return xstrdup(
	    dir == Q_RUNNING
		? "was interrupted: its executor is not running, and "
		  "completes it or runs it again when it starts"
		: "its executor is not running");
}

static char *
by_note(const struct queue_tree *q, const json_t *note, enum queue_dir dir)
{
	const char *hold = out_string(note, "hold");

	if (dir == Q_RUNNING &&
	    json_is_object(json_object_get(note, "running")))
		return NULL;
	if (hold[0] != '\0')
		return xasprintf("%s is held: %s", q->name, hold);
	if (dir == Q_PATCHES && json_is_true(json_object_get(note, "paused")))
		return xasprintf("%s is paused until `patchflow resume %s'",
		    q->name, q->name);
	return NULL;
}

char *
stalled_describe(struct ctl *c, const struct queue_tree *q, enum queue_dir dir)
{
	char *name, *why = NULL;
	json_t *note;

	if (dir != Q_PATCHES && dir != Q_RUNNING)
		return NULL;
	name = xasprintf("executor@%s", q->name);
	note = status_state(c, name, "queue.json");
	if (!control_is_running(c, name))
		why = without_executor(dir);
	else
		why = by_note(q, note, dir);
	json_decref(note);
	free(name);
	return why;
}
