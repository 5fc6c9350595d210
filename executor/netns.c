/* SPDX-License-Identifier: ISC */
/* Keeping a net namespace, and looking whether anything is left in it. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "executor/netns.h"

#define SOCKSTAT_MAX 1024

void
netns_reset(struct netns *n)
{
	*n = (struct netns){.fd = -1, .count = -1};
}

void
netns_close(struct netns *n)
{
	if (n->fd != -1)
		(void)close(n->fd);
	if (n->count != -1)
		(void)close(n->count);
	netns_reset(n);
}

/* Of all families, and of TCP what waits for its time. */
static bool
is_empty(int count)
{
	char text[SOCKSTAT_MAX];
	ssize_t len = pread(count, text, sizeof(text) - 1, 0);
	long used, waiting;
	const char *tcp;

	if (len <= 0)
		return false;
	text[len] = '\0';
	tcp = strstr(text, "\nTCP: ");
	return tcp != NULL && sscanf(text, "sockets: used %ld", &used) == 1 &&
	       sscanf(tcp, " TCP: inuse %*d orphan %*d tw %ld", &waiting) ==
		   1 &&
	       used == 0 && waiting == 0;
}

bool
netns_is_free(struct netns *n)
{
	if (n->fd != -1 && !n->busy && is_empty(n->count))
		return true;
	netns_close(n);
	return false;
}

static int
open_of(pid_t pid, const char *what)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, what);
	return open(path, O_RDONLY | O_CLOEXEC);
}

void
netns_keep(struct netns *n, pid_t pid)
{
	if (n->fd == -1) {
		n->fd = open_of(pid, "ns/net");
		n->count = open_of(pid, "net/sockstat");
	}
	n->busy = true;
}

void
netns_leave(struct netns *n)
{
	n->busy = false;
}

int
netns_enter(const struct netns *n)
{
	return setns(n->fd, CLONE_NEWNET) == 0 ? 0 : unshare(CLONE_NEWNET);
}
