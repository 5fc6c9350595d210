/* SPDX-License-Identifier: ISC */
/* One document on its way through the inbox; submit.c and submit_wait.c. */
#ifndef CTL_SUBMIT_H
#define CTL_SUBMIT_H

#include "ctl/input.h"
#include "ctl/ctl.h"

struct submission {
	struct input in;
	char name[NAME_SIZE]; /* of the file in the inbox */
	int64_t put_us;       /* wall clock before the put */
};

struct submit {
	struct ctl *c;
	const char *queue; /* NULL; its name or "" once it was looked up */
	int priority;      /* -1 */
	bool wait;
	int64_t deadline;
	struct submission *subs;
	int count;
};

/*
 * Until the bridge has decided on each submission, and then until each
 * summary is published. Prints (or adds to json) what came of them.
 */
int submit_wait(struct submit *s, json_t *json);

#endif
