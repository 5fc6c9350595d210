/* SPDX-License-Identifier: ISC */
/* Which daemons there are: four kinds, one of them once a queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "watchdog/section.h"
#include "watchdog/watchdog.h"

/*
 * In start order: whoever takes work is there before whoever makes it, and
 * alerts can go out from the first moment.
 */
static const struct kind kinds[] = {
    {.program = "alertd", .tier = 0},
    {.program = "summarizer", .tier = 1},
    {.program = "executor", .tier = 2, .per_queue = true, .privileged = true},
    {.program = "ghost-bridge", .alias = "bridge", .tier = 3},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* $PATCHFLOW_LIBEXEC, else beside ourselves, else where install puts them. */
void
roster_find_binary(const char *program, char out[PATH_MAX])
{
	const char *given = getenv("PATCHFLOW_LIBEXEC");
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash, *beside;

	if (given != NULL && given[0] != '\0') {
		(void)snprintf(out, PATH_MAX, "%s/%s", given, program);
		return;
	}
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	beside = xasprintf("%s/%s", self, program);
	if (access(beside, X_OK) == 0)
		(void)strlcpy(out, beside, PATH_MAX);
	else
		(void)snprintf(out, PATH_MAX, "%s/%s", LIBEXECDIR, program);
	free(beside);
}

static struct service *
find_instance(struct watchdog *w, const struct kind *k, const char *queue)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->kind == k && strcmp(s->queue, queue) == 0)
			return s;
	return NULL;
}

static void
insert_by_tier(struct watchdog *w, struct service *s)
{
	struct service *other;

	TAILQ_FOREACH (other, &w->services, link)
		if (other->kind->tier > s->kind->tier)
			break;
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, s, link);
	else
		TAILQ_INSERT_TAIL(&w->services, s, link);
}

static int
ensure(struct watchdog *w, const struct kind *k, const char *queue,
    const struct section *sections)
{
	struct service *s = find_instance(w, k, queue);
	char path[PATH_MAX];

	if (s != NULL && !s->going)
		return 0;
	/* It left and came back before it had stopped. */
	if (s != NULL) {
		s->going = false;
		section_digest(sections, s, s->digest);
		if (!s->held)
			supervise_feed(s, FSM_EV_START);
		return 0;
	}
	s = service_new(w, k, queue);
	if (s == NULL)
		return -1;
	if (!s->adopted)
		fsm_open(&s->fsm, arc4random());
	roster_find_binary(k->program, path);
	s->path = xstrdup(path);
	section_digest(sections, s, s->digest);
	insert_by_tier(w, s);
	return 0;
}

int
roster_build(struct watchdog *w)
{
	const struct settings *set = w->settings;
	struct section sections;
	size_t i, q;
	int rc = 0;

	section_open(&sections, set->path);
	for (i = 0; i < KINDS && rc == 0; i++) {
		if (!kinds[i].per_queue)
			rc = ensure(w, &kinds[i], "", &sections);
		for (q = 0;
		     kinds[i].per_queue && q < set->queue_count && rc == 0; q++)
			rc = ensure(w, &kinds[i], set->queues[q].name,
			    &sections);
	}
	section_close(&sections);
	return rc;
}

static bool
in_settings(const struct service *s, const struct settings *set)
{
	size_t i;

	if (!s->kind->per_queue)
		return true;
	for (i = 0; i < set->queue_count; i++)
		if (strcmp(set->queues[i].name, s->queue) == 0)
			return true;
	return false;
}

/* What a configuration means for a daemon that is there. */
enum change { CHANGE_NONE, CHANGE_GO, CHANGE_RESTART };

static enum change
compare(const struct service *s, const struct settings *fresh,
    const struct section *sections, char digest[DIGEST_SIZE])
{
	if (!in_settings(s, fresh))
		return CHANGE_GO;
	section_digest(sections, s, digest);
	return strcmp(digest, s->digest) == 0 ? CHANGE_NONE : CHANGE_RESTART;
}

void
roster_leave(struct watchdog *w, const struct settings *fresh)
{
	struct section sections;
	struct service *s;
	char digest[DIGEST_SIZE];

	section_open(&sections, fresh->path);
	TAILQ_FOREACH (s, &w->services, link)
		switch (compare(s, fresh, &sections, digest)) {
		case CHANGE_GO:
			s->going = true;
			supervise_feed(s, FSM_EV_STOP);
			break;
		case CHANGE_RESTART:
			(void)strlcpy(s->digest, digest, sizeof s->digest);
			if (s->fsm.wanted)
				supervise_feed(s, FSM_EV_RESTART);
			break;
		case CHANGE_NONE:
			break;
		}
	section_close(&sections);
}

/* Daemons of per-queue kinds that are not there yet. */
static void
tell_fresh(struct watchdog *w, const struct settings *fresh, json_t *plan)
{
	const struct service *s;
	char name[SERVICE_NAME];
	size_t i, q;

	for (i = 0; i < KINDS; i++)
		for (q = 0; kinds[i].per_queue && q < fresh->queue_count; q++) {
			s = find_instance(w, &kinds[i], fresh->queues[q].name);
			if (s != NULL && !s->going)
				continue;
			(void)snprintf(name, sizeof name, "%s@%s",
			    kinds[i].program, fresh->queues[q].name);
			(void)json_object_set_new(plan, name,
			    json_string("start"));
		}
}

json_t *
roster_plan(struct watchdog *w, const struct settings *fresh)
{
	struct section sections;
	const struct service *s;
	char digest[DIGEST_SIZE];
	json_t *plan = json_object();

	section_open(&sections, fresh->path);
	TAILQ_FOREACH (s, &w->services, link) {
		enum change c = compare(s, fresh, &sections, digest);

		/* Who is stopped stays stopped, whatever has changed. */
		if (c != CHANGE_NONE && s->fsm.wanted)
			(void)json_object_set_new(plan, s->name,
			    json_string(c == CHANGE_GO ? "stop" : "restart"));
	}
	section_close(&sections);
	tell_fresh(w, fresh, plan);
	return plan;
}

static bool
is_meant(const struct service *s, const char *name)
{
	return strcmp(name, "all") == 0 || strcasecmp(name, s->name) == 0 ||
	       strcmp(name, s->kind->program) == 0 ||
	       (s->kind->alias != NULL && strcmp(name, s->kind->alias) == 0);
}

struct service *
roster_find(struct watchdog *w, const char *name)
{
	struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

size_t
roster_each(struct watchdog *w, const char *name,
    void (*visit)(struct service *, void *), void *arg)
{
	struct service *s, *next;
	size_t count = 0;

	TAILQ_FOREACH_SAFE (s, &w->services, link, next)
		if (!s->going && is_meant(s, name)) {
			visit(s, arg);
			count++;
		}
	return count;
}
