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
		loop_turn(&w->loop, -1);
		if (!w->pulsed)
			continue;
		/* From here, where the stack is shallow, and nowhere deeper. */
		if (w->check.spent)
			pages_give_back();
		pages_rest();
		w->check.spent = w->pulsed = false;
	}
}
