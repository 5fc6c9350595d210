/* SPDX-License-Identifier: ISC */
/* state/executor@QUEUE/queue.json: what the command shows of us. */
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/executor.h"
#include "executor/utf8.h"

static json_t *
running(const struct executor *ex)
{
	const struct run *r = &ex->run;
	char since[ISO_TIME_SIZE];

	if (!r->active)
		return json_null();
	clock_iso(r->started_us, since);
	return json_pack("{s:s,s:s,s:i,s:s}", "id", r->job.env.id, "key",
	    r->name.key, "attempt", r->name.attempt, "since", since);
}

void
status_write(struct executor *ex)
{
	/* Chosen when the workspace is there, and not known before. */
	bool known = ex->workspace.fd != -1;
	const struct cgroup *g = &ex->cgroup;
	json_t *doc;

	if (ex->dry.on)
		return;
	/* Texts with paths in them, cut where they are too long. */
	doc = json_pack("{s:s,s:s,s:o,s:s,s:s,s:o,s:b,s:s,s:o,s:o,s:o}",
	    "format", "patchflow-queue-1", "isolation",
	    known ? jail_way_name[ex->isolation] : "", "why",
	    utf8_string(ex->why), "durability",
	    known ? durability_name[ex->durability] : "", "limits",
	    known ? cgroup_word(g) : "", "limits_why", utf8_string(g->why),
	    "paused", ex->paused, "workspace", ex->queue->workspace, "staging",
	    utf8_string(ex->place.dir != -1 ? ex->place.path : ""), "hold",
	    utf8_string(ex->hold), "running", running(ex));
	if (state_save(&ex->state, "queue.json", doc) != SPOOL_DONE)
		log_warn("queue.json: not written");
	json_decref(doc);
}
