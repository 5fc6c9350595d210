/* SPDX-License-Identifier: ISC */
/* What the bridge takes away, and whether its directories are still there. */
#ifndef BRIDGE_TIDY_H
#define BRIDGE_TIDY_H

#include <stdbool.h>

#include "bridge/desk.h"

/* Retention of bad/ and inbox/done; what dead writers left in inbox/tmp.
 * True: there is more to do, soon. */
bool tidy_boxes(struct desk *k);
/*
 * Documents that were staged by a bridge that died before it made their entry
 * in ids/pending. Only after ids_recover; only the bridge stages.
 */
void tidy_staged(struct desk *k);
/* True: a directory that we hold was removed; a new start makes them anew. */
bool tidy_lost(const struct desk *k);

#endif
