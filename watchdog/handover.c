/* SPDX-License-Identifier: ISC */
/* The giving side: the supervisor's state as one document. */
#include <sys/mman.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/spool.h"
#include "watchdog/handover_part.h"
#include "watchdog/watchdog.h"

#define ANY INT64_MIN, INT64_MAX
#define COUNT 0, INT64_MAX
#define WORD INT32_MIN, INT32_MAX
#define FLAG 0, 1
#define DESCRIPTOR -1, INT32_MAX
#define NUMBER(member, ...) ROW_NUMBER(struct service, member, __VA_ARGS__)
#define LATER(member, ...) ROW_LATER(struct service, member, __VA_ARGS__)
#define TEXT(member) ROW_TEXT(struct service, member)

/* None of these ever goes, changes its meaning or takes fewer values: an older
 * image reads what it knows. A new one is LATER: an older image has none. */
const struct row handover_service_rows[] = {
    TEXT(name),
    TEXT(digest),
    NUMBER(fsm.state, 0, FSM__STATES - 1),
    NUMBER(fsm.wanted, FLAG),
    NUMBER(fsm.alive, FLAG),
    NUMBER(fsm.was_ready, FLAG),
    NUMBER(fsm.worked, FLAG),
    NUMBER(fsm.incident, FLAG),
    NUMBER(fsm.degraded, FLAG),
    NUMBER(fsm.told_operator, FLAG),
    NUMBER(fsm.cause, 0, FSM_CAUSE_STUCK),
    NUMBER(fsm.resume, 0, FSM__STATES - 1),
    NUMBER(fsm.resume_ms, COUNT),
    NUMBER(fsm.deadline_ms, COUNT),
    NUMBER(fsm.started_ms, COUNT),
    NUMBER(fsm.ready_ms, COUNT),
    NUMBER(fsm.backoff_ms, -1, FSM_BACKOFF_MAX_MS),
    NUMBER(fsm.fork_ms, 0, FSM_CAP_MS), /* older ones waited longer */
    NUMBER(fsm.strikes[0], COUNT),
    NUMBER(fsm.strikes[1], COUNT),
    NUMBER(fsm.strikes[2], COUNT),
    NUMBER(fsm.strikes[3], COUNT),
    NUMBER(fsm.strikes[4], COUNT),
    NUMBER(fsm.strike_next, 0, FSM_STRIKES - 1),
    NUMBER(fsm.kills, 0, INT32_MAX),
    NUMBER(fsm.starts, COUNT),
    NUMBER(fsm.random, WORD),
    NUMBER(pid, 0, INT32_MAX),
    NUMBER(pidfd, DESCRIPTOR),
    NUMBER(error_fd, DESCRIPTOR),
    NUMBER(notify_watch.fd, DESCRIPTOR),
    NUMBER(log_watch.fd, DESCRIPTOR),
    NUMBER(log_fd, DESCRIPTOR),
    NUMBER(binary.st_ino, ANY),
    NUMBER(binary.st_dev, ANY),
    NUMBER(binary.st_size, ANY),
    NUMBER(binary.st_mtim.tv_sec, ANY),
    NUMBER(binary.st_mtim.tv_nsec, ANY),
    NUMBER(config.st_ino, ANY),
    NUMBER(config.st_dev, ANY),
    NUMBER(config.st_size, ANY),
    NUMBER(config.st_mtim.tv_sec, ANY),
    NUMBER(config.st_mtim.tv_nsec, ANY),
    TEXT(notify_path),
    NUMBER(log.dropped, COUNT),
    NUMBER(work, COUNT),
    NUMBER(busy_ms, COUNT),
    NUMBER(beat_ms, COUNT),
    NUMBER(listened_ms, COUNT),
    TEXT(status),
    TEXT(last.reason),
    NUMBER(last.code, WORD),
    NUMBER(last.signal, WORD),
    NUMBER(last.at_us, ANY),
    NUMBER(restarts, COUNT),
    NUMBER(incident_deaths, COUNT),
    TEXT(trouble),
    LATER(limits.by[LIMIT_MEMORY], 0, LIMIT_BY__MAX - 1),
    LATER(limits.by[LIMIT_FILES], 0, LIMIT_BY__MAX - 1),
    LATER(limits.by[LIMIT_PROCESSES], 0, LIMIT_BY__MAX - 1),
    LATER(limits.by[LIMIT_CPU], 0, LIMIT_BY__MAX - 1),
    NUMBER(told_degraded, FLAG),
    NUMBER(held, FLAG),
    NUMBER(going, FLAG),
    ROW_END,
};
_Static_assert(FSM_STRIKES == 5, "a row a strike");

const struct row handover_watchdog_rows[] = {
    ROW_NUMBER(struct watchdog, since_us, COUNT),
    ROW_NUMBER(struct watchdog, since_ms, COUNT),
    ROW_NUMBER(struct watchdog, oom_kills, COUNT),
    ROW_LATER(struct watchdog, oom_before, COUNT),
    ROW_LATER(struct watchdog, died, COUNT),
    ROW_LATER(struct watchdog, late, COUNT),
    ROW_NUMBER(struct watchdog, going_down, FLAG),
    ROW_NUMBER(struct watchdog, upgrade.count, COUNT),
    ROW_NUMBER(struct watchdog, control.listen.fd, DESCRIPTOR),
    ROW_END,
};

