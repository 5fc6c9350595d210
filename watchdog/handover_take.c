/* SPDX-License-Identifier: ISC */
/* The taking side: what is whole goes on, what is in doubt begins anew. */
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/spool.h"
#include "common/version.h"
#include "watchdog/channel.h"
#include "watchdog/handover_part.h"
#include "watchdog/watchdog.h"

#define AGAIN_MS 100
#define AGAIN_MAX 50
#define AGAIN_TRIES "PATCHFLOW_HANDOVER_TRIES"

/* Its own part is the one without which nothing is of use. */
static bool
is_readable(const json_t *own)
{
	struct watchdog *w = xcalloc(1, sizeof *w);
	bool readable = row_read(handover_watchdog_rows, own, w);

	free(w);
	return readable;
}

json_t *
handover_parse(const char *bytes, size_t len)
{
	json_t *doc = spool_check(bytes, len);
	const char *format = json_string_value(json_object_get(doc, "format"));

	if (doc == NULL)
		return NULL;
	if (format == NULL || strcmp(format, HANDOVER_FORMAT) != 0 ||
	    !is_readable(json_object_get(doc, "watchdog"))) {
		json_decref(doc);
		errno = EPROTONOSUPPORT;
		return NULL;
	}
	return doc;
}

static json_t *
read_sealed(int fd)
{
	struct stat st;
	json_t *doc = NULL;
	char *bytes;
	int seals = fcntl(fd, F_GET_SEALS);

	/* -1 has all bits. */
	errno = EPERM;
	if (seals == -1 || (seals & HANDOVER_SEALS) != HANDOVER_SEALS)
		return NULL;
	if (fstat(fd, &st) == -1 || st.st_size <= 0 ||
	    st.st_size > (off_t)HANDOVER_MAX)
		return NULL;
	bytes = xmalloc((size_t)st.st_size);
	if (pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size)
		doc = handover_parse(bytes, (size_t)st.st_size);
	free(bytes);
	return doc;
}

/*
 * Until all is taken over this process may be executed once more, for what
 * kept it from it may pass: too few descriptors, an interrupted read. The
 * descriptors survive that for as long.
 */
static char **again_argv;

static void
try_again(void)
{
	const struct timespec pause = {.tv_nsec = AGAIN_MS * 1000000L};
	const char *past = getenv(AGAIN_TRIES);
	int tries = past != NULL ? (int)strtol(past, NULL, 10) : 0;
	char number[16];

	if (again_argv == NULL || tries >= AGAIN_MAX)
		return;
	(void)snprintf(number, sizeof number, "%d", tries + 1);
	(void)setenv(AGAIN_TRIES, number, 1);
	(void)nanosleep(&pause, NULL);
	(void)execv(again_argv[0], again_argv);
}

void
handover_insist(const struct daemon_opts *o, char **argv)
{
	if (o->inherit_fd != -1 && !o->check && atexit(try_again) == 0)
		again_argv = argv;
}

/* A descriptor of that number and kind. */
static bool
is_kind(int fd, mode_t kind)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 &&
	       (st.st_mode & S_IFMT) == kind;
}

/* What would be killed for want of a part is known before anybody is. */
static bool
all_known(const json_t *doc)
{
	struct service *s = xcalloc(1, sizeof *s);
	const json_t *item;
	const char *fault = NULL;
	size_t i;

	json_array_foreach (json_object_get(doc, "services"), i, item) {
		fault = row_fault(handover_service_rows, item, s);
		if (fault == NULL && !handover_decode(s, item))
			fault = "state";
		if (fault != NULL)
			break;
	}
	if (fault != NULL)
		log_warnx("watchdog: \"%s\" of %s is missing or not known",
		    fault, s->name);
	free(s);
	return fault == NULL;
}

static json_t *
give_up(struct daemon_opts *o, json_t *doc)
{
	json_decref(doc);
	o->inherit_fd = -1;
	return NULL;
}

