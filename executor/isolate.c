/* SPDX-License-Identifier: ISC */
/* The user, the choice of a way to isolate, and the words about it. */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "executor/foreign.h"
#include "executor/group.h"
#include "executor/isolate.h"
#include "executor/probe.h"

#define TOLD "isolation.json"
#define TOLD_FORMAT "patchflow-isolation-1"

static void
name_user(struct jail_user *u, const struct passwd *pw)
{
	if (pw != NULL)
		strlcpy(u->name, pw->pw_name, sizeof(u->name));
	else if (snprintf(u->name, sizeof(u->name), "%u", u->uid) < 0)
		u->name[0] = '\0';
}

/* What getpwnam(3) may leave in errno when nobody has that name. */
static bool
is_nobody(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH ||
	       error == EBADF || error == EPERM;
}

static struct passwd *
find_user(struct executor *ex, const char *name)
{
	struct passwd *pw;
	int n, saved;

	errno = 0;
	pw = getpwnam(name);
	saved = errno;
	if (pw != NULL)
		return pw;
	if (is_nobody(saved))
		n = snprintf(ex->why, sizeof(ex->why),
		    "run_as: there is no user %.32s on this machine: make the "
		    "account, or name another as run_as of queue %s in %.100s",
		    name, ex->q->name, ex->opts->config);
	else
		n = snprintf(ex->why, sizeof(ex->why),
		    "run_as: user %.32s of queue %s in %.100s cannot be looked "
		    "up: %.40s",
		    name, ex->q->name, ex->opts->config, strerror(saved));
	if (n < 0)
		ex->why[0] = '\0';
	errno = ESRCH;
	return NULL;
}

/* As root: run_as, else the workspace's owner. */
int
isolate_user(struct executor *ex)
{
	const char *wanted = ex->queue->run_as;
	struct jail_user *u = &ex->user;
	struct passwd *pw;

	u->switches = geteuid() == 0;
	if (!u->switches) {
		u->uid = geteuid();
		u->gid = getegid();
		name_user(u, getpwuid(u->uid));
		return 0;
	}
	u->uid = ex->workspace.st.st_uid;
	u->gid = ex->workspace.st.st_gid;
	pw = getpwuid(u->uid);
	if (wanted[0] != '\0') {
		pw = find_user(ex, wanted);
		if (pw == NULL)
			return -1;
		u->uid = pw->pw_uid;
	}
	if (pw != NULL)
		u->gid = pw->pw_gid;
	name_user(u, pw);
	return 0;
}

/* A user namespace maps one uid and gid: others cannot be copied up. */
static bool
find_foreign(struct executor *ex)
{
	char path[PATH_MAX];

	if (!foreign_in(ex->workspace.fd, FOREIGN_OWNED, path))
		return false;
	if (snprintf(ex->why, sizeof(ex->why),
		"%.150s belongs to another user or group", path) < 0)
		ex->why[0] = '\0';
	return true;
}

/* What no clone can hold: patches with commands will say so and fail. */
static void
note_unreadable(struct executor *ex)
{
	size_t len = strlen(ex->why);
	char path[PATH_MAX];

	if ((ex->isolation == JAIL_COPY || ex->isolation == JAIL_BARE) &&
	    foreign_in(ex->workspace.fd, FOREIGN_UNREADABLE, path))
		(void)snprintf(ex->why + len, sizeof(ex->why) - len,
		    "%s%.80s cannot be read, so that no patch with commands "
		    "can run",
		    len > 0 ? "; " : "", path);
}

/* The reason that counts is that of the best way. */
static void
note_why(struct executor *ex, const struct probe *p)
{
	size_t len = strlen(ex->why);

	(void)snprintf(ex->why + len, sizeof(ex->why) - len, "%s%s: %s",
	    len > 0 ? "; " : "", jail_way_name[p->way], p->fault.text);
}

static bool
is_allowed(const struct executor *ex, enum jail_way way)
{
	const char *wanted = ex->queue->isolation;

	if (strcmp(wanted, "auto") == 0)
		return true;
	if (strcmp(wanted, "overlay") == 0)
		return way == JAIL_OVERLAY;
	return strcmp(wanted, "copy") == 0 && way != JAIL_OVERLAY;
}

/*
 * The best way first. What the machine forbids is a reason to be weaker. What
 * it lacks at present, be it room, memory or descriptors, is none: the queue
 * waits then.
 */
