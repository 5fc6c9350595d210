/* SPDX-License-Identifier: ISC */
/* Alerts past an alertd that is not there. */
#include <sys/mman.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "watchdog/fallback.h"
#include "watchdog/watchdog.h"

#define TYPE "alertd-down"
#define COUNTED 1000 /* alerts that wait; more are not worth the time */
#define SWEEPS 3
#define VARIABLES 5

extern char **environ;

static void run_first(struct watchdog *w);

/* syslog is there on most machines, and costs nothing where it is not. */
static void
tell_syslog(const struct watchdog *w, const struct report_entry *e)
{
	const struct log_settings *set = &w->settings->logs;
	bool same = strcmp(set->to, "syslog") == 0;
	char now[ISO_TIME_SIZE], line[LOGS_LINE];
	struct collector c;
	int n;

	clock_iso(clock_wall_us(), now);
	n = snprintf(line, sizeof line, "%s watchdog fatal: %s: %s%s, %s\n",
	    now, e->subject, e->type, e->resolved ? " resolved" : "", e->text);
	collector_open(&c, "syslog", same ? set->socket : "");
	(void)collector_take(&c, "alert", line, (size_t)n);
	collector_close(&c);
}

static void
drop_first(struct fallback *f)
{
	f->tries = 0;
	f->count--;
	memmove(&f->waiting[0], &f->waiting[1],
	    f->count * sizeof f->waiting[0]);
}

static void
on_again(struct loop *l, struct timer *t)
{
	(void)l;
	run_first(t->owner);
}

static void
try_later(struct watchdog *w, const char *why)
{
	struct fallback *f = &w->fallback;

	if (++f->tries == FALLBACK_TRIES) {
		log_warnx("fallback: %s of %s given up, %s", f->waiting[0].type,
		    f->waiting[0].subject, why);
		drop_first(f);
		run_first(w);
		return;
	}
	log_warnx("fallback: not told, tried again in a minute, %s", why);
	f->again.on = on_again;
	f->again.owner = w;
	loop_after(&w->loop, &f->again, FALLBACK_AGAIN_MS);
}

static void
on_told(struct errand *h, int status)
{
	struct watchdog *w = h->owner;
	struct fallback *f = &w->fallback;
	char why[160];

	f->sweeps = SWEEPS;
	if (status == EXIT_DONE) {
		f->told++;
		drop_first(f);
		run_first(w);
		return;
	}
	h->output[strcspn(h->output, "\n")] = '\0';
	(void)snprintf(why, sizeof why, "exit %d: %.100s", status,
	    status == ERRAND_LATE ? strerror(ETIMEDOUT) : h->output);
	try_later(w, why);
}

/* The document that alertd would read, on a descriptor of its own. */
static int
open_document(const struct report_entry *e)
{
	struct alert a = report_alert_of(e);
	json_t *doc = alert_encode(&a);
	int fd = memfd_create("alert", MFD_CLOEXEC);

	if (fd != -1 && (json_dumpfd(doc, fd, JSON_COMPACT) == -1 ||
			    lseek(fd, 0, SEEK_SET) == -1)) {
		(void)close(fd);
		fd = -1;
	}
	json_decref(doc);
	return fd;
}

static char **
make_environment(const struct report_entry *e, char *own[VARIABLES])
{
	char **env;
	size_t n = 0;

	own[0] = xasprintf("PATCHFLOW_ALERT_TYPE=%s", e->type);
	own[1] = xasprintf("PATCHFLOW_ALERT_SUBJECT=%s", e->subject);
	own[2] = xasprintf("PATCHFLOW_ALERT_SEVERITY=%s",
	    alert_severity_name[e->severity]);
	own[3] = xasprintf("PATCHFLOW_ALERT_TEXT=%s", e->text);
	own[4] = xasprintf("PATCHFLOW_ALERT_RESOLVED=%d", e->resolved);
	while (environ[n] != NULL)
		n++;
	env = xcalloc(n + VARIABLES + 1, sizeof *env);
	memcpy(env, own, VARIABLES * sizeof *env);
	memcpy(env + VARIABLES, environ, n * sizeof *env);
	return env;
}

