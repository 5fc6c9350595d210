/* SPDX-License-Identifier: ISC */
/* The ids index and the state directories to one answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/identity.h"

/* A queue file that the executor moves back while we look from the front is
 * missed once, never three times. */
#define IDENTITY_LOOKS 3

enum identity_kind
identity_judge(const struct ids_entry *entries, size_t count,
    const char *digest, size_t *which)
{
	*which = 0;
	if (count == 0)
		return IDENTITY_NEW;
	for (*which = 0; *which < count; (*which)++)
		if (strcmp(entries[*which].digest, digest) == 0)
			return entries[*which].pending ? IDENTITY_RESUME
						       : IDENTITY_DUPLICATE;
	*which = count - 1;
	for (size_t i = 0; i < count; i++)
		if (entries[i].pending)
			return IDENTITY_UNSURE;
	return IDENTITY_REVISION;
}

bool
identity_over(enum queue_dir where, enum outcome_state state)
{
	switch (where) {
	case Q_PATCHES:
	case Q_HELD:
	case Q_RUNNING:
		return false;
	case Q_COMPLETED:
		return state == OUTCOME_UNDONE || state == OUTCOME_REJECTED;
	case Q_FAILED:
	case Q_ARCHIVE:
	case Q_TMP:
	case Q__MAX:
		return true;
	}
	return true;
}

static enum outcome_state
outcome_state_of(const struct queue_tree *q, const char *key, int attempt)
{
	enum box_dir box = tree_find_outcome(q, key, attempt);
	enum outcome_state state = OUTCOME__STATES;
	struct outcome outcome;
	char name[NAME_SIZE];
	json_t *doc = NULL;

	if (box == BOX__MAX)
		return state;
	key_outcome_file(key, attempt, name);
	if (spool_read_json(q->outcomes.dir[box], name, &doc) != 1)
		return state;
	if (outcome_decode(doc, &outcome) == 0) {
		state = outcome.state;
		outcome_free(&outcome);
	}
	json_decref(doc);
	return state;
}

/* Finds the latest revision's queue file; -1 with errno where it cannot be
 * said whether there is one. */
static int
find_latest(const struct queue_tree *q, const struct ids_entry *latest,
    enum queue_dir *where, int *attempt)
{
	struct queue_name found;

	*attempt = latest->attempt;
	for (int look = 0; look < IDENTITY_LOOKS; look++) {
		errno = 0;
		*where = tree_find_key(q, latest->key, latest->attempt, &found);
		if (*where == Q__MAX && errno != 0)
			return -1;
		if (*where == Q__MAX)
			continue;
		if (found.attempt > *attempt)
			*attempt = found.attempt;
		return 0;
	}
	return 0;
}

/* The next revision of the id that latest belongs to, if that is over. */
static int
succeed(const struct queue_tree *q, const struct ids_entry *latest,
    struct identity *out)
{
	enum queue_dir where;
	int attempt;

	if (find_latest(q, latest, &where, &attempt) == -1)
		return -1;
	out->entry = *latest;
	if (!identity_over(where, outcome_state_of(q, latest->key, attempt)) ||
	    attempt >= ATTEMPT_MAX) {
		out->kind = IDENTITY_CONFLICT;
		return 0;
	}
	/* No two attempts may share an outcome, whoever made the last one. */
	while (attempt < ATTEMPT_MAX - 1 &&
	       tree_find_outcome(q, latest->key, attempt + 1) != BOX__MAX)
		attempt++;
	out->kind = IDENTITY_REVISION;
	out->entry.attempt = attempt + 1;
	out->entry.rev = latest->rev + 1;
	return 0;
}

static int
begin(struct desk *k, const char *queue, const char *id, struct identity *out)
{
	int64_t at = ids_next_time(&k->clock);

	if (at == -1)
		return -1;
	memset(&out->entry, 0, sizeof out->entry);
	(void)strlcpy(out->entry.queue, queue, sizeof out->entry.queue);
	key_make(at, id, out->entry.key);
	out->entry.attempt = 1;
	out->entry.rev = 1;
	out->kind = IDENTITY_NEW;
	return 0;
}

int
identity_find(struct desk *k, const char *queue, const char *id,
    const char *digest, struct identity *out)
{
	struct queue_tree *q = tree_queue(k->tree, queue);
	struct ids_entry *entries = NULL;
	size_t which;
	int count = ids_lookup(k->tree, queue, id, &entries);
	int result = 0;

	if (count == -1)
		return -1;
	out->kind = identity_judge(entries, (size_t)count, digest, &which);
	if (out->kind == IDENTITY_NEW)
		result = begin(k, queue, id, out);
	else if (out->kind == IDENTITY_REVISION)
		result = succeed(q, &entries[which], out);
	else
		out->entry = entries[which];
	if (out->kind == IDENTITY_NEW || out->kind == IDENTITY_REVISION) {
		(void)strlcpy(out->entry.digest, digest,
		    sizeof out->entry.digest);
		out->entry.pending = false;
	}
	free(entries);
	return result;
}
