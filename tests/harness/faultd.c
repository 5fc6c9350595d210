/* SPDX-License-Identifier: ISC */
/*
 * faultd LOG FAULT...: a small HTTP server on 127.0.0.1 that goes wrong as
 * told. It prints its port, then answers one request a fault; the last fault
 * repeats. LOG gets one JSON line a request, written before the answer: it is
 * the oracle of what the receiver has, whatever the sender believes.
 *
 *   ok                        200
 *   status:CODE[:retry_after=TEXT]
 *   hang                      takes the request and never answers
 *   rst                       takes the request, then resets
 *   close                     takes the request, then closes
 *   early_rst                 resets before reading
 *   garbage                   answers what is no HTTP
 *   empty                     200 with an empty body and no length
 *   trunc                     breaks off within the headers of a 200
 *   flood                     200 and a body without end
 *
 * A request before the time that retry_after asked for has "early": true.
 */
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "common/buf.h"
#include "common/clock.h"

#define READ_TIMEOUT_S 5
#define FLOOD_BYTES (64u << 20)

struct server {
	int listener;
	int log;
	char **faults;
	int fault_count;
	int seq;
	int64_t quiet_until_ms; /* Retry-After runs until then */
};

struct request {
	struct buf text;
	size_t head; /* length of the headers with their empty line */
	bool complete;
};

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "faultd: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t
content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");
	const char *error = NULL;
	char digits[16];
	long long n;

	if (at == NULL)
		return 0;
	at += strlen("\r\ncontent-length:");
	at += strspn(at, " \t");
	(void)snprintf(digits, sizeof digits, "%.*s",
	    (int)strspn(at, "0123456789"), at);
	n = strtonum(digits, 0, 1 << 26, &error);
	return error == NULL ? (size_t)n : 0;
}

static void
read_request(int fd, struct request *r)
{
	char part[8192];
	const char *end;
	ssize_t n;

	memset(r, 0, sizeof *r);
	while (!r->complete) {
		n = recv(fd, part, sizeof part, 0);
		if (n <= 0)
			return;
		buf_add(&r->text, part, (size_t)n);
		end = strstr(r->text.bytes, "\r\n\r\n");
		if (end == NULL)
			continue;
		r->head = (size_t)(end - r->text.bytes) + 4;
		r->complete =
		    r->text.len - r->head >= content_length(r->text.bytes);
	}
}

static json_t *
headers_of(const struct request *r)
{
	json_t *headers = json_object();
	char *copy =
	    xstrndup(r->text.bytes == NULL ? "" : r->text.bytes, r->head);
	char *save = copy;
	char *line, *colon, *p;

	(void)strsep(&save, "\n");
	while ((line = strsep(&save, "\n")) != NULL) {
		line[strcspn(line, "\r")] = '\0';
		colon = strchr(line, ':');
		if (colon == NULL)
			continue;
		*colon = '\0';
		for (p = line; *p != '\0'; p++)
			if (*p >= 'A' && *p <= 'Z')
				*p = (char)(*p + 'a' - 'A');
		(void)json_object_set_new(headers, line,
		    json_string(colon + 1 + strspn(colon + 1, " ")));
	}
	free(copy);
	return headers;
}

static void
write_log(struct server *s, const struct request *r, const char *fault)
{
	const char *body = r->head == 0 ? "" : r->text.bytes + r->head;
	int64_t now = clock_mono_ms();
	char first[256] = "";
	json_t *row;
	char *line;

	if (r->head > 0)
		(void)snprintf(first, sizeof first, "%.*s",
		    (int)strcspn(r->text.bytes, "\r"), r->text.bytes);
	row = json_pack("{s:i,s:I,s:s,s:o,s:s,s:b,s:s,s:b}", "seq", s->seq,
	    "t_ms", (json_int_t)now, "request", first, "headers", headers_of(r),
	    "body", body, "complete", r->complete, "fault", fault, "early",
	    now < s->quiet_until_ms);
	line = json_dumps(row, JSON_COMPACT);
	if (line == NULL || dprintf(s->log, "%s\n", line) < 0)
		die("log");
	free(line);
	json_decref(row);
}

static void
reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void
answer(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) == -1)
		return;
	(void)shutdown(fd, SHUT_WR);
}

static void
flood(int fd)
{
	static const char zeros[65536];
	size_t left = FLOOD_BYTES;

	if (dprintf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n") < 0)
		return;
	for (; left > 0; left -= sizeof zeros)
		if (send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) == -1)
			return;
}

/* "status:429:retry_after=2" */
static void
answer_status(struct server *s, int fd, const char *spec)
{
	const char *wait = strstr(spec, ":retry_after=");
	const char *error = NULL;
	char text[256];
	long long n = 0;

	if (wait != NULL) {
		wait += strlen(":retry_after=");
		n = strtonum(wait, 0, 3600, &error);
		s->quiet_until_ms =
		    clock_mono_ms() + (error == NULL ? n * 1000 : 0);
	}
	(void)snprintf(text, sizeof text,
	    "HTTP/1.1 %.3s Told\r\n%s%s%sContent-Length: 2\r\n"
	    "Connection: close\r\n\r\nno",
	    spec, wait == NULL ? "" : "Retry-After: ", wait == NULL ? "" : wait,
	    wait == NULL ? "" : "\r\n");
	answer(fd, text);
}

/* True when fd may be closed. */
static bool
carry_out(struct server *s, int fd, const char *fault)
{
	if (strcmp(fault, "hang") == 0)
		return false;
	if (strcmp(fault, "rst") == 0)
		reset(fd);
	else if (strcmp(fault, "garbage") == 0)
		answer(fd, "\x01\x02 this is no answer\r\n\r\n");
	else if (strcmp(fault, "empty") == 0)
		answer(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	else if (strcmp(fault, "trunc") == 0)
		answer(fd, "HTTP/1.1 200 OK\r\nContent-Le");
	else if (strcmp(fault, "flood") == 0)
		flood(fd);
	else if (strncmp(fault, "status:", 7) == 0)
		answer_status(s, fd, fault + 7);
	else if (strcmp(fault, "close") != 0)
		answer(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
			   "Connection: close\r\n\r\nok");
	return true;
}

static void
serve_one(struct server *s)
{
	const struct timeval limit = {.tv_sec = READ_TIMEOUT_S};
	struct request r = {0};
	const char *fault;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	bool done;

	if (fd == -1)
		return;
	fault =
	    s->faults[s->seq < s->fault_count ? s->seq : s->fault_count - 1];
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (strcmp(fault, "early_rst") == 0)
		reset(fd);
	else
		read_request(fd, &r);
	write_log(s, &r, fault);
	done = carry_out(s, fd, fault);
	s->seq++;
	buf_free(&r.text);
	if (done)
		(void)close(fd);
}

static void
open_listener(struct server *s)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof at;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->listener == -1 ||
	    bind(s->listener, (struct sockaddr *)&at, sizeof at) == -1 ||
	    listen(s->listener, 64) == -1 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &len) == -1)
		die("listen");
	(void)printf("%d\n", ntohs(at.sin_port));
	if (fflush(stdout) != 0)
		die("port");
}

int
main(int argc, char **argv)
{
	struct server s = {.faults = argv + 2, .fault_count = argc - 2};

	if (argc < 3) {
		(void)fprintf(stderr, "usage: faultd LOG FAULT...\n");
		return 2;
	}
	s.log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (s.log == -1)
		die(argv[1]);
	open_listener(&s);
	for (;;)
		serve_one(&s);
}
