/* SPDX-License-Identifier: ISC */
/* Can the daemons' user do its work, and what is missing if not? */
#include <sys/stat.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "ctl/check.h"

#define GROUPS_MAX 256

/* tree.h gives the spool's files to these, where they exist. */
static const struct {
	const char *name;
	const char *what;
} needed[] = {
    {"patchflow", "read what executors write"},
    {"patchflow-submit", "take what is handed in"},
};

static bool
is_member(const struct passwd *pw, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX, i;

	if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &count) == -1)
		return true; /* in more groups than we look at */
	for (i = 0; i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static void
note_fix(struct trials *t, char *fix)
{
	trial_fix(t, fix);
	free(fix);
}

static bool
check_groups(struct trials *t, const struct passwd *pw)
{
	const struct group *g;
	bool all = true;
	size_t i;

	for (i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		g = getgrnam(needed[i].name);
		if (g == NULL || is_member(pw, g->gr_gid))
			continue;
		trial_note(t, TRIAL_ERROR, "suite", "group",
		    xasprintf("%s is not in group %s and cannot %s",
			pw->pw_name, needed[i].name, needed[i].what));
		note_fix(t, xasprintf("usermod -a -G %s %s", needed[i].name,
				pw->pw_name));
		all = false;
	}
	return all;
}

static bool
check_owner(struct trials *t, const struct ctl *c, const struct passwd *pw)
{
	const struct passwd *owner;
	struct stat st;

	if (fstat(c->t.root, &st) == -1 || st.st_uid == pw->pw_uid)
		return true;
	owner = getpwuid(st.st_uid);
	trial_note(t, TRIAL_ERROR, "suite", "owner",
	    xasprintf("%s belongs to %s, not to %s", c->t.path,
		owner != NULL ? owner->pw_name : "nobody known", c->s.user));
	note_fix(t, xasprintf("with the suite down: chown -R %s %s", c->s.user,
			c->t.path));
	return false;
}

const char *
check_user(struct trials *t, const struct ctl *c)
{
	const char *user = c->s.user;
	struct passwd *found, pw;
	bool good;

	if (user[0] == '\0' || geteuid() != 0)
		return "";
	found = getpwnam(user);
	if (found == NULL) {
		trial_note(t, TRIAL_ERROR, "suite", "user",
		    xasprintf("%s: there is no such user", user));
		trial_fix(t, "make the user, or set user to another");
		return "";
	}
	/* Looking for the owner overwrites what getpwnam gave. */
	pw = *found;
	pw.pw_name = xstrdup(user);
	good = check_groups(t, &pw);
	good = check_owner(t, c, &pw) && good;
	if (good)
		trial_note(t, TRIAL_OK, "suite", "user", xstrdup(user));
	free(pw.pw_name);
	return user;
}
