/* SPDX-License-Identifier: ISC */
/* Within ids: names and targets of entries. */
#ifndef COMMON_IDS_PART_H
#define COMMON_IDS_PART_H

#include "common/ids.h"

#define IDS_NAME_SIZE (DIGEST_SIZE + 6) /* H,REV */
#define IDS_TARGET_SIZE (QUEUE_MAX + KEY_SIZE + DIGEST_SIZE + 16)

void ids_name(const char *queue, const char *id, int rev,
    char out[IDS_NAME_SIZE]);
void ids_target(const struct ids_entry *e, char out[IDS_TARGET_SIZE]);
/* The entry called name in dir, which may be "XX/name": 1, 0, or -1 with
 * errno EBADMSG where it is none of ours. */
int ids_read(int dir, const char *name, struct ids_entry *e);

#endif
