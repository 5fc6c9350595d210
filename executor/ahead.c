/* SPDX-License-Identifier: ISC */
/* Starting a jail ahead, and looking whether it still holds. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "executor/ahead.h"

#define READY_MS 100  /* a patch waits for what is nearly made */
#define WAITS_MAX 3   /* so many do, for the same one */
#define REST_MS 60000 /* before what could not be made is tried again */
#define DROP_MS 20    /* for a killed one to die, which takes one or two */
#define CLOSE_MS 1000 /* and when there is nothing else to do */

void
ahead_reset(struct ahead *a)
{
	*a = (struct ahead){.order = -1, .changes = -1};
	jail_reset(&a->jail);
}

/* True when the machine's mounts were changed since the last look: the kernel
 * says so once. */
static bool
have_changed(const struct ahead *a)
{
	struct pollfd fd = {a->changes, POLLPRI, 0};

	return poll(&fd, 1, 0) != 0;
}

static bool
root_time(struct timespec *t)
{
	struct stat st;

	if (stat("/", &st) == -1)
		return false;
	*t = st.st_ctim;
	return true;
}

/* What is changed from here on makes it stale. */
static bool
note_machine(struct ahead *a)
{
	if (a->changes == -1)
		a->changes = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (a->changes == -1)
		return false;
	(void)have_changed(a);
	return root_time(&a->root);
}

static ino_t
net_id(const struct netns *n)
{
	struct stat st;

	return n->fd != -1 && fstat(n->fd, &st) == 0 ? st.st_ino : 0;
}

/* A user's jail has one of its own; root's enters the one that is kept, and
 * not before its patch comes: another jail may be in it. */
static bool
note_net(struct ahead *a, const struct jail_spec *spec)
{
	a->net = spec->user->switches ? net_id(spec->net) : 0;
	return a->net != 0 || !spec->user->switches;
}

static void
note_group(struct ahead *a, const struct cgroup *g)
{
	for (size_t i = 0; i < 2; i++)
		(void)strlcpy(a->groups[i], g != NULL ? g->dirs[i] : "",
		    sizeof(a->groups[i]));
}

static bool
fits_group(const struct ahead *a, const struct cgroup *g)
{
	return g == NULL || (strcmp(a->groups[0], g->dirs[0]) == 0 &&
				strcmp(a->groups[1], g->dirs[1]) == 0);
}

/* True when there is none, or no more within ms: one that hangs on somebody's
 * disk may take long to die. */
static bool
reap(struct ahead *a, int ms)
{
	int status;

	if (a->jail.pid != -1 && jail_reap(&a->jail, ms, &status) == 0)
		return false;
	jail_close(&a->jail);
	return true;
}

void
ahead_make(struct ahead *a, const struct jail_spec *spec)
{
	struct jail_spec own = *spec;

	if (a->there || !reap(a, 0) || clock_mono_ms() < a->not_before_ms ||
	    !note_machine(a) || !note_net(a, spec))
		return;
	a->order = memfd_create("order", MFD_CLOEXEC);
	if (a->order == -1)
		return;
	own.order = a->order;
	a->user = *spec->user;
	note_group(a, spec->cgroup);
	a->waits = 0;
	a->there = jail_start(&a->jail, &own) == 0;
	if (!a->there)
		ahead_drop(a);
}

/* It would come to nothing again, or cost each patch a wait: a patch can start
 * its own. */
static void
give_up(struct ahead *a, const char *why)
{
	log_info("no jail is made ahead for a while: %s", why);
	a->not_before_ms = clock_mono_ms() + REST_MS;
	ahead_drop(a);
}

/* It says so once; where it has ended, be it behind that, the other end of its
 * lifeline is closed. */
static bool
is_ready(struct ahead *a)
{
	struct pollfd fd = {a->jail.lifeline, POLLIN, 0};
	char byte;

	if (poll(&fd, 1, READY_MS) != 1) {
		if (++a->waits == WAITS_MAX)
			give_up(a, "its making does not come to an end");
		return false;
	}
	if ((fd.revents & POLLHUP) == 0 &&
	    recv(a->jail.lifeline, &byte, 1, MSG_DONTWAIT) == 1)
		return true;
	if (jail_was_killed(&a->jail, READY_MS))
		ahead_drop(a); /* by somebody else: no fault of its own */
	else
		give_up(a, "it is not possible");
	return false;
}

static bool
is_stale(const struct ahead *a, const struct jail_spec *spec)
{
	struct timespec now;

	return have_changed(a) || !root_time(&now) ||
	       now.tv_sec != a->root.tv_sec || now.tv_nsec != a->root.tv_nsec ||
	       a->user.uid != spec->user->uid ||
	       strcmp(a->user.name, spec->user->name) != 0;
}

/* Where the patch may use the network it stays in the machine's. */
static bool
fits_net(struct ahead *a, const struct jail_spec *spec, struct jail *j)
{
	if (a->net == 0)
		return !spec->network;
	if (spec->network)
		return true;
	if (!netns_is_free(spec->net) || net_id(spec->net) != a->net)
		return false;
	j->net = spec->net;
	netns_keep(j->net, j->pid);
	return true;
}

bool
ahead_take(struct ahead *a, const struct jail_spec *spec, struct jail *j,
    int *order)
{
	if (!a->there || !is_ready(a))
		return false;
	if (is_stale(a, spec) || !fits_group(a, spec->cgroup) ||
	    !fits_net(a, spec, &a->jail)) {
		ahead_drop(a);
		return false;
	}
	*j = a->jail;
	*order = a->order;
	jail_reset(&a->jail);
	a->order = -1;
	a->there = false;
	return true;
}

void
ahead_drop(struct ahead *a)
{
	if (a->there)
		jail_kill(&a->jail);
	a->there = false;
	if (a->order != -1)
		(void)close(a->order);
	a->order = -1;
	(void)reap(a, DROP_MS);
}

void
ahead_close(struct ahead *a)
{
	ahead_drop(a);
	(void)reap(a, CLOSE_MS);
	if (a->changes != -1)
		(void)close(a->changes);
	jail_close(&a->jail);
	ahead_reset(a);
}
