/* SPDX-License-Identifier: ISC */
/*
 * inotify as a hint: "look again". Events carry no meaning beyond that; on
 * overflow or a lost watch the hint fires once more. Scanning is the truth,
 * and every daemon rescans by a timer as well.
 */
#ifndef COMMON_HINT_H
#define COMMON_HINT_H

#include "common/loop.h"

struct hint {
	struct watch watch;
	void (*on)(struct hint *);
	void *owner;
	bool arrivals; /* what goes is no hint; set before hint_dir */
	char **paths;  /* of the directories, for those that are replaced */
	size_t path_count;
};

int hint_open(struct hint *h, struct loop *l, void *owner,
    void (*on)(struct hint *));
/* Watches the directory (files appearing, changing, going). -1 and errno. */
int hint_dir(struct hint *h, const char *path);
void hint_close(struct hint *h, struct loop *l);

#endif
