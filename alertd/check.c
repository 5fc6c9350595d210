/* SPDX-License-Identifier: ISC */
/* -n: could an alert be told? Files are opened, secrets read, nothing sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"

static void
try_file(struct trials *t, const struct channel_settings *ch)
{
	if (trial_append(ch->path) == 0) {
		trial_note(t, TRIAL_OK, ch->name, "channel",
		    xasprintf("%s, can be appended to", ch->path));
		return;
	}
	trial_note(t, trial_judge(errno), ch->name, "channel",
	    trial_explain(ch->path));
	trial_fix(t, "let alertd's user write there");
}

static void
try_webhook(struct trials *t, const struct channel_settings *ch)
{
	char why[512] = "";
	char *secret = settings_secret(ch->url, ch->url_file, why, sizeof(why));

	if (secret != NULL) {
		trial_note(t, TRIAL_OK, ch->name, "channel",
		    xstrdup("its URL is known; test-alert sends to it"));
	} else {
		trial_note(t, TRIAL_ERROR, ch->name, "channel", xstrdup(why));
		trial_fix(t, "give url or url_file to alertd's user");
	}
	free(secret);
}

int
alertd_check(struct settings *settings)
{
	const struct alert_settings *a = &settings->alerts;
	struct trials t = {0};
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		if (strcmp(a->channels[i].type, "file") == 0)
			try_file(&t, &a->channels[i]);
		else
			try_webhook(&t, &a->channels[i]);
	}
	if (a->channel_count == 0) {
		trial_note(&t, TRIAL_WARNING, "alerts", "channels",
		    xstrdup("none: alerts stay in the spool"));
		trial_fix(&t, "add alerts.channels");
	}
	return daemon_report(&t, settings);
}
