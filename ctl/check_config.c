/* SPDX-License-Identifier: ISC */
/*
 * check-config: every error of the file, and then what only trying tells:
 * that a put works, that staging and workspace share a filesystem, that what
 * is to be written can be. As the user who runs it: as root, daemons that
 * drop their rights may still be refused.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fsinfo.h"
#include "common/spool.h"
#include "ctl/out.h"
#include "ctl/table.h"
#include "ctl/trial.h"
#include "ctl/verbs.h"

static void
try_put(struct trials *t, const struct queue_tree *q)
{
	char name[NAME_SIZE];
	int tmp = q->dir[Q_TMP];

	spool_unique_name("json", name, sizeof(name));
	if (spool_put(q->requests.dir[BOX_TMP], tmp, name, "x", 1) !=
		SPOOL_DONE ||
	    spool_remove(tmp, name) != SPOOL_DONE) {
		trial_note(t, TRIAL_ERROR, q->name, "put",
		    xasprintf("%s/%s: %s", t->c->t.path, q->name,
			strerror(errno)));
		trial_fix(t, "give the spool room and a local filesystem");
		return;
	}
	trial_note(t, TRIAL_OK, q->name, "put", xstrdup("durable"));
}

static bool
try_workspace(struct trials *t, const struct queue_settings *q)
{
	struct stat st;

	if (stat(q->workspace, &st) == -1 || !S_ISDIR(st.st_mode)) {
		trial_note(t, TRIAL_ERROR, q->name, "workspace",
		    xasprintf("%s: is no directory that can be reached",
			q->workspace));
		trial_fix(t, "make it, or set workspace; until then the "
			     "queue is paused");
		return false;
	}
	if (trial_write(q->workspace) == -1) {
		trial_note(t, TRIAL_ERROR, q->name, "workspace",
		    xasprintf("%s: %s", q->workspace, strerror(errno)));
		trial_fix(t, "run the suite as its owner, or as root");
		return false;
	}
	trial_note(t, TRIAL_OK, q->name, "workspace", xstrdup(q->workspace));
	return true;
}

/* Where transactions can live: executor(8) takes the first that works. */
static char *
find_staging(struct ctl *c, const struct queue_settings *q)
{
	const char *slash = strrchr(q->workspace, '/');
	char *places[3], *found = NULL;
	int i;

	if (q->staging[0] != '\0')
		return trial_rename(q->staging, q->workspace) == 0
			   ? xstrdup(q->staging)
			   : NULL;
	places[0] = xasprintf("%s/state", c->t.path);
	places[1] = xasprintf("%.*s/.patchflow-%s", (int)(slash - q->workspace),
	    q->workspace, q->name);
	places[2] = xasprintf("%s/.patchflow", q->workspace);
	for (i = 0; i < 3; i++) {
		if (found == NULL && trial_rename(places[i], q->workspace) == 0)
			found = xstrdup(places[i]);
		free(places[i]);
	}
	return found;
}

static void
try_staging(struct trials *t, const struct queue_settings *q)
{
	char *found = find_staging(t->c, q);

	if (found != NULL) {
		trial_note(t, TRIAL_OK, q->name, "staging", found);
		return;
	}
	trial_note(t, TRIAL_ERROR, q->name, "staging",
	    xasprintf("no rename into %s works: %s", q->workspace,
		strerror(errno)));
	trial_fix(t, "set staging to a directory on the workspace's "
		     "filesystem");
}

static void
try_durability(struct trials *t, const char *subject, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fsinfo fs;

	if (fd == -1)
		return;
	if (fsinfo_read(fd, &fs) == -1)
		trial_note(t, TRIAL_WARNING, subject, "durability",
		    xasprintf("%s: %s", path, strerror(errno)));
	else if (fs.durability == DURABLE_JOURNAL)
		trial_note(t, TRIAL_OK, subject, "durability",
		    xstrdup(durability_name[fs.durability]));
	else {
		trial_note(t, TRIAL_WARNING, subject, "durability",
		    xasprintf("%s: %s, does not survive every power cut", path,
			durability_name[fs.durability]));
		trial_fix(t, "a journaling filesystem: ext4, xfs, btrfs");
	}
	(void)close(fd);
}

static void
try_user(struct trials *t, const struct queue_settings *q)
{
	struct passwd *pw;
	struct stat st;

	if (q->run_as[0] != '\0') {
		pw = getpwnam(q->run_as);
		trial_note(t, pw != NULL ? TRIAL_OK : TRIAL_ERROR, q->name,
		    "run_as",
		    xasprintf("%s%s", q->run_as,
			pw != NULL ? "" : ": there is no such user"));
		return;
	}
	if (geteuid() != 0 || stat(q->workspace, &st) == -1 || st.st_uid != 0)
		return;
	trial_note(t, TRIAL_WARNING, q->name, "run_as",
	    xasprintf("%s is root's: commands run as root", q->workspace));
	trial_fix(t, "set run_as, or give the workspace to a user");
}

