/* SPDX-License-Identifier: ISC */
/* Whether (queue, id) was accepted before, and what that means now. */
#ifndef BRIDGE_IDENTITY_H
#define BRIDGE_IDENTITY_H

#include <stdbool.h>

#include "bridge/desk.h"
#include "common/outcome.h"

enum identity_kind {
	IDENTITY_NEW,
	IDENTITY_REVISION,  /* the earlier one failed, or is gone */
	IDENTITY_RESUME,    /* this very one, its acceptance unfinished */
	IDENTITY_DUPLICATE, /* the content was accepted before */
	IDENTITY_CONFLICT,  /* other content, and the earlier one is live */
	IDENTITY_UNSURE     /* other content, its acceptance unfinished */
};

struct identity {
	enum identity_kind kind;
	/* To accept as, with NEW, REVISION and RESUME; the earlier one with
	 * DUPLICATE and CONFLICT. */
	struct ids_entry entry;
};

/*
 * Pure. entries: every revision, first to last; *which is the one that the
 * answer is about. IDENTITY_REVISION here means: if the latest one is over.
 */
enum identity_kind identity_judge(const struct ids_entry *entries, size_t count,
    const char *digest, size_t *which);
/*
 * Pure. Is the latest revision over, so that another content may follow?
 * where: of its queue file; state: of its outcome, OUTCOME__STATES if none.
 */
bool identity_over(enum queue_dir where, enum outcome_state state);

/* 0, or -1 with errno. */
int identity_find(struct desk *k, const char *queue, const char *id,
    const char *digest, struct identity *out)
    __attribute__((warn_unused_result));

#endif
