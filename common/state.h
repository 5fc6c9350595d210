/* SPDX-License-Identifier: ISC */
/*
 * A daemon's own documents in state/NAME: checked files, replaced whole and
 * durable when the call returns. Each says its format in "format"; one that
 * fails its check or says another format is set aside in corrupt/, and the
 * daemon rebuilds it or holds with an alert.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include <jansson.h>

#include "common/spool.h"
#include "common/tree.h"

struct state {
	struct tree *tree;
	int dir;
	int tmp;
};

int state_open(struct state *s, struct tree *t, const char *name);
void state_close(struct state *s);
/*
 * 1 found (*doc is a new reference), 0 absent, -1 error. errno EBADMSG: it
 * was broken and is now in corrupt/, so that the next load says absent.
 */
int state_load(const struct state *s, const char *file, const char *format,
    json_t **doc) __attribute__((warn_unused_result));
enum spool_answer state_save(const struct state *s, const char *file,
    const json_t *doc) __attribute__((warn_unused_result));
/* Absent afterwards, durably. */
enum spool_answer state_remove(const struct state *s, const char *file)
    __attribute__((warn_unused_result));

#endif
