/* SPDX-License-Identifier: ISC */
/*
 * Checks across keys. Each rule is one function over one noun; a field that
 * was wrong by itself is NULL here and is passed over.
 */
#include "common/settings_check.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/glob.h"

/* Directories of the spool: a queue of that name would lie in one. */
static const char *const reserved[] = {"inbox", "bad", "corrupt", "alerts",
    "ids", "journal", "state", "run", "BOTH", "all"};

static int
wrong(struct conf_file *f, char *path, const char *reason)
{
	conf_error(f, path, "%s", reason);
	free(path);
	return 1;
}

static bool
equal(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The path as the kernel sees it, or as written where it is not there. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL);

	return real != NULL ? real : xstrdup(path);
}

static bool
is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	if (strcmp(top, "/") == 0)
		return true;
	return strncmp(path, top, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

/* True when path is top or below it. */
static bool
lies_below(const char *path, const char *top)
{
	char *p = real_path(path), *t = real_path(top);
	bool below = is_below(p, t);

	free(p);
	free(t);
	return below;
}

static bool
is_reserved(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return true;
	return false;
}

/* Is name taken by an earlier queue, or by this one before alias n? */
static bool
is_taken(const struct settings *s, size_t queue, size_t n, const char *name)
{
	const struct queue_settings *q;
	size_t i, a, aliases;

	for (i = 0; i <= queue; i++) {
		q = &s->queues[i];
		if (q->name != NULL && (i < queue || n > 0) &&
		    strcasecmp(q->name, name) == 0)
			return true;
		aliases = i < queue ? q->aliases.count : n > 0 ? n - 1 : 0;
		for (a = 0; a < aliases; a++)
			if (strcasecmp(q->aliases.items[a], name) == 0)
				return true;
	}
	return false;
}

static const char *
bad_name(const struct settings *s, size_t queue, size_t n, const char *name)
{
	if (is_reserved(name))
		return "is a reserved word";
	if (n == 0 && !key_queue_valid(name))
		return "must be 1 to 32 of A-Z a-z 0-9 _ and -";
	return is_taken(s, queue, n, name) ? "a queue has this name already"
					   : NULL;
}

static int
check_names(struct conf_file *f, const struct settings *s, size_t i)
{
	const struct queue_settings *q = &s->queues[i];
	const char *why;
	size_t a;
	int errors = 0;

	why = q->name != NULL ? bad_name(s, i, 0, q->name) : NULL;
	if (why != NULL)
		errors += wrong(f, xasprintf("queues[%zu].name", i), why);
	for (a = 0; a < q->aliases.count; a++) {
		why = bad_name(s, i, a + 1, q->aliases.items[a]);
		if (why != NULL)
			errors += wrong(f,
			    xasprintf("queues[%zu].aliases[%zu]", i, a), why);
	}
	return errors;
}

static int
check_workspace(struct conf_file *f, const struct settings *s, size_t i)
{
	const char *w = s->queues[i].workspace, *other;
	size_t j;

	if (w == NULL)
		return 0;
	if (s->spool != NULL && lies_below(w, s->spool))
		return wrong(f, xasprintf("queues[%zu].workspace", i),
		    "lies in the spool");
	for (j = 0; j < i; j++) {
		other = s->queues[j].workspace;
		if (other == NULL ||
		    (!lies_below(w, other) && !lies_below(other, w)))
			continue;
		return wrong(f, xasprintf("queues[%zu].workspace", i),
		    "is, holds or lies in another queue's workspace");
	}
	return 0;
}

/* Whose transactions lie there? */
static int
check_staging(struct conf_file *f, const struct settings *s, size_t i)
{
	const char *path = s->queues[i].staging;
	bool taken = false;

	for (size_t j = 0; path != NULL && path[0] != '\0' && j < i; j++) {
		const char *other = s->queues[j].staging;

		taken = taken ||
			(other != NULL && other[0] != '\0' &&
			    lies_below(path, other) && lies_below(other, path));
	}
	return taken ? wrong(f, xasprintf("queues[%zu].staging", i),
			   "is another queue's staging place")
		     : 0;
}

static int
check_path_map(struct conf_file *f, struct queue_settings *q, size_t i)
{
	size_t n;
	char *to;
	int errors = 0;

	for (n = 0; n < q->path_map.count; n++) {
		to = conf_absolute(f, q->path_map.values[n]);
		free(q->path_map.values[n]);
		q->path_map.values[n] = to;
		if (q->path_map.names[n][0] != '/')
			errors += wrong(f, xasprintf("queues[%zu].path_map", i),
			    "maps absolute paths; the left side is none");
		if (q->workspace != NULL && !lies_below(to, q->workspace))
			errors += wrong(f, xasprintf("queues[%zu].path_map", i),
			    "leads out of the workspace");
	}
	return errors;
}

/* What is ours in a workspace is no business of a patch. */
static void
protect(struct queue_settings *q, const char *path)
{
	char *p = real_path(path), *w = real_path(q->workspace);
	const char *rest = p + strlen(w);
	struct conf_strings *list = &q->protected;

	if (is_below(p, w) && rest[0] == '/' && strcmp(w, "/") != 0) {
		list->items = xreallocarray(list->items, list->count + 2,
		    sizeof(*list->items));
		list->items[list->count++] = xstrdup(rest + 1);
		list->items[list->count++] = xasprintf("%s/**", rest + 1);
	}
	free(p);
	free(w);
}

static int
check_glob(struct conf_file *f, const char *glob, char *at)
{
	if (!glob_is_useful(glob))
		return wrong(f, at,
		    "matches no path: no \"/\" at either end, no \"//\", \".\" "
		    "or \"..\"");
	free(at);
	return 0;
}

static int
check_pattern(struct conf_file *f, const char *re, char *at)
{
	char why[128];
	regex_t compiled;
	int code = regcomp(&compiled, re, REG_EXTENDED | REG_NOSUB);

	if (code == 0) {
		regfree(&compiled);
		free(at);
		return 0;
	}
	(void)regerror(code, &compiled, why, sizeof(why));
	conf_error(f, at, "is no extended regular expression: %s", why);
	free(at);
	return 1;
}

static int
check_rule(struct conf_file *f, struct rule_settings *r, char *at)
{
	bool command = r->command != NULL && r->command[0] != '\0';
	bool path = r->path != NULL && r->path[0] != '\0';
	bool size = r->files > 0 || r->bytes > 0;

	r->line = conf_line(f, at);
	if (command + path + (r->files > 0) + (r->bytes > 0) != 1)
		return wrong(f, at,
		    "needs one of command, path, files and bytes");
	if (size && equal(r->action, "allow"))
		return wrong(f, at, "a size can be held or denied only");
	if (command)
		return check_pattern(f, r->command, at);
	if (path)
		return check_glob(f, r->path, at);
	free(at);
	return 0;
}

static int
check_queue(struct conf_file *f, struct settings *s, size_t i)
{
	struct queue_settings *q = &s->queues[i];
	int errors = check_names(f, s, i) + check_workspace(f, s, i) +
		     check_staging(f, s, i) + check_path_map(f, q, i);

	if (q->timeout > 0 && q->command_timeout > q->timeout)
		errors += wrong(f, xasprintf("queues[%zu].command_timeout", i),
		    "is longer than the whole patch may take (timeout)");
	for (size_t n = 0; n < q->protected.count; n++)
		errors += check_glob(f, q->protected.items[n],
		    xasprintf("queues[%zu].protected[%zu]", i, n));
	for (size_t n = 0; n < q->rule_count; n++)
		errors += check_rule(f, &q->rules[n],
		    xasprintf("queues[%zu].rules[%zu]", i, n));
	if (q->workspace != NULL) {
		if (s->spool != NULL)
			protect(q, s->spool);
		protect(q, s->path);
	}
	return errors;
}

static int
check_default(struct conf_file *f, struct settings *s)
{
	size_t i, count = 0;

	if (s->queue_count == 0)
		return wrong(f, xstrdup("queues"), "at least one is needed");
	if (s->queue_count == 1)
		s->queues[0].is_default = true;
	for (i = 0; i < s->queue_count; i++)
		if (s->queues[i].is_default && ++count > 1)
			return wrong(f, xasprintf("queues[%zu].default", i),
			    "another queue is the default one");
	if (count == 0)
		return wrong(f, xstrdup("queues"),
		    "one of them needs \"default: true\"");
	return 0;
}

static void
name_by_path(char **name, const char *path)
{
	const char *slash;

	if (*name == NULL || (*name)[0] != '\0' || path == NULL)
		return;
	slash = strrchr(path, '/');
	free(*name);
	*name = xstrdup(slash != NULL && slash[1] != '\0' ? slash + 1 : "root");
}

static int
check_source(struct conf_file *f, struct settings *s, size_t i)
{
	struct source_settings *src = &s->bridge.sources[i];
	size_t j;
	int errors = 0;

	name_by_path(&src->name, src->path);
	for (j = 0; j < i; j++) {
		if (equal(src->path, s->bridge.sources[j].path))
			errors +=
			    wrong(f, xasprintf("bridge.sources[%zu].path", i),
				"another source reads this file");
		else if (equal(src->name, s->bridge.sources[j].name))
			errors += wrong(f,
			    xasprintf("bridge.sources[%zu].name", i),
			    "another source has this name; give one a name");
	}
	if (src->queue != NULL && src->queue[0] != '\0' &&
	    settings_queue(s, src->queue) == NULL)
		errors += wrong(f, xasprintf("bridge.sources[%zu].queue", i),
		    "there is no such queue");
	return errors;
}

static int
check_destination(struct conf_file *f, struct settings *s, size_t i)
{
	struct destination_settings *d = &s->summaries.destinations[i];
	size_t j;
	int errors = 0;

	name_by_path(&d->name, d->path);
	for (j = 0; j < i; j++)
		if (equal(d->name, s->summaries.destinations[j].name))
			errors += wrong(f,
			    xasprintf("summaries.destinations[%zu].name", i),
			    "another destination has this name");
	/* A reply file may be the chat itself: what stands between the markers
	 * of a summary is never taken for a patch. */
	for (j = 0; d->path != NULL && j < s->bridge.source_count; j++)
		if (!equal(d->type, "append") &&
		    equal(d->path, s->bridge.sources[j].path))
			errors += wrong(f,
			    xasprintf("summaries.destinations[%zu].path", i),
			    "is a source of the bridge");
	if (d->path != NULL && s->spool != NULL &&
	    lies_below(d->path, s->spool))
		errors +=
		    wrong(f, xasprintf("summaries.destinations[%zu].path", i),
			"lies in the spool");
	return errors;
}

static int
check_webhook(struct conf_file *f, const struct channel_settings *c, char *at)
{
	bool url = c->url != NULL && c->url[0] != '\0';
	bool file = c->url_file != NULL && c->url_file[0] != '\0';

	if (url == file)
		return wrong(f, at, "a webhook needs url or url_file, and one");
	if (url && strncmp(c->url, "env:", 4) != 0 &&
	    strncmp(c->url, "http://", 7) != 0 &&
	    strncmp(c->url, "https://", 8) != 0)
		return wrong(f, at,
		    "url must be http://, https:// or env:NAME");
	free(at);
	return 0;
}

static int
check_channel(struct conf_file *f, const struct settings *s, size_t i)
{
	const struct channel_settings *c = &s->alerts.channels[i];
	char *at = xasprintf("alerts.channels[%zu]", i);
	size_t j;
	int errors = 0;

	for (j = 0; j < i; j++)
		if (equal(c->name, s->alerts.channels[j].name))
			errors += wrong(f, xstrdup(at),
			    "another channel has this name");
	if (equal(c->type, "webhook") || equal(c->type, "slack-webhook"))
		errors += check_webhook(f, c, xstrdup(at));
	if (equal(c->type, "file") && (c->path == NULL || c->path[0] == '\0'))
		errors += wrong(f, xstrdup(at), "a file needs its path");
	free(at);
	return errors;
}

static int
check_spans(struct conf_file *f, const struct settings *s)
{
	int errors = 0;

	if (s->watchdog.hang > 0 &&
	    s->watchdog.hang < 2 * s->watchdog.heartbeat)
		errors += wrong(f, xstrdup("watchdog.hang"),
		    "must be at least twice watchdog.heartbeat");
	if (s->alerts.retry_max > 0 && s->alerts.retry_max < s->alerts.retry)
		errors += wrong(f, xstrdup("alerts.retry_max"),
		    "must not be less than alerts.retry");
	return errors;
}

int
settings_check(struct conf_file *f, struct settings *s)
{
	int errors = check_default(f, s) + check_spans(f, s) +
		     settings_check_approvers(f, s);
	size_t i;

	for (i = 0; i < s->queue_count; i++)
		errors += check_queue(f, s, i);
	for (i = 0; i < s->bridge.source_count; i++)
		errors += check_source(f, s, i);
	for (i = 0; i < s->summaries.destination_count; i++)
		errors += check_destination(f, s, i);
	for (i = 0; i < s->alerts.channel_count; i++)
		errors += check_channel(f, s, i);
	for (i = 0; i < s->watchdog.daemon_count; i++)
		errors += settings_check_daemon(f, s, i);
	return errors;
}
