/* SPDX-License-Identifier: ISC */
/* Lines as datagrams: RFC 3164 as syslog(3) writes it, and journald's native
 * protocol, in which a value without a newline is text. */
#include <sys/socket.h>
#include <sys/un.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "watchdog/collector.h"

#define RETRY_MS 1000
#define DATAGRAM (8 * 1024)
#define STAMP_LEN 24 /* of an ISO time in a line of log.c's */

static const struct {
	const char *word;
	int priority;
} levels[] = {
    {"debug: ", LOG_DEBUG},
    {"info: ", LOG_INFO},
    {"warn: ", LOG_WARNING},
    {"fatal: ", LOG_CRIT},
};

void
collector_open(struct collector *c, const char *kind, const char *path)
{
	const char *usual = "/dev/log";

	memset(c, 0, sizeof *c);
	c->fd = -1;
	if (strcmp(kind, "syslog") == 0)
		c->kind = COLLECTOR_SYSLOG;
	else if (strcmp(kind, "journald") == 0)
		c->kind = COLLECTOR_JOURNALD;
	if (c->kind == COLLECTOR_JOURNALD)
		usual = "/run/systemd/journal/socket";
	(void)strlcpy(c->path, path[0] != '\0' ? path : usual, sizeof c->path);
}

void
collector_close(struct collector *c)
{
	if (c->kind != COLLECTOR_NONE && c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
}

/* "TIME NAME LEVEL: TEXT": the collector has a time and a name of its own. */
static int
split(const char **line, size_t *len)
{
	const char *at = *line;
	size_t i, word, rest = *len;

	if (rest < STAMP_LEN + 2 || at[STAMP_LEN - 1] != 'Z' ||
	    at[STAMP_LEN] != ' ')
		return LOG_INFO;
	at += STAMP_LEN + 1;
	rest -= STAMP_LEN + 1;
	while (rest > 0 && *at != ' ') {
		at++;
		rest--;
	}
	for (i = 0; rest > 0 && i < sizeof levels / sizeof levels[0]; i++) {
		word = strlen(levels[i].word);
		if (rest - 1 < word ||
		    strncmp(at + 1, levels[i].word, word) != 0)
			continue;
		*line = at + 1 + word;
		*len = rest - 1 - word;
		return levels[i].priority;
	}
	return LOG_INFO;
}

/* syslog(3)'s local form has no year, and knows nobody's time zone but ours. */
static size_t
stamp(char *out, size_t size)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;

	return localtime_r(&now, &tm) != NULL
		   ? strftime(out, size, "%b %e %H:%M:%S", &tm)
		   : 0;
}

size_t
collector_format(const struct collector *c, const struct collector_line *l,
    char *out, size_t size)
{
	const char *name = l->name, *line = l->bytes;
	size_t len = l->len;
	char when[32] = "";
	int n, priority;

	while (len > 0 && line[len - 1] == '\n')
		len--;
	priority = split(&line, &len);
	if (c->kind == COLLECTOR_SYSLOG) {
		(void)stamp(when, sizeof when);
		n = snprintf(out, size, "<%d>%s patchflow-%s: %.*s",
		    LOG_DAEMON | priority, when, name, (int)len, line);
	} else {
		n = snprintf(out, size,
		    "PRIORITY=%d\nSYSLOG_FACILITY=%d\n"
		    "SYSLOG_IDENTIFIER=patchflow-%s\nPATCHFLOW_DAEMON=%s\n"
		    "MESSAGE=%.*s\n",
		    priority, LOG_DAEMON >> 3, name, name, (int)len, line);
	}
	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}

static int
reach(struct collector *c)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int64_t now = clock_mono_ms();

	if (c->fd != -1)
		return 0;
	if (now < c->retry_ms) {
		errno = c->error;
		return -1;
	}
	c->retry_ms = now + RETRY_MS;
	c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)strlcpy(a.sun_path, c->path, sizeof a.sun_path);
	if (c->fd == -1 ||
	    connect(c->fd, (const struct sockaddr *)&a, sizeof a) == 0)
		return c->fd == -1 ? -1 : 0;
	c->error = errno;
	collector_close(c);
	errno = c->error;
	return -1;
}

bool
collector_take(struct collector *c, const char *name, const char *line,
    size_t len)
{
	struct collector_line l = {.name = name, .bytes = line, .len = len};
	char datagram[DATAGRAM];
	size_t size;

	if (c->kind == COLLECTOR_NONE)
		return false;
	size = collector_format(c, &l, datagram, sizeof datagram);
	if (reach(c) == 0 &&
	    send(c->fd, datagram, size, MSG_DONTWAIT | MSG_NOSIGNAL) != -1) {
		c->error = 0;
		return true;
	}
	c->error = errno;
	/* A full queue is for this line only, anything else for all. */
	if (errno != EAGAIN && errno != EINTR)
		collector_close(c);
	return false;
}
