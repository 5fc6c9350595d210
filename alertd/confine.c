/* SPDX-License-Identifier: ISC */
/* What alertd may still change: the spool, and where file channels write. */
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/sandbox.h"

/* Channels with a relative or empty path have none: conf made them absolute. */
static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path
		   ? NULL
		   : xstrndup(path, (size_t)(slash - path));
}

void
alertd_confine(const struct settings *s, const struct tree *t)
{
	const struct alert_settings *a = &s->alerts;
	const char **writable = xcalloc(a->channel_count + 2, sizeof *writable);
	char **made = xcalloc(a->channel_count + 1, sizeof *made);
	size_t i, n = 0;

	for (i = 0; i < a->channel_count; i++) {
		if (strcmp(a->channels[i].type, "file") == 0)
			made[n] = directory_of(a->channels[i].path);
		if (made[n] != NULL) {
			writable[n] = made[n];
			n++;
		}
	}
	writable[n] = t->path;
	(void)sandbox_enter(writable);
	for (i = 0; i < n; i++)
		free(made[i]);
	free(made);
	free(writable);
}
