/* SPDX-License-Identifier: ISC */
/* A changed configuration, taken whole or not at all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

static void
tell(struct watchdog *w, const char *text, bool resolved)
{
	struct report_entry e = {.type = "config-invalid",
	    .severity = ALERT_ERROR};

	(void)strlcpy(e.subject, w->settings->path, sizeof e.subject);
	(void)strlcpy(e.text, text, sizeof e.text);
	e.resolved = resolved;
	report_alert(w, &e);
}

/* New queues need their directories, and everybody the new descriptors. */
static int
reopen_tree(struct watchdog *w, const struct settings *fresh, struct buf *errs)
{
	const char **queues = settings_queue_names(fresh);
	struct tree *t = xcalloc(1, sizeof *t);
	char why[PATH_MAX] = "";
	int rc = tree_open(t, fresh->spool, queues, fresh->queue_count, why);

	free(queues);
	if (rc == -1) {
		buf_printf(errs, "%s: %s\n", why, strerror(errno));
		free(t);
		return -1;
	}
	state_close(&w->state);
	tree_close(w->tree);
	*w->tree = *t;
	free(t);
	if (state_open(&w->state, w->tree, "watchdog") == -1)
		log_warn("%s: state not opened", w->tree->path);
	return 0;
}

static int
load(struct watchdog *w, struct settings *fresh, struct buf *errs)
{
	if (settings_load(fresh, w->settings->path, errs) == -1)
		return -1;
	if (strcmp(fresh->spool, w->settings->spool) == 0 &&
	    fresh->queue_count + 3 <= SERVICES_MAX)
		return 0;
	buf_printf(errs,
	    "%s: another spool, or more than %d queues, needs a restart of "
	    "the whole suite\n",
	    fresh->path, SERVICES_MAX - 3);
	settings_free(fresh);
	return -1;
}

static void
boot_fresh(struct watchdog *w)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->fsm.state == FSM_STOPPED && !s->held && !s->going &&
		    !s->fsm.wanted)
			supervise_feed(s, FSM_EV_BOOT);
}

static int
reload(struct watchdog *w, struct buf *errs)
{
	struct settings fresh;

	/* New directories would be waited for here. */
	if (writer_hangs(w)) {
		buf_puts(errs, "the disk of spool or logs hangs\n");
		goto refuse;
	}
	if (load(w, &fresh, errs) == -1)
		goto refuse;
	if (reopen_tree(w, &fresh, errs) == -1) {
		settings_free(&fresh);
		goto refuse;
	}
	space_forget(w);
	glance_forget(w);
	settings_free(w->settings);
	*w->settings = fresh;
	upgrade_note_config(w);
	watchdog_divide(w);
	roster_leave(w, w->settings);
	if (roster_build(w) == -1)
		log_warn("%s: a new daemon could not be set up", fresh.path);
	watchdog_open_logs(w);
	writer_retire(w);
	boot_fresh(w);
	tell(w, "the configuration is in force", true);
	(void)memory_save(w);
	supervise_settle(w);
	return 0;
refuse:
	log_warnx("%s: not taken, the old configuration stays: %s",
	    w->settings->path, errs->bytes);
	tell(w, errs->bytes, false);
	return -1;
}

int
reload_run(struct watchdog *w, struct buf *errs)
{
	int rc;

	if (w->going_down) {
		buf_puts(errs, "going down\n");
		return -1;
	}
	/* Whoever supervises us is told of both ends, whatever comes of it. */
	daemon_reloading();
	rc = reload(w, errs);
	daemon_ready(w->opts);
	return rc;
}

json_t *
reload_plan(struct watchdog *w, struct buf *errs)
{
	struct settings fresh;
	json_t *plan;

	if (load(w, &fresh, errs) == -1)
		return NULL;
	plan = roster_plan(w, &fresh);
	settings_free(&fresh);
	return plan;
}
