/* SPDX-License-Identifier: ISC */
/* From one image of the supervisor to the next. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/beat.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "watchdog/handover.h"
#include "watchdog/watchdog.h"

#define PROBE_MS 10000
#define QUIET_MS 10000 /* for answers to be taken and records written */
#define QUIET_STEP_MS 5

extern char **environ;

/* As it was called, for a link may lead to another file by then; else what
 * the kernel says. */
void
upgrade_open(struct watchdog *w)
{
	char *path = w->upgrade.path;
	ssize_t n;

	upgrade_note_config(w);
	if (program_invocation_name[0] == '/') {
		(void)strlcpy(path, program_invocation_name, PATH_MAX);
		return;
	}
	n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
}

void
upgrade_note_config(struct watchdog *w)
{
	memset(&w->upgrade.config, 0, sizeof w->upgrade.config);
	(void)stat(w->settings->path, &w->upgrade.config);
}

/* What the daemons write waits in their pipes for as long as nobody is to
 * bring us new records. */
static void
hold_lines(struct watchdog *w, bool hold)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (hold)
			loop_unwatch(&w->loop, &s->log_watch);
		else
			loop_watch(&w->loop, &s->log_watch);
}

static int
refuse(struct watchdog *w, const char *why)
{
	if (w->upgrade.turning)
		hold_lines(w, false);
	w->upgrade.turning = false;
	w->upgrade.asked = false;
	(void)snprintf(w->upgrade.refused, sizeof w->upgrade.refused, "%s",
	    why);
	log_warnx("upgrade: not done, %s", why);
	return -1;
}

static int
refuse_file(struct watchdog *w, const char *why)
{
	char text[480];

	(void)snprintf(text, sizeof text, "%.200s: %.250s", w->upgrade.path,
	    why);
	return refuse(w, text);
}

static void
come_back(struct watchdog *w, int fd)
{
	int saved = errno;

	(void)handover_keep(w, false);
	beat_hand_on(false);
	(void)close(fd);
	(void)refuse_file(w, strerror(saved));
}

/* The last thing that this image does, where the kernel agrees. */
static void
hand_over(struct watchdog *w)
{
	char c[] = "-c", f[] = "-f", v[] = "-v", inherit[] = "--inherit";
	char number[16];
	char *argv[8] = {w->upgrade.path, c, w->settings->path};
	size_t n = 3;
	int fd;

	supervise_listen(w);
	report_take_back(w);
	fd = handover_write(w);
	if (fd == -1) {
		(void)refuse(w, strerror(errno));
		return;
	}
	if (w->opts->foreground)
		argv[n++] = f;
	if (w->opts->verbose > 0)
		argv[n++] = v;
	(void)snprintf(number, sizeof number, "%d", fd);
	argv[n++] = inherit;
	argv[n++] = number;
	beat_hand_on(true);
	if (handover_keep(w, true) == 0 && fcntl(fd, F_SETFD, 0) == 0)
		(void)execv(w->upgrade.path, argv);
	come_back(w, fd);
}

/* Each of these ends by itself within seconds. NULL: nothing is. */
static const char *
in_the_way(const struct watchdog *w)
{
	const struct service *s;

	if (w->going_down)
		return "the suite is going down";
	if (!control_is_quiet(w))
		return "a client does not take its answer";
	if (!TAILQ_EMPTY(&w->errands))
		return "a filesystem or a name service does not answer";
	TAILQ_FOREACH (s, &w->services, link)
		if (s->going)
			return "a removed daemon is still being stopped";
	/* The next image has a queue of its own. */
	if (!writer_is_idle(w))
		return "the disk of spool or logs does not take its records";
	return NULL;
}

static void
on_turn(struct loop *l, struct timer *t)
{
	struct watchdog *w = t->owner;
	const char *why = in_the_way(w);

	if (why == NULL) {
		hand_over(w);
	} else if (clock_mono_ms() < w->upgrade.until_ms) {
		writer_retire(w);
		loop_after(l, t, QUIET_STEP_MS);
	} else {
		(void)refuse(w, why);
	}
}

/* The last records of this image. */
static void
begin_turn(struct watchdog *w)
{
	struct upgrade *u = &w->upgrade;

	log_info("upgrade: handing over to %s", u->path);
	(void)memory_save(w);
	hold_lines(w, true);
	u->turning = true;
	u->until_ms = clock_mono_ms() + QUIET_MS;
	u->timer.on = on_turn;
	u->timer.owner = w;
	loop_after(&w->loop, &u->timer, 0);
}

static void
on_probed(struct errand *h, int status)
{
	struct watchdog *w = h->owner;
	char text[240];
	char *reason;

	if (status == EXIT_DONE) {
		begin_turn(w);
		return;
	}
	h->output[strcspn(h->output, "\n")] = '\0';
	/* Behind the time and the name of a line of ours. */
	reason = strstr(h->output, "warn: ");
	reason = reason != NULL ? reason + strlen("warn: ") : h->output;
	if (status == ERRAND_LATE)
		reason = strerror(ETIMEDOUT);
	(void)snprintf(text, sizeof text,
	    "does not take over (exit %d): %.160s", status, reason);
	(void)refuse_file(w, text);
}

/* The new file reads the configuration and a copy of what it would get. */
static int
probe(struct watchdog *w)
{
	struct upgrade *u = &w->upgrade;
	char n[] = "-n", c[] = "-c", inherit[] = "--inherit", zero[] = "0";
	char *argv[] = {u->path, n, c, w->settings->path, inherit, zero, NULL};
	struct spawn sp = {.path = u->path,
	    .argv = argv,
	    .envp = environ,
	    .has_input = true,
	    .in_fd = handover_write(w)};
	int rc, saved;

	if (sp.in_fd == -1)
		return -1;
	u->probe.owner = w;
	u->probe.done = on_probed;
	rc = errand_run(&u->probe, &sp, PROBE_MS);
	saved = errno;
	(void)close(sp.in_fd);
	errno = saved;
	return rc;
}

static bool
config_changed(const struct watchdog *w)
{
	struct stat now = {0};

	(void)stat(w->settings->path, &now);
	return now.st_ino != w->upgrade.config.st_ino ||
	       now.st_size != w->upgrade.config.st_size ||
	       now.st_mtim.tv_sec != w->upgrade.config.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != w->upgrade.config.st_mtim.tv_nsec;
}

int
upgrade_request(struct watchdog *w)
{
	struct upgrade *u = &w->upgrade;

	if (u->asked) {
		(void)strlcpy(u->refused, "one is under way",
		    sizeof u->refused);
		return -1;
	}
	u->refused[0] = '\0';
	if (config_changed(w))
		return refuse(w, "the configuration file is not the one in "
				 "force: reload first");
	if (access(u->path, X_OK) == -1 || probe(w) == -1)
		return refuse_file(w, strerror(errno));
	u->asked = true;
	return 0;
}
