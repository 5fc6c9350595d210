/* SPDX-License-Identifier: ISC */
/*
 * What the summarizer may still change: the spool, the destinations, and what
 * final.summaryFile may name. It renders whatever commands have printed.
 */
#include <string.h>

#include "summarizer/summarizer.h"

void
summarizer_confine(struct summarizer *s)
{
	const struct summary_settings *set = &s->settings->summaries;

	sandbox_allow(&s->sandbox, s->tree->path);
	for (size_t i = 0; i < set->destination_count; i++) {
		const struct destination_settings *d = &set->destinations[i];

		if (strcmp(d->type, "directory") == 0)
			sandbox_allow(&s->sandbox, d->path);
		else
			sandbox_allow_around(&s->sandbox, d->path);
	}
	for (size_t i = 0; i < s->settings->queue_count; i++)
		sandbox_allow(&s->sandbox, s->settings->queues[i].workspace);
	(void)sandbox_enter(&s->sandbox);
}
