/* SPDX-License-Identifier: ISC */
/* Keeping a net namespace, and looking whether anything is left in it. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The number behind name, -1 where there is none. */
static long
count_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	char *end;
	long n;

	if (at == NULL)
		return -1;
	at += strlen(name);
	n = strtol(at, &end, 10);
	return end != at ? n : -1;
}

/* Of all families, and of TCP what waits for its time. */
static bool
is_empty(int count)
{
	char text[SOCKSTAT_MAX];
	ssize_t len = pread(count, text, sizeof(text) - 1, 0);
	const char *tcp;

	if (len <= 0)
		return false;
	text[len] = '\0';
	tcp = strstr(text, "\nTCP: ");
	return tcp != NULL && count_of(text, "sockets: used ") == 0 &&
	       count_of(tcp, " tw ") == 0;
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
netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET) == 0 ? 0 : unshare(CLONE_NEWNET);
}
