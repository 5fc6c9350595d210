/* SPDX-License-Identifier: ISC */
/*
 * ghost-bridge: documents from chats and the inbox into queue files. State
 * and wiring; the work is done by intake.c and source_*.c in bounded pieces,
 * so that one long transcript delays nobody and the supervisor sees progress.
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "bridge/desk.h"
#include "bridge/intake.h"
#include "bridge/source.h"
#include "common/daemon.h"
#include "common/hint.h"
#include "common/loop.h"

struct bridge {
	const struct daemon_opts *opts;
	struct desk desk;
	struct intake intake;
	struct source *sources;
	size_t source_count;
	size_t next;    /* the source that is read first in the next turn */
	char **folders; /* distinct ones of the sources, for hints */
	size_t folder_count;
	bool braked;    /* the supervisor wants nothing new taken in */
	bool recovered; /* no acceptance is left unfinished */
	struct retry recover;
	struct loop loop;
	struct hint hint;
	struct timer turn;
	struct timer poll;
	struct timer tidy;
	struct timer beat;
	int64_t quiet_until_ms; /* hints wait: the last turn found nothing */
	int status;             /* to exit with */
};

/* May end the process: before ready. */
void bridge_open(struct bridge *b, const struct daemon_opts *opts,
    const struct settings *set, struct tree *tree);
/* Until a signal, or with --once until all is read: the exit status. */
int bridge_run(struct bridge *b);
void bridge_close(struct bridge *b);

/* check.c: -n; the exit status. */
int bridge_check(struct settings *set);

#endif
