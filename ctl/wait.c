/* SPDX-License-Identifier: ISC */
/* wait: until the summaries are published. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/look.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

#define INTAKE_MS 10000 /* for the bridge to take in what lies in the inbox */

/* Adds what ref names to *all; 0, or -1 after a complaint. */
static int
collect(struct ctl *c, const char *ref, struct look **all, int *count)
{
	struct look *found;
	int n = looks_find(c, ref, &found);

	if (n <= 0)
		return -1;
	*all = xreallocarray(*all, (size_t)*count + (size_t)n, sizeof(**all));
	memcpy(*all + *count, found, (size_t)n * sizeof(*found));
	*count += n;
	free(found); /* the array; its members moved */
	return 0;
}

/* What was submitted a moment ago has no id before the bridge has seen it. */
static void
await_intake(struct ctl *c, const char *ref, int64_t deadline)
{
	int64_t until = clock_mono_ms() + INTAKE_MS;
	bool empty;

	if (until > deadline)
		until = deadline;
	do
		empty = look_inbox_is_empty(c);
	while (!look_is_known(c, ref) && !empty &&
	       control_is_running(c, "ghost-bridge") && follow_pause(until));
}

static int
wait_for_all(struct ctl *c, int64_t deadline)
{
	struct look *looks = NULL;
	json_t *json;
	int i, count = 0, status = CTL_DONE;

	for (i = 0; i < c->argc; i++)
		await_intake(c, c->argv[i], deadline);
	for (i = 0; i < c->argc; i++)
		if (collect(c, c->argv[i], &looks, &count) == -1)
			status = CTL_FAILED;
	json = c->json ? json_array() : NULL;
	if (status == CTL_DONE)
		status = follow_looks(c, looks, count, deadline, json);
	if (c->json)
		out_list(json, status);
	looks_free(looks, count);
	return status;
}

int
run_wait(struct ctl *c)
{
	static const struct option words[] = {
	    {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	int64_t deadline = FOLLOW_FOREVER;
	int opt, status;

	while ((opt = ctl_option(c, "", words)) != -1) {
		if (opt != 't' || (deadline = follow_deadline(optarg)) == -1)
			return CTL_USAGE;
	}
	if (c->argc == 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? wait_for_all(c, deadline) : status;
}
