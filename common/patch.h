/* SPDX-License-Identifier: ISC */
/*
 * The patch document: the tolerant front that turns what models really emit
 * into the one canonical form of patchflow-patch(5), version 1. Pure.
 *
 * patch_normalise() takes a parsed document of any known shape. The canonical
 * form is itself an accepted document and normalises to itself; its
 * digest_json() is the patch's content digest, so JSON and YAML of the same
 * meaning are duplicates.
 */
#ifndef COMMON_PATCH_H
#define COMMON_PATCH_H

#include <stdbool.h>
#include <jansson.h>
#include "common/digest.h"
#include "common/doc.h"
#include "common/key.h"

/* Reasons of `rejected` (DESIGN.md 4), in outcome.reason. */
enum patch_reason {
	PATCH_OK,
	PATCH_MALFORMED,      /* does not parse */
	PATCH_INVALID,        /* parses, a field is wrong */
	PATCH_NOT_EXECUTABLE, /* prose work items, or no action at all */
	PATCH_FORBIDDEN       /* a path or command that policy refuses */
};
extern const char *const patch_reason_name[];

/* Is this block meant as a patch? DESIGN.md 4. */
enum patch_intent {
	INTENT_NONE,      /* not a patch at all */
	INTENT_NEAR_MISS, /* an id key and mutations, commands or phases */
	INTENT_PATCH      /* says role: command_patch */
};

struct patch_result {
	enum patch_reason reason;
	json_t *canonical;   /* NULL unless PATCH_OK; owned */
	char id[ID_MAX + 1]; /* always set: declared, tag, auto- or bad- */
	bool id_declared;
	json_t *targets;          /* array of strings as written; owned, may be
				     empty */
	int priority;             /* 0 .. 9 */
	char path[128];           /* where the error is: "mutations[2].path" */
	char error[512];          /* one sentence; "" when PATCH_OK */
	char hint[256];           /* what to try; may be "" */
	json_t *warnings;         /* array of strings; owned */
	char digest[DIGEST_SIZE]; /* of canonical, else of the raw text */
};

/* intent of a parsed document; of a text that does not parse (by looking for
 * the role and an id key as tokens). */
enum patch_intent patch_intent(const json_t *doc);
enum patch_intent patch_intent_text(const char *text, size_t len);

/*
 * Parses and normalises text. err has line and column of a malformed or
 * invalid document, relative to the text (add the block's own line). Never
 * fails otherwise: the reason says it. Free with patch_result_free.
 */
void patch_read(const char *text, size_t len, struct patch_result *out,
    struct doc_error *err);
void patch_normalise(const json_t *doc, struct patch_result *out);
void patch_result_free(struct patch_result *r);

/*
 * Which queue a target names: queues is an array of {name, aliases}; see
 * settings.h. Here only the words: "BOTH" is every configured queue.
 */
bool patch_target_is_both(const char *target);

/* high -> 3; "0".."9"; -1 where it is none. */
int patch_priority(const json_t *value);

#endif
