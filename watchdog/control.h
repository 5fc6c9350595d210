/* SPDX-License-Identifier: ISC */
/*
 * run/control.sock: one request line in, one JSON line out. Whoever may
 * connect (the socket's group) may ask for status and ping; root and the
 * suite's own user may act, and each action is logged with the peer's uid.
 * No client can hold the loop: all of it is non-blocking, a silent client is
 * cut off, and with every place taken the oldest one of the user with the most
 * of them gives way.
 */
#ifndef WATCHDOG_CONTROL_H
#define WATCHDOG_CONTROL_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/loop.h"

struct watchdog;

#define CONTROL_CLIENTS 16
#define CONTROL_LINE 160
#define CONTROL_CLIENT_MS 2000

struct client {
	struct watchdog *owner;
	struct watch watch;
	struct timer timer; /* armed while the place is taken */
	uid_t uid;
	pid_t pid;
	char line[CONTROL_LINE];
	size_t used;
	char *answer; /* NULL while the request is read */
	size_t answer_len;
	size_t answer_sent;
};

struct control {
	struct watch listen;
	struct timer pause; /* after accept(2) ran out of descriptors */
	struct client clients[CONTROL_CLIENTS];
};

int control_open(struct watchdog *w); /* 0, or -1 with errno */
void control_close(struct watchdog *w);
/* In a new image: the socket, and a client with what it had said. */
void control_resume(struct watchdog *w, int listen_fd);
void control_resume_client(struct watchdog *w, const struct client *was);
/* Nobody waits for the rest of an answer. */
bool control_is_quiet(const struct watchdog *w);

/* verb.c: the answer to a request line, as JSON text; the caller frees. */
char *verb_answer(struct watchdog *w, const struct client *c, char *line);

#endif
