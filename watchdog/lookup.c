/* SPDX-License-Identifier: ISC */
/* Names to numbers, in processes that may be kept waiting. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "watchdog/watchdog.h"

#define LOOK_MS 10000
#define NO_MS 200 /* a no holds for all who wait, not for their next try */

/* What the errand writes. */
struct answer {
	int error; /* errno, or 0 */
	bool no_group;
	struct identity_numbers numbers;
};
_Static_assert(sizeof(struct answer) <= ERRAND_OUTPUT, "an answer fits");

static int
look(void *arg, int out_fd)
{
	const struct lookup *l = arg;
	struct answer a = {0};
	struct identity id = {0};
	const char *missing = l->user;

	account_ask_here();
	if (identity_find(&id, l->user, l->group, &missing) == -1) {
		a.error = errno;
		a.no_group = missing == l->group;
	}
	a.numbers = id.numbers;
	return write(out_fd, &a, sizeof a) == (ssize_t)sizeof a ? EXIT_DONE
								: EXIT_FATAL;
}

static void
on_looked(struct errand *h, int status)
{
	struct lookup *l =
	    (struct lookup *)(void *)((char *)h -
				      offsetof(struct lookup, errand));
	struct answer a = {.error = EIO};

	if (h->used == sizeof a)
		memcpy(&a, h->output, sizeof a);
	else if (status == ERRAND_LATE)
		a.error = ETIMEDOUT;
	l->error = a.error;
	l->no_group = a.no_group;
	l->failed_ms = clock_mono_ms();
	if (a.error == 0)
		identity_set(&l->found, l->user, l->group, &a.numbers);
	supervise_settle(h->owner);
}

static struct lookup *
find(struct lookups *all, const char *user, const char *group)
{
	struct lookup *l;

	for (l = all->at; l < all->at + LOOKUPS; l++)
		if (strcmp(l->user, user) == 0 && strcmp(l->group, group) == 0)
			return l;
	return NULL;
}

/* One without an errand; whoever needs what it found has it by now. */
static struct lookup *
replace(struct lookups *all, const char *user, const char *group)
{
	struct lookup *l;

	for (l = all->at; l < all->at + LOOKUPS; l++) {
		if (l->errand.pid != 0)
			continue;
		(void)strlcpy(l->user, user, sizeof l->user);
		(void)strlcpy(l->group, group, sizeof l->group);
		l->found.known = false;
		l->error = 0;
		return l;
	}
	return NULL;
}

static enum lookup_answer
ask(struct watchdog *w, struct lookup *l)
{
	l->error = 0;
	l->errand.owner = w;
	l->errand.done = on_looked;
	return errand_fork(&l->errand, look, l, LOOK_MS) == 0 ? LOOKUP_ASKED
							      : LOOKUP_FAILED;
}

static bool
is_refused(const struct lookup *l)
{
	/* One that does not die of its deadline is nobody's to ask anew. */
	return l->error != 0 &&
	       (l->errand.pid != 0 || clock_mono_ms() - l->failed_ms < NO_MS);
}

enum lookup_answer
lookup_account(struct watchdog *w, const char *user, const char *group,
    struct identity *out, const char **missing)
{
	struct lookup *l;

	if (identity_holds(out, user, group))
		return LOOKUP_KNOWN;
	*missing = user;
	if (strlen(user) >= IDENTITY_NAME || strlen(group) >= IDENTITY_NAME) {
		errno = ENAMETOOLONG;
		return LOOKUP_FAILED;
	}
	l = find(&w->lookups, user, group);
	if (l == NULL)
		l = replace(&w->lookups, user, group);
	if (l == NULL)
		return LOOKUP_ASKED;
	if (identity_holds(&l->found, user, group)) {
		*out = l->found;
		return LOOKUP_KNOWN;
	}
	if (is_refused(l)) {
		*missing = l->no_group ? group : user;
		errno = l->error;
		return LOOKUP_FAILED;
	}
	return l->errand.pid != 0 ? LOOKUP_ASKED : ask(w, l);
}
