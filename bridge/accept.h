/* SPDX-License-Identifier: ISC */
/* Between accept.c and refuse.c: one document on its way into one queue. */
#ifndef BRIDGE_ACCEPT_H
#define BRIDGE_ACCEPT_H

#include "bridge/desk.h"
#include "bridge/identity.h"
#include "common/outcome.h"
#include "common/patch.h"

struct filing {
	const struct document *doc;
	const struct patch_result *patch;
	const struct doc_error *place; /* line 0: no place */
	const char *queue;
};

/* The envelope of f under id; free with envelope_free. */
void accept_envelope(const struct filing *f, const char *id,
    const struct ids_entry *entry, struct envelope *out);

/*
 * The rejected outcome, the alert and the raw text in bad/, in this order and
 * each durable. SPOOL_EXISTS as of ids_accept.
 */
enum spool_answer refuse_document(struct desk *k, const struct filing *f,
    const struct ids_entry *entry) __attribute__((warn_unused_result));
/*
 * The same under ID~HASH12, because the id is that of a live patch. Reading
 * the same occurrence again is the same refusal.
 */
enum spool_answer refuse_conflict(struct desk *k, const struct filing *f)
    __attribute__((warn_unused_result));
/* Was this occurrence refused by refuse_conflict? 1, 0, -1 with errno. */
int refuse_happened(struct desk *k, const struct filing *f)
    __attribute__((warn_unused_result));
/*
 * A refusal that was accepted before: does what a crash may have kept from
 * being done. *news: something was.
 */
enum spool_answer refuse_again(struct desk *k, const struct filing *f,
    const struct ids_entry *entry, bool *news)
    __attribute__((warn_unused_result));

#endif
