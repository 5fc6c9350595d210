/* SPDX-License-Identifier: ISC */
/* The patch's control group, and the words about there being none. */
#include <stdlib.h>

#include "common/log.h"
#include "executor/executor.h"
#include "executor/group.h"

#define TOLD "limits.json"
#define TOLD_FORMAT "patchflow-limits-1"

static bool
was_told(struct executor *ex)
{
	json_t *doc = NULL;
	bool weak = state_load(&ex->state, TOLD, TOLD_FORMAT, &doc) == 1 &&
		    json_is_true(json_object_get(doc, "weak"));

	json_decref(doc);
	return weak;
}

static void
note_told(struct executor *ex, bool weak)
{
	json_t *doc =
	    json_pack("{s:s,s:b}", "format", TOLD_FORMAT, "weak", weak);

	if (state_save(&ex->state, TOLD, doc) != SPOOL_DONE)
		log_warn(TOLD ": not written");
	json_decref(doc);
	ex->limits_weak = weak;
}

static void
tell(struct executor *ex, bool weak)
{
	struct alert a = {.type = "limits-weak",
	    .component = ex->instance,
	    .subject = ex->q->name,
	    .severity = weak ? ALERT_WARNING : ALERT_INFO,
	    .queue = ex->q->name,
	    .resolved = !weak};
	char *text;

	if (weak == ex->limits_weak)
		return;
	text = weak ? xasprintf("queue %s: limits are held by rlimits, which "
				"hold less than a control group: %s",
			  ex->q->name, ex->cgroup.why)
		    : xasprintf("queue %s: limits are held by %s again",
			  ex->q->name, cgroup_word(&ex->cgroup));
	a.text = text;
	executor_alert(ex, &a);
	note_told(ex, weak);
	status_write(ex);
	free(text);
}

void
group_open(struct executor *ex)
{
	struct cgroup *g = &ex->cgroup;

	ex->limits_weak = was_told(ex);
	cgroup_open(g, ex->instance, ex->tree->path);
	log_info("limits by %s%s%s", cgroup_word(g),
	    g->why[0] != '\0' ? ": " : "", g->why);
}

/* What does not last is looked at anew: it may be over, or our group was
 * taken away under us. */
const struct cgroup *
group_begin(struct executor *ex)
{
	struct cgroup *g = &ex->cgroup;
	const struct limits *l = &ex->run.plan.limits;
	bool made = cgroup_make(g, l) == 0;

	if (!made && (g->had || g->passing)) {
		/* It is in the group that may have to be emptied. */
		ahead_drop(&ex->ahead);
		cgroup_open(g, ex->instance, ex->tree->path);
		made = cgroup_make(g, l) == 0;
	}
	tell(ex, !made && (g->had || g->passing));
	return made ? g : NULL;
}
