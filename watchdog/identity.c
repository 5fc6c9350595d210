/* SPDX-License-Identifier: ISC */
/* Accounts as numbers. */
#include <sys/stat.h>
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
find_group(struct identity *id, const char *name, const char **who)
{
	struct account a;

	if (name[0] == '\0')
		return 0;
	*who = name;
	if (account_group(name, &a) == -1)
		return -1;
	id->account.gid = a.gid;
	return 0;
}

int
identity_find(struct identity *id, const char *user, const char *group,
    const char **who)
{
	if (still_true(id, user, group))
		return 0;
	memset(id, 0, sizeof *id);
	look(id->changed);
	*who = user;
	if (account_user(user, &id->account) == -1)
		return -1;
	if (find_group(id, group, who) == -1)
		return -1;
	(void)strlcpy(id->user, user, sizeof id->user);
	(void)strlcpy(id->group, group, sizeof id->group);
	id->known = true;
	return 0;
}