static int
choose_isolation(struct executor *ex)
{
	struct probe p = {0};

	ex->why[0] = '\0';
	ex->isolation = JAIL_PLAIN;
	for (int way = JAIL_OVERLAY; way > JAIL_PLAIN; way--) {
		if (!is_allowed(ex, (enum jail_way)way) ||
		    (way == JAIL_OVERLAY && find_foreign(ex)))
			continue;
		if (probe_way(ex, &p, (enum jail_way)way)) {
			ex->isolation = (enum jail_way)way;
			break;
		}
		if (p.fault.temporary) {
			(void)snprintf(ex->why, sizeof(ex->why), "%s: %.200s",
			    jail_way_name[way], p.fault.text);
			fault_free(&p.fault);
			errno = EAGAIN;
			return -1;
		}
		note_why(ex, &p);
		fault_free(&p.fault);
	}
	note_unreadable(ex);
	if (ex->isolation != JAIL_OVERLAY && ex->why[0] == '\0')
		(void)snprintf(ex->why, sizeof(ex->why),
		    "the queue's isolation is set to %s", ex->queue->isolation);
	return 0;
}

/* Was it weak when it was last told? Kept over restarts, so that the alert is
 * ended by the start that has the overlay again. */
static bool
swap_told(struct executor *ex, bool weak)
{
	json_t *doc = NULL;
	bool was = state_load(&ex->state, TOLD, TOLD_FORMAT, &doc) == 1 &&
		   json_is_true(json_object_get(doc, "weak"));

	json_decref(doc);
	if (was == weak)
		return was;
	doc = json_pack("{s:s,s:b}", "format", TOLD_FORMAT, "weak", weak);
	if (state_save(&ex->state, TOLD, doc) != SPOOL_DONE)
		log_warn(TOLD ": not written");
	json_decref(doc);
	return was;
}

static const char *
weakness(enum jail_way way)
{
	return way == JAIL_PLAIN  ? "commands are refused"
	       : way == JAIL_BARE ? "commands run in a copy, beside other "
				    "processes"
				  : "commands run in a copy of the whole "
				    "workspace";
}

static void
tell_isolation(struct executor *ex)
{
	bool weak = ex->isolation != JAIL_OVERLAY;
	bool was = swap_told(ex, weak);
	const char *word = jail_way_name[ex->isolation];
	struct alert a = {.type = "isolation-weak",
	    .component = ex->instance,
	    .subject = ex->q->name,
	    .severity = weak ? ALERT_WARNING : ALERT_INFO,
	    .queue = ex->q->name,
	    .resolved = !weak};
	char *text =
	    weak ? xasprintf("queue %s: isolation is %s, %s: %s", ex->q->name,
		       word, weakness(ex->isolation), ex->why)
		 : xasprintf("queue %s: isolation is overlay again",
		       ex->q->name);

	log_info("isolation %s, durability %s, staging %s%s%s", word,
	    durability_name[ex->durability], ex->place.path,
	    ex->why[0] != '\0' ? ": " : "", ex->why);
	a.text = text;
	if (weak || was)
		executor_alert(ex, &a);
	free(text);
}

static bool
is_one_filesystem(const struct executor *ex)
{
	const int dirs[] = {ex->place.dir, ex->q->dir[Q_RUNNING],
	    ex->q->outcomes.dir[BOX_TMP], ex->q->outcomes.dir[BOX_NEW]};
	struct stat st;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (fstat(dirs[i], &st) == -1 ||
		    st.st_dev != ex->workspace.st.st_dev)
			return false;
	}
	return true;
}

int
isolate_choose(struct executor *ex)
{
	struct fsinfo info;
	bool known = fsinfo_read(ex->workspace.fd, &info) == 0;

	ex->durability = known ? info.durability : DURABLE_UNKNOWN;
	ex->ordered = known && info.ordered && is_one_filesystem(ex);
	return choose_isolation(ex);
}

int
isolate_open(struct executor *ex)
{
	int saved;

	if (workspace_open(&ex->workspace, ex->queue->workspace) == -1)
		goto fail;
	errno = EROFS;
	if (!workspace_is_writable(&ex->workspace))
		goto fail;
	if (isolate_user(ex) == -1 || isolate_place(ex) == -1 ||
	    isolate_record(ex) == -1)
		goto fail;
	group_open(ex);
	ex->chosen = false;
	return 0;
fail:
	saved = errno;
	workspace_close(&ex->workspace);
	place_close(&ex->place);
	errno = saved;
	return -1;
}

int
isolate_ready(struct executor *ex)
{
	if (ex->chosen)
		return 0;
	if (isolate_choose(ex) == -1)
		return -1;
	ex->chosen = true;
	if (ex->user.uid == 0)
		log_warnx("commands run as root, without capabilities: "
			  "set run_as or give the workspace to a user");
	/* Whatever a bare jail's init leaves behind comes to us. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, ex->isolation == JAIL_BARE);
	tell_isolation(ex);
	return 0;
}
