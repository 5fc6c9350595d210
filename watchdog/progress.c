/* SPDX-License-Identifier: ISC */
/*
 * An executor that beats and is idle while a patch lies before it is not
 * well, whatever its beats say: after two looks it is restarted, and told
 * about; if that does not help, less and less often.
 */
#include <stdio.h>
#include <string.h>

#include "watchdog/watchdog.h"

#define PATIENCE 2      /* looks before the first restart */
#define PATIENCE_MAX 64 /* half an hour at the default interval */

static struct check_queue *
remembered(struct check *c, const char *queue)
{
	struct check_queue *q;
	size_t i;

	for (i = 0; i < c->queue_count; i++)
		if (strcmp(c->queues[i].name, queue) == 0)
			return &c->queues[i];
	if (c->queue_count == CHECK_QUEUES)
		return NULL;
	q = &c->queues[c->queue_count++];
	(void)strlcpy(q->name, queue, sizeof q->name);
	q->patience = PATIENCE;
	return q;
}

static bool
is_idle(const struct service *s, const struct glance *g)
{
	return s != NULL && s->fsm.state == FSM_READY && s->busy_ms == 0 &&
	       !g->is_running;
}

static void
note(struct watchdog *w, const char *queue, const char *first, bool holds)
{
	char text[320];
	struct finding f = {.type = "queue-stuck",
	    .subject = queue,
	    .queue = queue,
	    .text = text,
	    .holds = holds};

	if (holds)
		(void)snprintf(text, sizeof text,
		    "executor@%s is idle beside %s; it is restarted", queue,
		    first);
	else
		(void)snprintf(text, sizeof text, "queue %s moves again",
		    queue);
	check_note(w, &f);
}

static void
moved(struct watchdog *w, struct check_queue *seen, const char *first,
    uint64_t work)
{
	seen->idle = 0;
	seen->work = work;
	seen->patience = PATIENCE;
	(void)strlcpy(seen->first, first != NULL ? first : "",
	    sizeof seen->first);
	note(w, seen->name, NULL, false);
}

void
check_progress(struct watchdog *w, const char *queue, const struct glance *g)
{
	struct check_queue *seen = remembered(&w->check, queue);
	const char *first = g->first[0] != '\0' ? g->first : NULL;
	char instance[SERVICE_NAME];
	struct service *s;

	(void)snprintf(instance, sizeof instance, "executor@%s", queue);
	s = roster_find(w, instance);
	if (seen == NULL)
		return;
	if (first == NULL || strcmp(first, seen->first) != 0) {
		moved(w, seen, first, s != NULL ? s->work : 0);
		return;
	}
	/* The same patch is still first. Work on others, being busy, starting
	 * up or a pause are all good reasons; they only reset the count. */
	if (!is_idle(s, g) || s->work != seen->work || g->is_held) {
		seen->idle = 0;
		seen->work = s != NULL ? s->work : 0;
		return;
	}
	if (++seen->idle < seen->patience)
		return;
	seen->idle = 0;
	if (seen->patience < PATIENCE_MAX)
		seen->patience *= 2;
	note(w, queue, first, true);
	supervise_feed(s, FSM_EV_STUCK);
}