json_t *
handover_open(struct daemon_opts *o)
{
	json_t *doc;
	int fd = o->inherit_fd;

	if (fd == -1)
		return NULL;
	doc = read_sealed(fd);
	if (doc == NULL) {
		log_warn("watchdog: nothing is taken over");
		again_argv = NULL;
		return give_up(o, NULL);
	}
	/* A check must not touch what the supervisor that asks still has. */
	if (o->check)
		return all_known(doc) ? doc : give_up(o, doc);
	fd = (int)json_integer_value(json_object_get(doc, "lock_fd"));
	if (is_kind(fd, S_IFREG))
		o->lock_fd = fd;
	return doc;
}

static size_t
take_each(const json_t *array, const struct row *rows, void *to,
    const size_t size_max[2])
{
	const json_t *item;
	size_t i, count = 0;

	json_array_foreach (array, i, item)
		if (count < size_max[1] &&
		    row_read(rows, item, (char *)to + count * size_max[0]))
			count++;
	return count;
}

void
handover_take(struct watchdog *w, const json_t *doc)
{
	struct check *c = &w->check;

	(void)row_read(handover_watchdog_rows, json_object_get(doc, "watchdog"),
	    w);
	c->queue_count = take_each(json_object_get(doc, "queues"),
	    handover_queue_rows, c->queues,
	    (const size_t[2]){sizeof c->queues[0], CHECK_QUEUES});
	c->trouble_count = take_each(json_object_get(doc, "troubles"),
	    handover_trouble_rows, c->troubles,
	    (const size_t[2]){sizeof c->troubles[0], CHECK_TROUBLES});
	w->report.count = take_each(json_object_get(doc, "owed"),
	    handover_owed_rows, w->report.owed,
	    (const size_t[2]){sizeof w->report.owed[0], REPORT_OWED});
}

/* A machine whose parts contradict each other is not to be driven on. */
static bool
is_consistent(const struct service *s)
{
	switch (s->fsm.state) {
	case FSM_STARTING:
	case FSM_READY:
	case FSM_STOPPING:
	case FSM_KILLING:
		return s->fsm.alive && s->pid > 0 && s->pidfd != -1 &&
		       s->fsm.deadline_ms > 0;
	case FSM_CLEANING:
		return !s->fsm.alive && s->fsm.deadline_ms > 0 &&
		       (s->pid > 0) == (s->pidfd != -1);
	case FSM_STOPPED:
		return !s->fsm.alive && s->pid == 0 && !s->fsm.wanted;
	case FSM_WAITING:
	case FSM_BACKOFF:
	case FSM_DEGRADED:
	case FSM_NEEDS_OPERATOR:
		return !s->fsm.alive && s->pid == 0 && s->fsm.deadline_ms > 0;
	case FSM__STATES:
		break;
	}
	return false;
}

bool
handover_decode(struct service *s, const json_t *item)
{
	ssize_t used;

	if (!row_read(handover_service_rows, item, s) || !is_consistent(s))
		return false;
	used = row_unhex(json_object_get(item, "log.line"), s->log.line,
	    sizeof s->log.line - 2);
	s->log.used = used > 0 ? (size_t)used : 0;
	return used >= 0;
}

/* Is pid a child of ours that nobody has waited for? Then the number is safe
 * to use. */
static bool
is_child(pid_t pid)
{
	siginfo_t si = {0};

	return pid > 1 &&
	       waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool
is_pidfd_of(int fd, pid_t pid)
{
	char path[64], line[128];
	long found = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (found == 0 && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, "Pid:", 4) == 0)
			found = strtol(line + 4, NULL, 10);
	(void)fclose(f);
	return found == pid;
}

static bool
is_notify_socket(int fd)
{
	struct sockaddr_un a = {0};
	socklen_t len = sizeof a, size = sizeof(int);
	int type = 0;

	return is_kind(fd, S_IFSOCK) &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	       type == SOCK_DGRAM &&
	       getsockname(fd, (struct sockaddr *)&a, &len) == 0 &&
	       a.sun_family == AF_UNIX;
}

