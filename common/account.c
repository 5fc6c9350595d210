/* SPDX-License-Identifier: ISC */
/* Users and groups, looked up here or in a child. */
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/account.h"

#define PATIENCE_MS 10000

/* What a child writes: fits into a pipe at once. */
struct answer {
	int error; /* errno, or 0 */
	struct account account;
};

typedef int look_up(const char *name, struct account *out);

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

static int
find_user(const char *name, struct account *out)
{
	int count = ACCOUNT_GROUPS;
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return not_found();
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	if (getgrouplist(name, pw->pw_gid, out->groups, &count) == -1) {
		errno = E2BIG;
		return -1;
	}
	out->group_count = (size_t)count;
	return 0;
}

static int
find_group(const char *name, struct account *out)
{
	const struct group *g;

	errno = 0;
	g = getgrnam(name);
	if (g == NULL)
		return not_found();
	out->gid = g->gr_gid;
	return 0;
}

static _Noreturn void
reply(look_up *find, const char *name, int fd)
{
	struct answer a = {0};

	if (find(name, &a.account) == -1)
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
ask_child(look_up *find, const char *name, int fds[2], struct account *out)
{
	struct answer a = {0};
	pid_t child = fork();
	int rc;

	if (child == 0)
		reply(find, name, fds[1]);
	(void)close(fds[1]);
	if (child == -1) {
		(void)close(fds[0]);
		return find(name, out);
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
ask(look_up *find, const char *name, struct account *out)
{
	int fds[2];

	memset(out, 0, sizeof *out);
	if (!apart || pipe2(fds, O_CLOEXEC) == -1)
		return find(name, out);
	return ask_child(find, name, fds, out);
}

int
account_user(const char *name, struct account *out)
{
	return ask(find_user, name, out);
}

int
account_group(const char *name, struct account *out)
{
	return ask(find_group, name, out);
}
