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

bool
identity_holds(const struct identity *id, const char *user, const char *group)
{
	struct timespec now[2];

	if (!id->known || strcmp(id->user, user) != 0 ||
	    strcmp(id->group, group) != 0)
		return false;
	look(now);
	return memcmp(now, id->numbers.changed, sizeof now) == 0;
}

static int
find_group(struct account *of, const char *name, const char **who)
{
	struct account a;

	if (name[0] == '\0')
		return 0;
	*who = name;
	if (account_group(name, &a) == -1)
		return -1;
	of->gid = a.gid;
	return 0;
}

void
identity_set(struct identity *id, const char *user, const char *group,
    const struct identity_numbers *found)
{
	id->numbers = *found;
	(void)strlcpy(id->user, user, sizeof id->user);
	(void)strlcpy(id->group, group, sizeof id->group);
	id->known = true;
}

int
identity_find(struct identity *id, const char *user, const char *group,
    const char **who)
{
	struct identity_numbers n = {0};

	id->known = false;
	look(n.changed);
	*who = user;
	if (account_user(user, &n.account) == -1 ||
	    find_group(&n.account, group, who) == -1)
		return -1;
	identity_set(id, user, group, &n);
	return 0;
}
