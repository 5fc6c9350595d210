/* SPDX-License-Identifier: ISC */
/* approvers against the accounts of this machine. */
#include "common/approver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/account.h"

/* What decides about one patch, and can be done again or taken back. */
static const bool may[REQUEST__MAX] = {
    [REQUEST_RETRY] = true,
    [REQUEST_HOLD] = true,
    [REQUEST_CANCEL] = true,
    [REQUEST_APPROVE] = true,
    [REQUEST_REJECT] = true,
    [REQUEST_UNDO] = false,
    [REQUEST_PAUSE] = false,
    [REQUEST_RESUME] = false,
};

/* 0 where the entry means that user, else -1: EPERM and ENOENT it does not. */
static int
means(const char *entry, const struct account *user)
{
	if (entry[0] == '@')
		return account_member(user->uid, entry + 1);
	errno = EPERM;
	return strcmp(entry, user->name) == 0 ? 0 : -1;
}

/* The entry that means user; NULL with errno: EPERM none does. */
static const char *
entry_of(const struct conf_strings *list, const struct account *user)
{
	int error = EPERM;

	for (size_t i = 0; i < list->count; i++) {
		if (means(list->items[i], user) == 0)
			return list->items[i];
		if (errno != EPERM && errno != ENOENT)
			error = errno;
		/* A service that keeps us waiting is asked once. */
		if (errno == ETIMEDOUT)
			break;
	}
	errno = error;
	return NULL;
}

static bool refuse(char why[256], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
refuse(char why[256], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, 256, fmt, ap);
	va_end(ap);
	return false;
}

bool
approver_allow(const struct queue_settings *q, struct request *r, char why[256])
{
	const char *verb = request_verb_name[r->verb];
	struct account user = {0};
	const char *entry = NULL;

	if (account_of(r->uid, &user) == 0)
		entry = entry_of(&q->approvers, &user);
	else if (errno == ENOENT)
		return refuse(why, "uid %u is nobody's, so no approver of %s",
		    r->uid, q->name);
	if (entry == NULL && errno != EPERM)
		return refuse(why,
		    "who approves of %s cannot be looked up now: %s", q->name,
		    strerror(errno));
	if (entry == NULL)
		return refuse(why, "%s is no approver of %s", user.name,
		    q->name);
	if (!may[r->verb])
		return refuse(why, "%s is left to root and the spool's owner",
		    verb);
	(void)strlcpy(r->as, entry, sizeof(r->as));
	return true;
}
