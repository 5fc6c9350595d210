/* SPDX-License-Identifier: ISC */
/* check-config: is there an account behind each approver, and a way in? */
#include <sys/stat.h>
#include <errno.h>
#include <string.h>

#include "common/account.h"
#include "common/buf.h"
#include "executor/approvers.h"

#define SUBMIT_NAME "patchflow-submit"

static void
note_missing(const struct executor *ex, struct trials *t, const char *entry)
{
	bool none = errno == ENOENT;

	trial_note(t, none ? TRIAL_ERROR : TRIAL_TEMPORARY, ex->q->name,
	    "approvers",
	    xasprintf("%s: %s", entry,
		none ? "there is no such account" : strerror(errno)));
	trial_fix(t, none ? "make the account, or take it out of approvers"
			  : "none needed if it passes by itself");
}

static size_t
try_accounts(const struct executor *ex, struct trials *t)
{
	const struct conf_strings *list = &ex->queue->approvers;
	struct account a;
	size_t good = 0;

	for (size_t i = 0; i < list->count; i++) {
		const char *entry = list->items[i];
		int found = entry[0] == '@' ? account_group(entry + 1, &a)
					    : account_user(entry, &a);

		if (found == 0 || errno == E2BIG)
			good++;
		else
			note_missing(ex, t, entry);
	}
	return good;
}

/* They ask by a file, so the way to its directory must be open. */
static bool
try_way(const struct executor *ex, struct trials *t)
{
	struct account submit;
	struct stat st;

	if (account_group(SUBMIT_NAME, &submit) == 0 &&
	    fstat(ex->q->asks.dir[BOX_NEW], &st) == 0 &&
	    st.st_gid == submit.gid)
		return true;
	trial_note(t, TRIAL_WARNING, ex->q->name, "approvers",
	    xasprintf("they cannot ask: requests/ask is not of group %s",
		SUBMIT_NAME));
	trial_fix(t, "groupadd -r " SUBMIT_NAME ", and run the suite as root");
	return false;
}

/* A file that a patch writes is that user's, and so are its requests. */
static void
warn_of_self(const struct executor *ex, struct trials *t)
{
	const struct conf_strings *list = &ex->queue->approvers;

	for (size_t i = 0; i < list->count; i++) {
		if (!ex->user.switches ||
		    strcmp(list->items[i], ex->user.name) != 0)
			continue;
		trial_note(t, TRIAL_WARNING, ex->q->name, "approvers",
		    xasprintf("patches run as %s, who approves of them",
			ex->user.name));
		trial_fix(t, "set run_as to a user who approves of nothing");
	}
}

void
approvers_try(const struct executor *ex, struct trials *t)
{
	size_t count = ex->queue->approvers.count;

	if (count == 0)
		return;
	warn_of_self(ex, t);
	if (try_accounts(ex, t) == count && try_way(ex, t))
		trial_note(t, TRIAL_OK, ex->q->name, "approvers",
		    xasprintf("%zu beside root and the spool's owner", count));
}
