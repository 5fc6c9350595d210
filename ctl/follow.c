/* SPDX-License-Identifier: ISC */
#include "ctl/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "ctl/show.h"

#define PAUSE_MS 100 /* between two looks */

int64_t
follow_deadline(const char *span)
{
	int64_t ms;

	if (clock_parse_span(span, &ms) == 0)
		return clock_mono_ms() + ms;
	ctl_say("\"%s\" is no span of time such as 30s", span);
	return -1;
}

bool
follow_pause(int64_t deadline)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	if (clock_mono_ms() >= deadline)
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}

static int
tell(struct look *l, json_t *json)
{
	if (json != NULL)
		json_array_append_new(json, show_brief(l));
	else {
		show_line(l);
		(void)fflush(stdout);
	}
	return look_status(l);
}

static int
tell_late(struct look *l, json_t *json)
{
	if (json != NULL)
		json_array_append_new(json, show_brief(l));
	else
		ctl_say("%s: not in time, %s", look_ref(l), show_words(l));
	return CTL_TEMPORARY;
}

int
follow_looks(struct ctl *c, struct look *looks, int count, int64_t deadline,
    json_t *json)
{
	int i, left = count, status = CTL_DONE;
	bool *told = xcalloc((size_t)count + 1, sizeof(*told));

	do {
		for (i = 0; i < count; i++) {
			/* unreadable for a moment is unreadable for good only
			 * when the deadline says so */
			if (told[i] || look_refresh(c, &looks[i]) == -1 ||
			    !look_is_over(&looks[i]))
				continue;
			status = ctl_worse(status, tell(&looks[i], json));
			told[i] = true;
			left--;
		}
	} while (left > 0 && follow_pause(deadline));
	for (i = 0; i < count; i++)
		if (!told[i])
			status = ctl_worse(status, tell_late(&looks[i], json));
	free(told);
	return status;
}
