/* SPDX-License-Identifier: ISC */
/* approvers, of the file and of each queue: users, and groups after an "@". */
#include <stdlib.h>
#include <string.h>

#include "common/account.h"
#include "common/settings_check.h"

/* As shadow's tools and those of directories take them, and no number: an
 * account of that name would be somebody else. */
static bool
is_account(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz"
				   "0123456789._-$@\\";
	size_t len = strlen(name);

	return len > 0 && len < ACCOUNT_NAME && name[0] != '-' &&
	       name[0] != '@' && strspn(name, good) == len &&
	       strspn(name, "0123456789") < len;
}

static const char *
bad_approver(const struct conf_strings *list, size_t n)
{
	const char *name = list->items[n];
	size_t i;

	if (!is_account(name + (name[0] == '@')))
		return "is neither the name of a user nor @ and that of a "
		       "group";
	for (i = 0; i < n; i++)
		if (strcmp(list->items[i], name) == 0)
			return "stands here already";
	return NULL;
}

static int
check_list(struct conf_file *f, const struct conf_strings *list,
    const char *path)
{
	size_t i;
	int errors = 0;

	for (i = 0; i < list->count; i++) {
		const char *why = bad_approver(list, i);
		char *at;

		if (why == NULL)
			continue;
		at = xasprintf("%s[%zu]", path, i);
		conf_error(f, at, "\"%s\" %s", list->items[i], why);
		free(at);
		errors++;
	}
	return errors;
}

/* An empty list of its own is an answer, too: nobody else. */
static bool
names_none(const struct conf_file *f, size_t i)
{
	const json_t *queues = json_object_get(f->root, "queues");

	return json_object_get(json_array_get(queues, i), "approvers") == NULL;
}

static void
inherit(const struct conf_strings *from, struct conf_strings *to)
{
	to->items = xcalloc(from->count + 1, sizeof(*to->items));
	for (to->count = 0; to->count < from->count; to->count++)
		to->items[to->count] = xstrdup(from->items[to->count]);
}

int
settings_check_approvers(struct conf_file *f, struct settings *s)
{
	int errors = check_list(f, &s->approvers, "approvers");
	size_t i;

	for (i = 0; i < s->queue_count; i++) {
		struct conf_strings *own = &s->queues[i].approvers;
		char *path = xasprintf("queues[%zu].approvers", i);

		errors += check_list(f, own, path);
		free(path);
		if (own->count == 0 && s->approvers.count > 0 &&
		    names_none(f, i))
			inherit(&s->approvers, own);
	}
	return errors;
}