static void
try_queue(struct trials *t, const struct queue_settings *q)
{
	try_put(t, tree_queue(&t->c->t, q->name));
	if (!try_workspace(t, q))
		return;
	try_staging(t, q);
	try_durability(t, q->name, q->workspace);
	try_user(t, q);
}

static int
try_append(const char *path)
{
	struct stat st;
	char *up;
	const char *slash;
	int answer;

	if (stat(path, &st) == 0)
		return access(path, W_OK);
	slash = strrchr(path, '/');
	up = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	answer = trial_directory(up);
	free(up);
	return answer;
}

static void
note_writable(struct trials *t, const char *subject, const char *check,
    const char *path, int answer)
{
	if (answer == 0)
		trial_note(t, TRIAL_OK, subject, check, xstrdup(path));
	else {
		trial_note(t, TRIAL_ERROR, subject, check,
		    xasprintf("%s: %s", path, strerror(errno)));
		trial_fix(t, "give the user of the daemons the right to "
			     "write there");
	}
}

static void
try_destinations(struct trials *t)
{
	const struct summary_settings *s = &t->c->s.summaries;
	const struct destination_settings *d;
	size_t i;

	for (i = 0; i < s->destination_count; i++) {
		d = &s->destinations[i];
		note_writable(t, d->name, "destination", d->path,
		    strcmp(d->type, "append") == 0 ? try_append(d->path)
						   : trial_directory(d->path));
	}
	if (s->destination_count > 0)
		return;
	trial_note(t, TRIAL_WARNING, "summaries", "destinations",
	    xstrdup("none: summaries stay in the spool"));
	trial_fix(t, "add summaries.destinations");
}

static void
try_channels(struct trials *t)
{
	const struct alert_settings *a = &t->c->s.alerts;
	const struct channel_settings *ch;
	char why[512] = "", *secret;
	size_t i;

	for (i = 0; i < a->channel_count; i++) {
		ch = &a->channels[i];
		if (strcmp(ch->type, "file") == 0) {
			note_writable(t, ch->name, "channel", ch->path,
			    try_append(ch->path));
			continue;
		}
		secret =
		    settings_secret(ch->url, ch->url_file, why, sizeof(why));
		trial_note(t, secret != NULL ? TRIAL_OK : TRIAL_ERROR, ch->name,
		    "channel",
		    xstrdup(secret != NULL ? "its URL is known" : why));
		free(secret);
	}
	if (a->channel_count > 0)
		return;
	trial_note(t, TRIAL_WARNING, "alerts", "channels",
	    xstrdup("none: alerts stay in the spool"));
	trial_fix(t, "add alerts.channels");
}

static void
try_sources(struct trials *t)
{
	const struct bridge_settings *b = &t->c->s.bridge;
	const struct source_settings *s;
	size_t i;

	for (i = 0; i < b->source_count; i++) {
		s = &b->sources[i];
		if (access(s->path, R_OK) == 0)
			trial_note(t, TRIAL_OK, s->name, "source",
			    xstrdup(s->path));
		else
			trial_note(t,
			    errno == ENOENT ? TRIAL_WARNING : TRIAL_ERROR,
			    s->name, "source",
			    xasprintf("%s: %s", s->path, strerror(errno)));
	}
}

static void
print(const struct trials *t)
{
	struct table table = {0};
	const json_t *j;
	const char *result, *fix;
	size_t i;

	json_array_foreach (t->list, i, j) {
		result = out_string(j, "result");
		fix = out_string(j, "fix");
		table_add(&table, colour_of(result), "%s", result);
		table_add(&table, COLOUR_NONE, "%s", out_string(j, "subject"));
		table_add(&table, COLOUR_NONE, "%s", out_string(j, "check"));
		table_add(&table, COLOUR_NONE, "%s%s%s",
		    out_string(j, "detail"), fix[0] != '\0' ? "; fix: " : "",
		    fix);
		table_end_row(&table);
	}
	table_print(&table);
	table_free(&table);
}

static int
try_all(struct ctl *c)
{
	struct trials t = {.c = c, .list = json_array()};
	size_t i;

	try_durability(&t, "spool", c->t.path);
	for (i = 0; i < c->s.queue_count; i++)
		try_queue(&t, &c->s.queues[i]);
	try_sources(&t);
	try_destinations(&t);
	try_channels(&t);
	if (c->s.logs.directory[0] != '\0')
		note_writable(&t, "logs", "directory", c->s.logs.directory,
		    trial_directory(c->s.logs.directory));
	if (c->json)
		out_json(json_pack("{s:s, s:b, s:O}", "file", c->s.path, "ok",
		    !t.failed, "checks", t.list));
	else
		print(&t);
	json_decref(t.list);
	return t.failed ? CTL_FAILED : CTL_DONE;
}

int
run_check_config(struct ctl *c)
{
	int status;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 0)
		return CTL_USAGE;
	status = ctl_open(c);
	return status == 0 ? try_all(c) : status;
}
