/* SPDX-License-Identifier: ISC */
/* Ending a patch whose queue file is not to be read: all that is known of it
 * stands in the file's name. */
#include <string.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/outcome.h"
#include "executor/settle.h"

#define TIME_CHARS 17 /* of a KEY, with the hyphen behind it */
#define HASH_CHARS 9  /* at its end, with the one before */

void
settle_free_attempt(struct executor *ex, struct queue_name *n)
{
	while (n->attempt < ATTEMPT_MAX &&
	       tree_find_outcome(ex->q, n->key, n->attempt) != BOX__MAX)
		n->attempt++;
}

/* TIME-SLUG-HASH8: the slug is the id, or near to it. */
static void
take_envelope(struct executor *ex, const struct queue_name *n, const char *file,
    struct envelope *env)
{
	size_t len = strlen(n->key);

	*env = (struct envelope){.source = xstrdup("spool"),
	    .conversation = xstrdup(""),
	    .message_id = xstrdup(""),
	    .author = xstrdup("")};
	if (len > TIME_CHARS + HASH_CHARS)
		(void)strlcpy(env->id, n->key + TIME_CHARS,
		    len - TIME_CHARS - HASH_CHARS + 1);
	if (!key_is_of(n->key, env->id))
		strlcpy(env->id, "corrupt", sizeof(env->id));
	strlcpy(env->queue, ex->q->name, sizeof(env->queue));
	strlcpy(env->key, n->key, sizeof(env->key));
	env->attempt = n->attempt;
	digest_bytes(file, strlen(file), env->digest);
	env->queued_us = env->detected_us = key_time_us(n->key);
}

static void
put_outcome(struct executor *ex, const struct envelope *env,
    const struct fault *f, const char *file)
{
	json_t *doc = outcome_new(env, f->state, f->stage, OUTCOME_NO_REASON);
	char name[NAME_SIZE];

	settle_common(ex, doc);
	fault_describe(f, doc);
	key_outcome_file(env->key, env->attempt, name);
	if (tree_put_json(ex->tree, ex->q->outcomes.dir, name, doc) ==
	    SPOOL_REFUSED)
		executor_hold(ex, "%s: outcome not written", file);
	json_decref(doc);
}

void
settle_aside(struct executor *ex, struct queue_name *n, const struct fault *f,
    const struct settle_at *at)
{
	struct alert a = {.type = "spool-corrupt",
	    .component = ex->instance,
	    .subject = at->file,
	    .severity = ALERT_CRITICAL,
	    .text = f->text,
	    .queue = ex->q->name};
	struct envelope env;

	settle_free_attempt(ex, n);
	take_envelope(ex, n, at->file, &env);
	log_warnx("%s: set aside: %s", at->file, f->text);
	executor_alert(ex, &a);
	/* The outcome before the file goes: else nobody would write it. */
	if (key_is_of(n->key, env.id))
		put_outcome(ex, &env, f, at->file);
	if (tree_set_aside(ex->tree, ex->q->dir[at->dir], ex->q->name,
		at->file) != SPOOL_DONE)
		executor_hold(ex, "%s: not moved to corrupt", at->file);
	tries_forget(&ex->state, n->key);
	envelope_free(&env);
}