static bool
is_whole(const struct service *s)
{
	return is_notify_socket(s->notify_watch.fd) &&
	       is_kind(s->log_watch.fd, S_IFIFO) &&
	       is_kind(s->log_fd, S_IFIFO) &&
	       (s->error_fd == -1 || is_kind(s->error_fd, S_IFIFO)) &&
	       (s->pid == 0 ||
		   (is_child(s->pid) && is_pidfd_of(s->pidfd, s->pid)));
}

/* What it holds goes, and its lock with it; reaped as an unknown child. */
static void
end_doubtful(const json_t *item)
{
	static const char *const sockets_pipes[] = {"notify_watch.fd",
	    "log_watch.fd", "log_fd", "error_fd", "pidfd"};
	char name[SERVICE_NAME] = "";
	pid_t pid = (pid_t)json_integer_value(json_object_get(item, "pid"));
	size_t i;

	(void)row_unhex(json_object_get(item, "name"), name, sizeof name - 1);
	log_warnx("watchdog: its past of %s, pid %ld, is in doubt: begins anew",
	    name, (long)pid);
	if (is_child(pid))
		(void)kill(pid, SIGKILL);
	for (i = 0; i < sizeof sockets_pipes / sizeof sockets_pipes[0]; i++) {
		int fd = (int)json_integer_value(
		    json_object_get(item, sockets_pipes[i]));

		if (fd > STDERR_FILENO)
			(void)close(fd);
	}
}

static void
copy_rows(const struct row *rows, const void *from, void *to)
{
	const struct row *r;

	for (r = rows; r->name != NULL; r++)
		memcpy((char *)to + r->offset, (const char *)from + r->offset,
		    r->size);
}

static bool
adopt(struct service *s, const json_t *item)
{
	struct service *was = xcalloc(1, sizeof *was);
	bool whole = handover_decode(was, item) && is_whole(was);

	if (whole) {
		copy_rows(handover_service_rows, was, s);
		memcpy(s->log.line, was->log.line, was->log.used);
		s->log.used = was->log.used;
		s->adopted = true;
		channel_resume(s);
		if (s->fsm.alive)
			service_hold(s);
	}
	free(was);
	return whole;
}

bool
handover_adopt(struct service *s, json_t *doc)
{
	json_t *all = json_object_get(doc, "services");
	json_t *item = NULL, *name = row_hex(s->name, strlen(s->name));
	bool whole = false;
	size_t i;

	json_array_foreach (all, i, item)
		if (json_equal(json_object_get(item, "name"), name))
			break;
	if (i < json_array_size(all)) {
		whole = adopt(s, item);
		if (!whole)
			end_doubtful(item);
		(void)json_array_remove(all, i);
	}
	json_decref(name);
	return whole;
}

bool
handover_control(struct watchdog *w, const json_t *doc)
{
	const json_t *item;
	struct client c;
	size_t i;

	/* handover_take has put it there. */
	if (doc == NULL || !is_kind(w->control.listen.fd, S_IFSOCK))
		return false;
	control_resume(w, w->control.listen.fd);
	json_array_foreach (json_object_get(doc, "clients"), i, item) {
		memset(&c, 0, sizeof c);
		if (row_read(handover_client_rows, item, &c) &&
		    is_kind(c.watch.fd, S_IFSOCK))
			control_resume_client(w, &c);
	}
	return true;
}

void
handover_close(struct watchdog *w, json_t *doc)
{
	int64_t at_ms = json_integer_value(json_object_get(doc, "at_ms"));
	struct service *s;
	json_t *item;
	size_t i, adopted = 0;

	if (doc == NULL)
		return;
	json_array_foreach (json_object_get(doc, "services"), i, item) {
		end_doubtful(item);
	}
	TAILQ_FOREACH (s, &w->services, link) {
		adopted += s->adopted;
		if (s->adopted)
			supervise_resume(s);
	}
	again_argv = NULL;
	(void)unsetenv(AGAIN_TRIES);
	(void)handover_keep(w, false);
	(void)close(w->opts->inherit_fd);
	w->upgrade.count++;
	log_info("watchdog: took over %zu daemons within %lld ms, version %s",
	    adopted, (long long)(clock_mono_ms() - at_ms), PATCHFLOW_VERSION);
	json_decref(doc);
}
