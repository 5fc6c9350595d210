/* SPDX-License-Identifier: ISC */
/* -n: would a summary get to each destination? Nothing is written there. */
#include <errno.h>
#include <string.h>

#include "common/buf.h"
#include "summarizer/summarizer.h"

static void
try_destination(struct trials *t, const struct destination_settings *d)
{
	bool file = strcmp(d->type, "append") == 0;
	int answer = file ? trial_append(d->path) : trial_directory(d->path);

	if (answer == 0) {
		trial_note(t, TRIAL_OK, d->name, "destination",
		    xasprintf("%s, %s", d->path,
			file ? "can be appended to"
			     : "files can be made there"));
		return;
	}
	/* A missing parent is more likely a disk that is not mounted. */
	trial_note(t, errno == ENOENT ? TRIAL_TEMPORARY : trial_judge(errno),
	    d->name, "destination", trial_explain(d->path));
	trial_fix(t, errno == ENOENT ? "make the directory that is to hold it"
				     : "let the summarizer's user write there");
}

int
summarizer_check(struct settings *settings)
{
	const struct summary_settings *s = &settings->summaries;
	struct trials t = {0};
	size_t i;

	for (i = 0; i < s->destination_count; i++)
		try_destination(&t, &s->destinations[i]);
	if (s->destination_count == 0) {
		trial_note(&t, TRIAL_WARNING, "summaries", "destinations",
		    xstrdup("none: summaries stay in the spool"));
		trial_fix(&t, "add summaries.destinations");
	}
	return daemon_report(&t, settings);
}
