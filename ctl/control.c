/* SPDX-License-Identifier: ISC */
/* start, stop, restart, reload and the client under all that ask. */
#include "ctl/control.h"

#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/text.h"
#include "ctl/follow.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

#define ANSWER_MAX (4 << 20)
#define ANSWER_SECONDS 30
#define REACH_MS 30000 /* a daemon's start, or its stop with grace */

/* Through run's descriptor, because SPOOL may be longer than a sockaddr. */
static int
dial(struct ctl *c)
{
	const struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	(void)snprintf(a.sun_path, sizeof(a.sun_path),
	    "/proc/self/fd/%d/control.sock", c->t.run);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ==
		0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ==
		0 &&
	    connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static int
send_line(int fd, const char *line, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, line, len, MSG_NOSIGNAL);
		if (n == -1)
			return -1;
		line += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Up to the newline or the end; the limit of time is the socket's. */
static int
receive_line(int fd, struct buf *line)
{
	char chunk[4096];
	ssize_t n;

	while (line->len < ANSWER_MAX) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			return 0;
		buf_add(line, chunk, (size_t)n);
		if (memchr(chunk, '\n', (size_t)n) != NULL)
			return 0;
	}
	errno = EBADMSG;
	return -1;
}

int
control_ask(struct ctl *c, const char *verb, const char *name, json_t **answer)
{
	struct buf line = {0};
	char *ask = xasprintf("%s%s%s\n", verb, name != NULL ? " " : "",
	    name != NULL ? name : "");
	int fd = dial(c), status = -1;

	*answer = NULL;
	if (fd != -1 && send_line(fd, ask, strlen(ask)) == 0 &&
	    receive_line(fd, &line) == 0) {
		*answer = json_loadb(line.len > 0 ? line.bytes : "", line.len,
		    0, NULL);
		status = json_is_object(*answer) ? 0 : -1;
		if (status == -1)
			errno = EBADMSG;
	}
	if (status == -1 && errno == EAGAIN)
		errno = ETIMEDOUT;
	if (fd != -1)
		(void)close(fd);
	buf_free(&line);
	free(ask);
	return status;
}

static int
say_down(int error)
{
	if (error == ENOENT || error == ECONNREFUSED) {
		ctl_say("the suite is not running; `patchflow up` starts it");
		return CTL_DOWN;
	}
	ctl_say("the supervisor: %s", strerror(error));
	return error == ETIMEDOUT ? CTL_TEMPORARY : CTL_FAILED;
}

int
control_order(struct ctl *c, const char *verb, const char *name,
    json_t **answer)
{
	if (control_ask(c, verb, name, answer) == -1)
		return say_down(errno);
	if (json_is_true(json_object_get(*answer, "ok")))
		return CTL_DONE;
	ctl_say("%s%s%s: %s", verb, name != NULL ? " " : "",
	    name != NULL ? name : "", out_string(*answer, "error"));
	return CTL_FAILED;
}

