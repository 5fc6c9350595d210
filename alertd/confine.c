/* SPDX-License-Identifier: ISC */
/* What alertd may still change: the spool, and where file channels write. */
#include <string.h>

#include "alertd/alertd.h"

void
alertd_confine(struct alertd *a)
{
	const struct alert_settings *set = &a->settings->alerts;

	sandbox_allow(&a->sandbox, a->tree->path);
	for (size_t i = 0; i < set->channel_count; i++)
		if (strcmp(set->channels[i].type, "file") == 0)
			sandbox_allow_around(&a->sandbox,
			    set->channels[i].path);
	(void)sandbox_enter(&a->sandbox);
}
