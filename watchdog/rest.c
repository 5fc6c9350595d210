/* SPDX-License-Identifier: ISC */
/*
 * The loop, and what is let go of before it sleeps. This file, the loop and
 * pages.c lie together at the program's beginning: while the supervisor sleeps
 * nothing else of it need be in memory.
 */
#include "watchdog/pages.h"
#include "watchdog/watchdog.h"

void
watchdog_run(struct watchdog *w)
{
	while (!w->loop.stop) {
		loop_turn(&w->loop, w->rests ? 0 : -1);
		if (!w->rests || !w->loop.idle)
			continue;
		/* From here, where the stack is shallow, and nowhere deeper. */
		if (w->check.spent)
			pages_give_back();
		pages_rest();
		w->check.spent = w->rests = false;
	}
}
