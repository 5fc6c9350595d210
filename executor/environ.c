/* SPDX-License-Identifier: ISC */
/* Nothing of the daemon's own environment leaks by default. */
#include <stdlib.h>

#include "common/buf.h"
#include "executor/bare.h"
#include "executor/environ.h"

#define PATH_VALUE                                                             \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct list {
	char **items;
	size_t count;
};

static void
add(struct list *l, const char *name, const char *value)
{
	l->items = xreallocarray(l->items, l->count + 2, sizeof(*l->items));
	l->items[l->count++] = xasprintf("%s=%s", name, value);
	l->items[l->count] = NULL;
}

char **
environ_make(const struct worker *w)
{
	struct list l = {NULL, 0};
	char *home = w->txn != NULL ? xasprintf("%s/" BARE_HOME, w->txn)
				    : xasprintf("/home/%s", w->user->name);
	char *tmp = w->txn != NULL ? xasprintf("%s/" BARE_TMP, w->txn)
				   : xstrdup("/tmp");
	char *pwd = w->txn != NULL ? xasprintf("%s/upper", w->txn)
				   : xstrdup(w->workspace);

	add(&l, "PATH", PATH_VALUE);
	add(&l, "HOME", home);
	add(&l, "USER", w->user->name);
	add(&l, "LOGNAME", w->user->name);
	add(&l, "SHELL", "/bin/sh");
	add(&l, "LANG", "C.UTF-8");
	add(&l, "TERM", "dumb");
	add(&l, "CI", "1");
	add(&l, "TMPDIR", tmp);
	add(&l, "PWD", pwd);
	add(&l, "PATCHFLOW_ID", w->env->id);
	add(&l, "PATCHFLOW_QUEUE", w->env->queue);
	/* The workspace may belong to another user than the commands' one,
	 * and git must not touch the index just for looking. */
	add(&l, "GIT_OPTIONAL_LOCKS", "0");
	add(&l, "GIT_CONFIG_COUNT", "4");
	add(&l, "GIT_CONFIG_KEY_0", "safe.directory");
	add(&l, "GIT_CONFIG_VALUE_0", "*");
	add(&l, "GIT_CONFIG_KEY_1", "gc.auto");
	add(&l, "GIT_CONFIG_VALUE_1", "0");
	add(&l, "GIT_CONFIG_KEY_2", "maintenance.auto");
	add(&l, "GIT_CONFIG_VALUE_2", "false");
	/* It watches the workspace, which is not what is seen here. */
	add(&l, "GIT_CONFIG_KEY_3", "core.fsmonitor");
	add(&l, "GIT_CONFIG_VALUE_3", "false");
	add(&l, "GIT_TERMINAL_PROMPT", "0");
	for (size_t i = 0; i < w->queue->env.count; i++) {
		const char *value = getenv(w->queue->env.items[i]);

		if (value != NULL)
			add(&l, w->queue->env.items[i], value);
	}
	free(home);
	free(tmp);
	free(pwd);
	return l.items;
}