const struct row handover_queue_rows[] = {
    ROW_TEXT(struct check_queue, name),
    ROW_TEXT(struct check_queue, first),
    ROW_NUMBER(struct check_queue, work, COUNT),
    ROW_NUMBER(struct check_queue, idle, 0, INT32_MAX),
    ROW_NUMBER(struct check_queue, patience, 1, INT32_MAX),
    ROW_END,
};

const struct row handover_trouble_rows[] = {
    ROW_TEXT(struct trouble, type),
    ROW_TEXT(struct trouble, subject),
    ROW_END,
};

const struct row handover_owed_rows[] = {
    ROW_TEXT(struct report_entry, type),
    ROW_TEXT(struct report_entry, subject),
    ROW_TEXT(struct report_entry, text),
    ROW_TEXT(struct report_entry, queue),
    ROW_NUMBER(struct report_entry, severity, 0, ALERT__MAX - 1),
    ROW_NUMBER(struct report_entry, resolved, FLAG),
    ROW_END,
};

const struct row handover_client_rows[] = {
    ROW_NUMBER(struct client, watch.fd, 0, INT32_MAX),
    ROW_NUMBER(struct client, uid, WORD),
    ROW_NUMBER(struct client, pid, WORD),
    ROW_TEXT(struct client, line),
    ROW_END,
};

/* Appends; false when memory ran out. */
static bool
add(json_t *array, const struct row *rows, const void *from)
{
	return json_array_append_new(array, row_write(rows, from)) == 0;
}

static bool
add_service(json_t *array, const struct service *s)
{
	json_t *item = row_write(handover_service_rows, s);

	/* Half a line of the daemon, whose rest is still to come. */
	if (item != NULL && json_object_set_new(item, "log.line",
				row_hex(s->log.line, s->log.used)) == -1) {
		json_decref(item);
		item = NULL;
	}
	return json_array_append_new(array, item) == 0;
}

static bool
fill(struct watchdog *w, const json_t *doc)
{
	const struct check *c = &w->check;
	const struct service *s;
	size_t i;
	bool ok = true;

	TAILQ_FOREACH (s, &w->services, link)
		ok = ok && add_service(json_object_get(doc, "services"), s);
	for (i = 0; i < c->queue_count; i++)
		ok = ok && add(json_object_get(doc, "queues"),
			       handover_queue_rows, &c->queues[i]);
	for (i = 0; i < c->trouble_count; i++)
		ok = ok && add(json_object_get(doc, "troubles"),
			       handover_trouble_rows, &c->troubles[i]);
	for (i = 0; i < w->report.count; i++)
		ok = ok && add(json_object_get(doc, "owed"), handover_owed_rows,
			       &w->report.owed[i]);
	for (i = 0; i < CONTROL_CLIENTS; i++)
		ok = ok &&
		     (w->control.clients[i].watch.fd == -1 ||
			 add(json_object_get(doc, "clients"),
			     handover_client_rows, &w->control.clients[i]));
	return ok;
}

static json_t *
encode(struct watchdog *w)
{
	json_t *doc = json_pack("{s:s, s:i, s:I, s:o, s:[], s:[], s:[], s:[], "
				"s:[]}",
	    "format", HANDOVER_FORMAT, "lock_fd", w->opts->lock_fd, "at_ms",
	    (json_int_t)clock_mono_ms(), "watchdog",
	    row_write(handover_watchdog_rows, w), "services", "queues",
	    "troubles", "owed", "clients");

	if (doc != NULL && !fill(w, doc)) {
		json_decref(doc);
		doc = NULL;
	}
	return doc;
}

/* Sealed: what was checked is what will be read. */
static int
pour(const char *text, size_t len)
{
	int fd =
	    memfd_create("patchflow-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 && write(fd, text, len) == (ssize_t)len &&
	    lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, HANDOVER_SEALS) == 0)
		return fd;
	if (fd != -1)
		(void)close(fd);
	return -1;
}

int
handover_write(struct watchdog *w)
{
	json_t *doc = encode(w);
	size_t len = 0;
	char *text = doc != NULL ? spool_format(doc, &len) : NULL;
	int fd = -1;

	errno = ENOMEM;
	if (text != NULL)
		fd = pour(text, len);
	free(text);
	json_decref(doc);
	return fd;
}

static int
keep_fd(int fd, bool keep)
{
	return fd == -1 ? 0 : fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

static int
keep_service(const struct service *s, bool keep)
{
	int fds[] = {s->pidfd, s->error_fd, s->notify_watch.fd, s->log_watch.fd,
	    s->log_fd};
	int answer = 0;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (keep_fd(fds[i], keep) == -1)
			answer = -1;
	return answer;
}

int
handover_keep(struct watchdog *w, bool keep)
{
	const struct service *s;
	int answer = keep_fd(w->opts->lock_fd, keep);
	size_t i;

	if (keep_fd(w->control.listen.fd, keep) == -1)
		answer = -1;
	for (i = 0; i < CONTROL_CLIENTS; i++)
		if (keep_fd(w->control.clients[i].watch.fd, keep) == -1)
			answer = -1;
	TAILQ_FOREACH (s, &w->services, link)
		if (keep_service(s, keep) == -1)
			answer = -1;
	return answer;
}
