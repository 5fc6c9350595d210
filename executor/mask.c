/* SPDX-License-Identifier: ISC */
/* The list of what is covered in the jail. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "executor/mask.h"

#define SOCKETS_MAX 1000 /* each is a mount */

struct list {
	char **items;
	size_t count;
};

static const char *const home_secrets[] = {".ssh", ".gnupg", ".aws", ".azure",
    ".kube", ".docker", ".config", ".netrc", ".npmrc", ".pypirc",
    ".git-credentials", ".pgpass", ".my.cnf", ".password-store",
    ".local/share/keyrings", ".bash_history", ".mozilla"};

/* These are the jail's own, and empty. */
static const char *const own_places[] = {"/dev", "/home", "/proc", "/root",
    "/run", "/tmp", "/var/tmp", "/var/run"};

static void
add(struct list *l, char *path)
{
	l->items = xreallocarray(l->items, l->count + 2, sizeof(*l->items));
	l->items[l->count++] = path;
	l->items[l->count] = NULL;
}

static bool
is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

static bool
is_own(const char *path)
{
	for (size_t i = 0; i < sizeof(own_places) / sizeof(own_places[0]); i++)
		if (is_below(path, own_places[i]))
			return true;
	return false;
}

static bool
is_exposed(const struct executor *ex, const char *path)
{
	const struct conf_strings *e = &ex->queue->expose;

	for (size_t i = 0; i < e->count; i++)
		if (is_below(path, e->items[i]))
			return true;
	return false;
}

/* In the view of the workspace nothing is mounted: it is the patch's. */
static void
add_path(const struct executor *ex, struct list *l, const char *path)
{
	if (path != NULL && path[0] == '/' &&
	    (!is_own(path) || is_exposed(ex, path)) &&
	    !is_below(path, ex->workspace.path))
		add(l, xstrdup(path));
}

static void
add_home(const struct executor *ex, struct list *l)
{
	const struct passwd *pw = getpwuid(ex->user.uid);

	if (pw == NULL || pw->pw_dir == NULL || pw->pw_dir[0] != '/')
		return;
	for (size_t i = 0; i < sizeof(home_secrets) / sizeof(home_secrets[0]);
	     i++) {
		char *path = xasprintf("%s/%s",
		    strcmp(pw->pw_dir, "/") == 0 ? "" : pw->pw_dir,
		    home_secrets[i]);

		add_path(ex, l, path);
		free(path);
	}
}

/* Those bound by now; the path is the eighth field, "@" begins an abstract
 * one. */
static void
add_sockets(const struct executor *ex, struct list *l)
{
	FILE *f = fopen("/proc/self/net/unix", "re");
	size_t before = l->count, size = 0;
	char *line = NULL;

	while (f != NULL && l->count - before < SOCKETS_MAX &&
	       getline(&line, &size, f) != -1) {
		char *path = strchr(line, '/');

		if (path == NULL)
			continue;
		path[strcspn(path, "\n")] = '\0';
		add_path(ex, l, path);
	}
	free(line);
	if (f != NULL)
		(void)fclose(f);
}

char **
mask_list(const struct executor *ex)
{
	const struct alert_settings *a = &ex->settings->alerts;
	struct list l = {0};

	add_path(ex, &l, ex->tree->path);
	add_path(ex, &l, ex->place.path);
	add_path(ex, &l, ex->settings->path);
	for (size_t i = 0; i < a->channel_count; i++)
		add_path(ex, &l, a->channels[i].url_file);
	add_home(ex, &l);
	add_sockets(ex, &l);
	return l.items;
}

void
mask_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}
