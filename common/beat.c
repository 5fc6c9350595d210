/* SPDX-License-Identifier: ISC */
/* Readiness and proof of progress over $NOTIFY_SOCKET. The state is static
 * because a process has one supervisor, as it has one log. */
#include <sys/socket.h>
#include <sys/un.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/beat.h"
#include "common/clock.h"
#include "common/daemon.h"

#define BEAT_MS 5000            /* between two beats that say nothing new */
#define EXTEND_US 30000000      /* that the next word may take, before ready */
#define DAEMON_BEAT_SOON_MS 100 /* between two beats that do */

static struct {
	int fd; /* 0: not opened, since 0 is never ours */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t interval_ms;
	bool owe_ready;
	uint64_t work;
	bool busy;
	char status[256];
	int64_t sent_ms;
} beat = {.interval_ms = BEAT_MS};

static void
take_address(const char *path)
{
	size_t len = strlen(path);

	if (len < 2 || len >= sizeof beat.to.sun_path)
		return;
	memset(&beat.to, 0, sizeof beat.to);
	beat.to.sun_family = AF_UNIX;
	memcpy(beat.to.sun_path, path, len);
	beat.to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (path[0] == '@')
		beat.to.sun_path[0] = '\0'; /* abstract: no NUL behind */
	else
		beat.to_len++;
	beat.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (beat.fd == -1)
		beat.fd = 0;
}

/* Twice per deadline, as sd_watchdog_enabled(3) advises. */
static void
take_interval(const char *usec)
{
	const char *error = NULL;
	long long us = strtonum(usec, 1, INT64_MAX, &error);

	if (error == NULL && us / 2000 < BEAT_MS)
		beat.interval_ms = us / 2000 > 0 ? us / 2000 : 1;
}

void
beat_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *usec = getenv("WATCHDOG_USEC");

	if (path != NULL && (path[0] == '/' || path[0] == '@'))
		take_address(path);
	if (usec != NULL)
		take_interval(usec);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void
beat_hand_on(bool there)
{
	char usec[32], path[sizeof beat.to.sun_path + 1];
	size_t len =
	    (size_t)beat.to_len - offsetof(struct sockaddr_un, sun_path);

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	if (!there || beat.fd == 0)
		return;
	memcpy(path, beat.to.sun_path, len);
	path[len] = '\0';
	if (path[0] == '\0')
		path[0] = '@';
	(void)snprintf(usec, sizeof usec, "%" PRId64, beat.interval_ms * 2000);
	(void)setenv("NOTIFY_SOCKET", path, 1);
	(void)setenv("WATCHDOG_USEC", usec, 1);
}

bool
beat_send(const char *text)
{
	const struct sockaddr_un *to = &beat.to;

	if (beat.fd == 0)
		return true;
	return sendto(beat.fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
		   (const struct sockaddr *)to, beat.to_len) != -1;
}

void
daemon_ready(const struct daemon_opts *o)
{
	(void)o;
	/* A full queue must not cost the readiness: the next beat says it. */
	beat.owe_ready = !beat_send("READY=1\nSTATUS=ready\n");
}

void
daemon_reloading(void)
{
	char text[96];

	(void)snprintf(text, sizeof text,
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reloading\n",
	    clock_mono_ms() * 1000);
	(void)beat_send(text);
}

void
daemon_waiting(const char *why)
{
	char text[512];

	(void)snprintf(text, sizeof text,
	    "EXTEND_TIMEOUT_USEC=%d\nSTATUS=%.400s\n", EXTEND_US, why);
	(void)beat_send(text);
}

/* What was said now is no news again. */
static void
remember(uint64_t work, int64_t busy_ms, const char *status)
{
	beat.owe_ready = false;
	beat.work = work;
	beat.busy = busy_ms > 0;
	(void)snprintf(beat.status, sizeof beat.status, "%s", status);
	beat.sent_ms = clock_mono_ms();
}

bool
daemon_beat(uint64_t work, int64_t busy_ms, const char *status)
{
	char text[512], said[sizeof beat.status];
	bool news, first = beat.work == 0 && work > 0;
	int64_t wait_ms;

	/* By libc: the supervisor sleeps without libbsd's code in memory. */
	(void)snprintf(said, sizeof said, "%s", status != NULL ? status : "");
	news = work != beat.work || (busy_ms > 0) != beat.busy ||
	       strcmp(said, beat.status) != 0;
	wait_ms = news ? DAEMON_BEAT_SOON_MS : beat.interval_ms * 3 / 4;
	if (beat.sent_ms != 0 && clock_mono_ms() - beat.sent_ms < wait_ms &&
	    !first)
		return !news;
	(void)snprintf(text, sizeof text,
	    "%sWATCHDOG=1\nX_WORK=%" PRIu64 "\nX_BUSY_MS=%" PRId64
	    "\nSTATUS=%s\n",
	    beat.owe_ready ? "READY=1\n" : "", work, busy_ms, said);
	if (!beat_send(text))
		return false;
	remember(work, busy_ms, said);
	return true;
}

int64_t
daemon_beat_interval(void)
{
	return beat.interval_ms;
}

void
daemon_stopping(void)
{
	(void)beat_send("STOPPING=1\nSTATUS=stopping\n");
}
