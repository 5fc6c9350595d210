/* SPDX-License-Identifier: ISC */
/* Accounts as numbers. */
#include <sys/stat.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "watchdog/identity.h"

static const char *const sources[] = {"/etc/passwd", "/etc/group"};

static void
look(struct timespec out[2])
{
	struct stat st;
	size_t i;

	for (i = 0; i < 2; i++)
		out[i] = stat(sources[i], &st) == 0 ? st.st_mtim
						    : (struct timespec){0};
}

static bool
still_true(const struct identity *id, const char *user, const char *group)
{
	struct timespec now[2];

	if (!id->known || strcmp(id->user, user) != 0 ||
	    strcmp(id->group, group) != 0)
		return false;
	look(now);
	return memcmp(now, id->changed, sizeof now) == 0;
}

static int
not_there(const char **who, const char *name)
{
	*who = name;
	if (errno == 0)
		errno = ENOENT;
	return -1;
}

static int
find_group(struct identity *id, const char *name, const char **who)
{
	const struct group *g;

	if (name[0] == '\0')
		return 0;
	errno = 0;
	g = getgrnam(name);
	if (g == NULL)
		return not_there(who, name);
	id->gid = g->gr_gid;
	return 0;
}

int
identity_find(struct identity *id, const char *user, const char *group,
    const char **who)
{
	int count = IDENTITY_GROUPS;
	const struct passwd *pw;

	if (still_true(id, user, group))
		return 0;
	memset(id, 0, sizeof *id);
	look(id->changed);
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return not_there(who, user);
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	/* One in more groups than that is none of a daemon's users. */
	if (getgrouplist(user, pw->pw_gid, id->groups, &count) == -1) {
		errno = E2BIG;
		return not_there(who, user);
	}
	id->group_count = (size_t)count;
	if (find_group(id, group, who) == -1)
		return -1;
	(void)strlcpy(id->user, user, sizeof id->user);
	(void)strlcpy(id->group, group, sizeof id->group);
	id->known = true;
	return 0;
}
