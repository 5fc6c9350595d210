/* SPDX-License-Identifier: ISC */
/* watchdog.daemons: which entry is whose, and what only all of it tells. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/settings_check.h"

#define EXECUTOR "executor@"
#define UMASK_DEFAULT 027
/* What the suite needs of its own files: owner all, group reading. */
#define UMASK_NEVER 0740

static const struct {
	const char *program;
	const char *alias;
} programs[] = {
    {"alertd", "alertd"},
    {"summarizer", "summarizer"},
    {"executor", "executor"},
    {"ghost-bridge", "bridge"},
    {"gateway", "gateway"},
};

/* The program that name, or an instance, means; NULL. */
static const char *
program_of(const char *name)
{
	size_t i;

	if (strncmp(name, EXECUTOR, strlen(EXECUTOR)) == 0)
		return programs[2].program;
	for (i = 0; i < sizeof programs / sizeof programs[0]; i++)
		if (strcmp(name, programs[i].program) == 0 ||
		    strcmp(name, programs[i].alias) == 0)
			return programs[i].program;
	return NULL;
}

const struct daemon_settings *
settings_daemon(const struct settings *s, const char *instance)
{
	const struct watchdog_settings *w = &s->watchdog;
	const struct daemon_settings *found = NULL;
	const char *program = program_of(instance);
	size_t i;

	for (i = 0; i < w->daemon_count; i++) {
		const char *name = w->daemons[i].name;

		if (strcasecmp(name, instance) == 0)
			return &w->daemons[i];
		/* An executor's own entry means no other. */
		if (program != NULL && program == program_of(name) &&
		    strchr(name, '@') == NULL)
			found = &w->daemons[i];
	}
	return found;
}

int
settings_umask(const struct daemon_settings *d)
{
	char *end = NULL;
	unsigned long mask;

	if (d == NULL)
		return UMASK_DEFAULT;
	mask = strtoul(d->umask, &end, 8);
	if (d->umask[0] < '0' || d->umask[0] > '7' || *end != '\0' ||
	    mask > 0777 || (mask & UMASK_NEVER) != 0)
		return -1;
	return (int)mask;
}

static int
wrong(struct conf_file *f, size_t i, const char *key, const char *reason)
{
	char *path = xasprintf("watchdog.daemons[%zu].%s", i, key);

	conf_error(f, path, "%s", reason);
	free(path);
	return 1;
}

static const char *
bad_name(const struct settings *s, const char *name, size_t i)
{
	size_t j;

	if (program_of(name) == NULL)
		return "is none of alertd, summarizer, executor, "
		       "executor@QUEUE, ghost-bridge and gateway";
	if (strchr(name, '@') != NULL &&
	    settings_queue(s, name + strlen(EXECUTOR)) == NULL)
		return "there is no such queue";
	for (j = 0; j < i; j++)
		if (s->watchdog.daemons[j].name != NULL &&
		    strcasecmp(s->watchdog.daemons[j].name, name) == 0)
			return "another entry has this name";
	return NULL;
}

int
settings_check_daemon(struct conf_file *f, const struct settings *s, size_t i)
{
	const struct daemon_settings *d = &s->watchdog.daemons[i];
	const char *why = d->name != NULL ? bad_name(s, d->name, i) : NULL;
	int errors = 0;

	if (why != NULL)
		errors += wrong(f, i, "name", why);
	if (d->umask != NULL && settings_umask(d) == -1)
		errors += wrong(f, i, "umask",
		    "must be octal and leave the owner all and the group "
		    "reading, such as 027");
	return errors;
}
