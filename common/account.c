/* SPDX-License-Identifier: ISC */
/* Users and groups, looked up here or in a child. */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"

#define PATIENCE_MS 10000
#define MEMBER_GROUPS 65536 /* the kernel knows no more */

struct question {
	const char *name;
	uid_t uid;
};

/* What a child writes: fits into a pipe at once. */
struct answer {
	int error; /* errno, or 0 */
	struct account account;
};

typedef int look_up(const struct question *q, struct account *out);

static bool apart;

void
account_ask_apart(void)
{
	apart = true;
}

void
account_ask_here(void)
{
	apart = false;
}

static int
not_found(void)
{
	if (errno == 0)
		errno = ENOENT;
	return -1;
}

static void
take_user(const struct passwd *pw, struct account *out)
{
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	(void)strlcpy(out->name, pw->pw_name, sizeof(out->name));
}

static int
find_user(const struct question *q, struct account *out)
{
	int count = ACCOUNT_GROUPS;
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(q->name);
	if (pw == NULL)
		return not_found();
	take_user(pw, out);
	if (getgrouplist(q->name, pw->pw_gid, out->groups, &count) == -1) {
		errno = E2BIG;
		return -1;
	}
	out->group_count = (size_t)count;
	return 0;
}

static int
find_uid(const struct question *q, struct account *out)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwuid(q->uid);
	if (pw == NULL)
		return not_found();
	take_user(pw, out);
	return 0;
}

static int
find_group(const struct question *q, struct account *out)
{
	const struct group *g;

	errno = 0;
	g = getgrnam(q->name);
	if (g == NULL)
		return not_found();
	out->gid = g->gr_gid;
	return 0;
}

/* All groups of a user; the caller frees. */
static gid_t *
all_groups(const struct account *user, int *count)
{
	for (int room = ACCOUNT_GROUPS; room <= MEMBER_GROUPS; room *= 4) {
		gid_t *list = calloc((size_t)room, sizeof(*list));

		*count = room;
		if (list == NULL ||
		    getgrouplist(user->name, user->gid, list, count) != -1)
			return list;
		free(list);
	}
	errno = E2BIG;
	return NULL;
}

static int
find_member(const struct question *q, struct account *out)
{
	struct account group = {0};
	int count = 0;
	gid_t *list;

	if (find_uid(q, out) == -1 || find_group(q, &group) == -1)
		return -1;
	list = all_groups(out, &count);
	if (list == NULL)
		return -1;
	while (count > 0 && list[count - 1] != group.gid)
		count--;
	free(list);
	errno = EPERM;
	return count > 0 ? 0 : -1;
}

static _Noreturn void
reply(look_up *find, const struct question *q, int fd)
{
	struct answer a = {0};

	if (find(q, &a.account) == -1)
		a.error = errno;
	_exit(write(fd, &a, sizeof a) == (ssize_t)sizeof a ? 0 : 1);
}

/* 0 with the answer, or -1: too late, or the child died. */
static int
await(int fd, struct answer *a)
{
	int ready =
	    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MS);

	errno = ETIMEDOUT;
	if (ready == 1 && read(fd, a, sizeof *a) == (ssize_t)sizeof *a)
		return 0;
	return -1;
}

/* errno stays. */
static void
end(pid_t child, int fd)
{
	int saved = errno;

	(void)kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
		continue;
	(void)close(fd);
	errno = saved;
}

static int
ask_child(look_up *find, const struct question *q, int fds[2],
    struct account *out)
{
	struct answer a = {0};
	pid_t parent = getpid(), child = fork();
	int rc;

	if (child == 0) {
		/* It has our locks, too, and may be stuck where it asks. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		reply(find, q, fds[1]);
	}
	(void)close(fds[1]);
	if (child == -1) {
		(void)close(fds[0]);
		return find(q, out);
	}
	rc = await(fds[0], &a);
	end(child, fds[0]);
	if (rc == -1)
		return -1;
	*out = a.account;
	errno = a.error;
	return a.error == 0 ? 0 : -1;
}

/* Where no child can be had it is better to ask here than not at all. */
static int
ask(look_up *find, const struct question *q, struct account *out)
{
	int fds[2];

	memset(out, 0, sizeof *out);
	if (!apart || pipe2(fds, O_CLOEXEC) == -1)
		return find(q, out);
	return ask_child(find, q, fds, out);
}

int
account_user(const char *name, struct account *out)
{
	return ask(find_user, &(struct question){.name = name}, out);
}

int
account_of(uid_t uid, struct account *out)
{
	return ask(find_uid, &(struct question){.uid = uid}, out);
}

int
account_group(const char *name, struct account *out)
{
	return ask(find_group, &(struct question){.name = name}, out);
}

int
account_member(uid_t uid, const char *group)
{
	struct account a;

	return ask(find_member, &(struct question){group, uid}, &a);
}
