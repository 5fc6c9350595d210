/* SPDX-License-Identifier: ISC */
/* upgrade: the supervisor takes its new file, the daemons run on. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

#define UPGRADE_MS 30000

/* What the supervisor says of itself; NULL when it does not answer, which may
 * be for a moment while it executes itself. Owned. */
static json_t *
ask_watchdog(struct ctl *c)
{
	json_t *answer = NULL, *w = NULL;

	if (control_ask(c, "status", NULL, &answer) == 0)
		w = json_incref(json_object_get(answer, "watchdog"));
	json_decref(answer);
	return w;
}

static json_int_t
count_of(const json_t *w)
{
	return json_integer_value(json_object_get(w, "upgrades"));
}

/* NULL when the time is over, or what it says when it is decided. Owned. */
static json_t *
follow(struct ctl *c, json_int_t before)
{
	int64_t deadline = clock_mono_ms() + UPGRADE_MS;
	json_t *w;

	do {
		w = ask_watchdog(c);
		if (w != NULL &&
		    (count_of(w) > before ||
			out_string(w, "upgrade_refused")[0] != '\0'))
			return w;
		json_decref(w);
	} while (follow_pause(deadline));
	return NULL;
}

static int
tell(struct ctl *c, const json_t *w, json_int_t before)
{
	bool done = count_of(w) > before;

	if (c->json)
		out_json(json_pack("{s:b, s:s, s:s}", "ok", done, "version",
		    out_string(w, "version"), "refused",
		    out_string(w, "upgrade_refused")));
	else if (done)
		(void)printf("the supervisor is version %s now; the daemons "
			     "were not touched\n",
		    out_string(w, "version"));
	if (w == NULL)
		ctl_say("not done yet; see patchflow status");
	else if (!done)
		ctl_say("the old one runs on: %s",
		    out_string(w, "upgrade_refused"));
	if (w == NULL)
		return CTL_TEMPORARY;
	return done ? CTL_DONE : CTL_FAILED;
}

int
run_upgrade(struct ctl *c)
{
	json_t *w, *answer = NULL;
	json_int_t before;
	int status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	w = ask_watchdog(c);
	before = count_of(w);
	json_decref(w);
	status = control_order(c, "upgrade", NULL, &answer);
	json_decref(answer);
	if (status != CTL_DONE)
		return status;
	w = follow(c, before);
	status = tell(c, w, before);
	json_decref(w);
	return status;
}