static int
open_lock(struct ctl *c, const char *instance)
{
	char *name = xasprintf("%s.lock", instance);
	int fd = openat(c->t.run, name,
	    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	free(name);
	return fd;
}

bool
control_is_running(struct ctl *c, const char *instance)
{
	int fd = open_lock(c, instance);
	bool held;

	if (fd == -1)
		return false;
	/* Shared, and let go at once: a daemon that starts in this moment
	 * tries again within milliseconds. */
	held = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}

long
control_pid(struct ctl *c, const char *instance)
{
	int fd = open_lock(c, instance);
	char text[32] = "";
	ssize_t n = fd != -1 ? read(fd, text, sizeof(text) - 1) : -1;

	if (fd != -1)
		(void)close(fd);
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

/* "all", a daemon, "bridge" for its long name, "executor" for all of them. */
static bool
is_meant(const char *asked, const char *daemon)
{
	size_t len = strlen(asked);

	return strcmp(asked, "all") == 0 || strcmp(asked, daemon) == 0 ||
	       (strcmp(asked, "bridge") == 0 &&
		   strcmp(daemon, "ghost-bridge") == 0) ||
	       (strncmp(asked, daemon, len) == 0 && daemon[len] == '@');
}

/* Are all that name means in that state? What they are goes into found. */
static bool
have_reached(struct ctl *c, const char *name, const char *state, json_t *found)
{
	json_t *answer = NULL;
	const json_t *d;
	bool all = true;
	size_t i;

	json_object_clear(found);
	if (control_ask(c, "status", NULL, &answer) == -1)
		return false;
	json_array_foreach (json_object_get(answer, "daemons"), i, d) {
		if (!is_meant(name, out_string(d, "name")))
			continue;
		all = all && strcmp(out_string(d, "state"), state) == 0;
		json_object_set(found, out_string(d, "name"),
		    json_object_get(d, "state"));
	}
	json_decref(answer);
	return all;
}

static void
print_states(const json_t *found)
{
	json_t *copy = json_deep_copy(found), *state;
	const char *name;

	json_object_foreach (copy, name, state)
		(void)printf("%s: %s\n", name, json_string_value(state));
	json_decref(copy);
}

/* The supervisor agrees at once; what was asked for takes its time. */
static int
follow_order(struct ctl *c, const char *name, json_t *all)
{
	const char *state =
	    strcmp(c->verb->name, "stop") == 0 ? "stopped" : "ready";
	int64_t deadline = clock_mono_ms() + REACH_MS;
	json_t *found = json_object();
	bool reached;

	do
		reached = have_reached(c, name, state, found);
	while (!reached && follow_pause(deadline));
	if (all != NULL)
		json_array_append_new(all,
		    json_pack("{s:o, s:b, s:O}", "name", text_json(name), "ok",
			reached, "daemons", found));
	else
		print_states(found);
	json_decref(found);
	if (!reached)
		ctl_say("%s: not %s yet; see patchflow status", name, state);
	return reached ? CTL_DONE : CTL_TEMPORARY;
}

static int
order_one(struct ctl *c, const char *name, json_t *all)
{
	json_t *answer = NULL;
	int status = control_order(c, c->verb->name, name, &answer);

	json_decref(answer);
	if (status == CTL_DONE)
		return follow_order(c, name, all);
	if (all != NULL)
		json_array_append_new(all,
		    json_pack("{s:o, s:b}", "name", text_json(name), "ok", 0));
	return status;
}

/* What a reload would do. */
static int
plan_reload(struct ctl *c)
{
	json_t *answer = NULL, *plan, *what;
	const char *name;
	int status = control_order(c, "reload", "--dry-run", &answer);

	plan = json_incref(json_object_get(answer, "plan"));
	json_decref(answer);
	if (status != CTL_DONE) {
		json_decref(plan);
		return status;
	}
	if (c->json) {
		out_json(plan);
		return status;
	}
	json_object_foreach (plan, name, what)
		(void)printf("%s: %s\n", name, json_string_value(what));
	if (json_object_size(plan) == 0)
		(void)printf("no daemon would be touched\n");
	json_decref(plan);
	return status;
}

static int
reload(struct ctl *c)
{
	json_t *answer = NULL;
	int status = control_order(c, "reload", NULL, &answer);

	json_decref(answer);
	if (status == CTL_DONE && c->json)
		out_json(json_pack("{s:b}", "ok", 1));
	else if (status == CTL_DONE)
		(void)printf("configuration read again\n");
	return status;
}

int
run_reload(struct ctl *c)
{
	static const struct option words[] = {
	    {"dry-run", no_argument, NULL, 'n'}, {NULL, 0, NULL, 0}};
	bool dry = false;
	int opt, status;

	while ((opt = ctl_option(c, "n", words)) != -1) {
		if (opt != 'n')
			return CTL_USAGE;
		dry = true;
	}
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	return dry ? plan_reload(c) : reload(c);
}

int
run_control(struct ctl *c)
{
	json_t *all;
	int i, status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc == 0)
		return CTL_USAGE;
	status = ctl_open(c);
	if (status != 0)
		return status;
	all = c->json ? json_array() : NULL;
	for (i = 0; i < c->argc; i++) {
		status = ctl_worse(status, order_one(c, c->argv[i], all));
		if (status == CTL_DOWN)
			break;
	}
	if (c->json)
		out_list(all, status);
	return status;
}
