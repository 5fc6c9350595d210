/* SPDX-License-Identifier: ISC */
#include "ctl/held.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/ids.h"
#include "common/outcome.h"
#include "common/text.h"
#include "ctl/look.h"
#include "ctl/out.h"
#include "ctl/status.h"

#define LOOKED_MAX 1000 /* held patches that are counted */

static json_t *
describe(const char *reason, char *why)
{
	json_t *j =
	    json_pack("{s:s, s:o, s:n, s:s, s:i}", "reason", reason, "why",
		json_string_nocheck(why), "until", "digest", "", "attempt", 0);

	free(why);
	return j;
}

/* What the executor knows of it, or NULL. */
static json_t *
note_of(struct ctl *c, const struct queue_tree *q, const char *key)
{
	char *name = xasprintf("executor@%s", q->name);
	char *file = xasprintf("%s.json", key);
	json_t *doc = status_state(c, name, file);

	free(name);
	free(file);
	return doc;
}

static bool
waits_for_approval(const json_t *note)
{
	const json_t *a = json_object_get(note, "approval");

	return json_is_object(a) &&
	       !json_is_true(json_object_get(a, "granted"));
}

static json_t *
by_operator(void)
{
	return describe("operator",
	    xstrdup("held by an operator until `patchflow retry'"));
}

static json_t *
by_backoff(const json_t *note, int64_t until_us)
{
	json_int_t crashes =
	    json_integer_value(json_object_get(note, "crashes"));
	char span[64], iso[ISO_TIME_SIZE];
	json_t *j;

	clock_human_span((until_us - clock_wall_us()) / 1000, span,
	    sizeof(span));
	clock_iso(until_us, iso);
	j = describe("backoff",
	    xasprintf("runs again in %s, after %s", span,
		crashes > 0 ? "the executor died while it ran"
			    : "a conflict or a lack of resources"));
	json_object_set_new(j, "until", json_string(iso));
	return j;
}

static json_t *
by_approval(const json_t *note)
{
	const json_t *a = json_object_get(note, "approval");
	int64_t asked = json_integer_value(json_object_get(a, "asked_us"));
	char span[64];

	clock_human_span((clock_wall_us() - asked) / 1000, span, sizeof(span));
	return describe("approval", xasprintf("needs approval since %s: %s",
					span, out_string(a, "why")));
}

/* "queued", "completed", ...; NULL where q does not know id. */
static const char *
state_in(struct ctl *c, struct queue_tree *q, const char *id)
{
	struct ids_entry *list = NULL;
	int count = ids_lookup(&c->t, q->name, id, &list);
	struct queue_name n;
	enum queue_dir dir = Q__MAX;

	if (count > 0)
		dir = tree_find_key(q, list[count - 1].key,
		    list[count - 1].attempt, &n);
	free(list);
	if (count <= 0)
		return NULL;
	return dir != Q__MAX ? queue_dir_state[dir] : "on its way";
}

static void
add_need(struct ctl *c, const char *ref, struct buf *text)
{
	char id[ID_MAX + 1], queue[QUEUE_MAX + 1];
	bool known = false;

	if (key_parse_ref(ref, id, queue) == -1)
		return;
	for (size_t i = 0; i < c->t.queue_count; i++) {
		struct queue_tree *q = &c->t.queues[i];
		const char *state;

		if (queue[0] != '\0' && strcmp(queue, q->name) != 0)
			continue;
		state = state_in(c, q, id);
		known |= state != NULL;
		if (state != NULL && strcmp(state, "completed") != 0)
			buf_printf(text, "%s%s@%s (%s)",
			    text->len > 0 ? ", " : "", id, q->name, state);
	}
	if (!known)
		buf_printf(text, "%s%s (not handed in yet)",
		    text->len > 0 ? ", " : "", ref);
}

static json_t *
by_dependency(struct ctl *c, const json_t *job)
{
	const json_t *list = json_object_get(json_object_get(job, "patch"),
			 "dependencies"),
		     *ref;
	struct buf text = {0};
	json_t *j;
	size_t i;

	json_array_foreach (list, i, ref) {
		if (json_is_string(ref))
			add_need(c, json_string_value(ref), &text);
	}
	j = describe("dependency",
	    text.len > 0 ? xasprintf("waits for %s", text.bytes)
			 : xstrdup("goes on at the executor's next look"));
	buf_free(&text);
	return j;
}

/* Root and the spool's owner, then whom the configuration names. */
static json_t *
approvers(const struct ctl *c, const struct queue_tree *q)
{
	const struct conf_strings *list =
	    &settings_queue(&c->s, q->name)->approvers;
	const struct passwd *owner = getpwuid(c->t.owner);
	json_t *all = json_pack("[s]", "root");

	if (c->t.owner != 0)
		json_array_append_new(all,
		    text_json(
			owner != NULL ? owner->pw_name : "the spool's owner"));
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(all, text_json(list->items[i]));
	return all;
}

json_t *
held_describe(struct ctl *c, struct queue_tree *q, const char *key,
    const json_t *job)
{
	json_t *note = note_of(c, q, key), *j;
	int64_t until =
	    json_integer_value(json_object_get(note, "not_before_us"));

	if (json_is_true(json_object_get(note, "hold")))
		j = by_operator();
	else if (waits_for_approval(note))
		j = by_approval(note);
	else if (until > clock_wall_us())
		j = by_backoff(note, until);
	else
		j = by_dependency(c, job);
	/* May be decided whatever else it waits for. */
	if (waits_for_approval(note)) {
		const json_t *a = json_object_get(note, "approval");

		json_object_set(j, "digest", json_object_get(a, "digest"));
		json_object_set(j, "attempt", json_object_get(a, "attempt"));
		json_object_set_new(j, "approvers", approvers(c, q));
	}
	json_decref(note);
	return j;
}

int64_t
held_for_approval(struct ctl *c, struct queue_tree *q)
{
	struct spool_names names = {0};
	struct queue_name n;
	int64_t count = 0;
	json_t *note;

	if (spool_list(q->dir[Q_HELD], LOOKED_MAX, &names) == -1)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		if (key_parse_queue_file(names.names[i], &n) == -1)
			continue;
		note = note_of(c, q, n.key);
		count += waits_for_approval(note);
		json_decref(note);
	}
	spool_names_free(&names);
	return count;
}
