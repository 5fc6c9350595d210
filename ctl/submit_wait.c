/* SPDX-License-Identifier: ISC */
/*
 * submit --wait: what became of a submission. The bridge moves its file to
 * done once it has decided durably. Then either the ids index knows the
 * document's digest under its id (accepted now, or a duplicate of an earlier
 * one), or it was refused, and there is an outcome that names the declared
 * id and the digest.
 */
#include "ctl/submit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/spool.h"
#include "ctl/follow.h"
#include "ctl/out.h"
#include "ctl/show.h"

/* KEYs are taken from a clock that may run a little behind the wall's. */
#define CLOCK_SLACK_US 5000000

struct search {
	struct submit *s;
	const struct submission *sub;
	struct look *looks;
	int count;
};

static bool
is_decided(struct ctl *c, const struct submission *sub)
{
	return !spool_exists(c->t.inbox.dir[BOX_NEW], sub->name) &&
	       !spool_exists(c->t.inbox.dir[BOX_CUR], sub->name);
}

/* Adds what ref names, where wanted is NULL or one of its digests. */
static void
add_looks(struct search *f, const char *ref, const char *wanted)
{
	struct look *found;
	int i, r, n = looks_find(f->s->c, ref, &found);

	f->looks = xreallocarray(f->looks,
	    (size_t)(f->count + (n > 0 ? n : 0)) + 1, sizeof(*f->looks));
	for (i = 0; i < n; i++) {
		for (r = 0; wanted != NULL && r < found[i].rev_count; r++)
			if (strcmp(found[i].revs[r].digest, wanted) == 0)
				break;
		if (wanted != NULL && r == found[i].rev_count) {
			looks_free(memcpy(xmalloc(sizeof(*found)), &found[i],
				       sizeof(*found)),
			    1);
			continue;
		}
		f->looks[f->count++] = found[i];
	}
	free(found);
}

/* Is this outcome the refusal of our document? Then its id. */
static char *
refused_id(const struct search *f, int dir, const char *name)
{
	const struct patch_result *p = &f->sub->in.patch;
	char key[KEY_SIZE], *id = NULL;
	json_t *doc = NULL;
	int attempt;

	if (key_parse_outcome_file(name, key, &attempt) == -1 ||
	    key_time_us(key) < f->sub->put_us - CLOCK_SLACK_US ||
	    spool_read_json(dir, name, &doc) != 1)
		return NULL;
	if (strcmp(out_string(doc, "declared_id"), p->id) == 0 &&
	    strcmp(out_string(doc, "digest"), p->digest) == 0)
		id = xstrdup(out_string(doc, "id"));
	json_decref(doc);
	return id;
}

static void
find_refusals(struct search *f, const struct queue_tree *q)
{
	struct spool_names names;
	char *id, *ref;
	size_t i;
	int d;

	for (d = BOX_NEW; d <= BOX_DONE; d++) {
		if (spool_list(q->outcomes.dir[d], 0, &names) == -1)
			continue;
		for (i = 0; i < names.count; i++) {
			id = refused_id(f, q->outcomes.dir[d], names.names[i]);
			if (id == NULL)
				continue;
			ref = xasprintf("%s@%s", id, q->name);
			add_looks(f, ref, NULL);
			free(ref);
			free(id);
		}
		spool_names_free(&names);
	}
}

static void
say_duplicate(const struct search *f)
{
	int i;

	for (i = 0; i < f->count; i++)
		if (key_time_us(f->looks[i].name.key) <
			f->sub->put_us - CLOCK_SLACK_US &&
		    f->looks[i].ended)
			ctl_say("%s: handed in before, %s",
			    look_ref(&f->looks[i]), show_words(&f->looks[i]));
}

static void
find_all(struct search *f)
{
	const struct patch_result *p = &f->sub->in.patch;
	struct ctl *c = f->s->c;
	struct ids_entry *revs;
	size_t i;
	int r, n;

	for (i = 0; i < c->t.queue_count; i++) {
		if (f->s->queue[0] != '\0' &&
		    strcmp(f->s->queue, c->t.queues[i].name) != 0)
			continue;
		n = ids_lookup(&c->t, c->t.queues[i].name, p->id, &revs);
		for (r = 0; r < n; r++)
			if (strcmp(revs[r].digest, p->digest) == 0)
				break;
		if (n > 0)
			free(revs);
		if (n > 0 && r < n) {
			char *ref =
			    xasprintf("%s@%s", p->id, c->t.queues[i].name);

			add_looks(f, ref, p->digest);
			free(ref);
		}
		find_refusals(f, &c->t.queues[i]);
	}
	say_duplicate(f);
}

/* Until the bridge has decided and what it decided on can be seen. */
static int
find_when_decided(struct search *f)
{
	while (f->count == 0) {
		if (is_decided(f->s->c, f->sub))
			find_all(f);
		if (f->count == 0 && !follow_pause(f->s->deadline)) {
			ctl_say("%s: not in time, not taken in yet",
			    f->sub->in.patch.id);
			return CTL_TEMPORARY;
		}
	}
	return CTL_DONE;
}

int
submit_wait(struct submit *s, json_t *json)
{
	struct search f;
	int i, status = CTL_DONE;

	for (i = 0; i < s->count; i++) {
		f = (struct search){.s = s, .sub = &s->subs[i]};
		status = ctl_worse(status, find_when_decided(&f));
		status = ctl_worse(status,
		    follow_looks(s->c, f.looks, f.count, s->deadline, json));
		looks_free(f.looks, f.count);
	}
	return status;
}