static int
run_command(struct watchdog *w, char *command)
{
	struct fallback *f = &w->fallback;
	char sh[] = "/bin/sh", c[] = "-c", *own[VARIABLES];
	char *argv[] = {sh, c, command, NULL};
	char **env = make_environment(&f->waiting[0], own);
	struct spawn sp = {.path = sh,
	    .argv = argv,
	    .envp = env,
	    .has_input = true,
	    .in_fd = open_document(&f->waiting[0])};
	int rc = -1, saved;
	size_t i;

	f->errand.owner = w;
	f->errand.done = on_told;
	if (sp.in_fd != -1)
		rc = errand_run(&f->errand, &sp, FALLBACK_LIMIT_MS);
	saved = errno;
	if (sp.in_fd != -1)
		(void)close(sp.in_fd);
	for (i = 0; i < VARIABLES; i++)
		free(own[i]);
	free(env);
	errno = saved;
	return rc;
}

static void
run_first(struct watchdog *w)
{
	struct fallback *f = &w->fallback;
	char *command = w->settings->watchdog.fallback;

	while (f->count > 0 && f->errand.pid == 0 && !f->again.armed) {
		if (f->tries == 0)
			tell_syslog(w, &f->waiting[0]);
		if (command[0] == '\0')
			drop_first(f);
		else if (run_command(w, command) == -1)
			try_later(w, strerror(errno));
	}
}

void
fallback_take(struct watchdog *w, const struct report_entry *e)
{
	struct fallback *f = &w->fallback;

	if (strcmp(e->type, TYPE) != 0 &&
	    ((!check_holds(&w->check, TYPE, "alertd") && !writer_hangs(w)) ||
		e->severity < ALERT_WARNING))
		return;
	if (f->count == FALLBACK_WAITING) {
		log_warnx("fallback: %s of %s not told, too many wait", e->type,
		    e->subject);
		return;
	}
	f->waiting[f->count++] = *e;
	run_first(w);
}

static size_t
count_waiting(const struct watchdog *w)
{
	struct spool_names n = {0};
	size_t count = 0;

	if (spool_list(w->tree->alerts.dir[BOX_NEW], COUNTED, &n) == 0)
		count = n.count;
	spool_names_free(&n);
	return count;
}

static void
note(struct watchdog *w, const struct service *alertd, bool down)
{
	char why[SERVICE_WHY], text[400];
	struct finding f = {.type = TYPE,
	    .subject = "alertd",
	    .text = text,
	    .holds = down};

	if (down == check_holds(&w->check, TYPE, f.subject))
		return;
	service_why(alertd, why, sizeof why);
	(void)snprintf(text, sizeof text,
	    down ? "alertd is %s, %s: %zu alerts wait in %.150s/alerts"
		 : "alertd is %s: %s%zu alerts wait in %.150s/alerts",
	    fsm_state_word[alertd->fsm.state], why, count_waiting(w),
	    w->tree->path);
	check_note(w, &f);
}

void
fallback_look(struct watchdog *w)
{
	const struct service *alertd = roster_find(w, "alertd");
	struct fallback *f = &w->fallback;
	int64_t now = clock_mono_ms();

	if (f->sweeps > 0) {
		f->sweeps--;
		(void)supervise_sweep(w);
	}
	if (alertd == NULL || w->going_down)
		return;
	if (alertd->fsm.state == FSM_READY || !alertd->fsm.wanted)
		f->well_ms = now;
	/* Not yet for long: what holds goes on holding. */
	if (f->well_ms == now)
		note(w, alertd, false);
	else if (now - f->well_ms >= w->settings->watchdog.fallback_after)
		note(w, alertd, true);
	run_first(w);
}
