/* SPDX-License-Identifier: ISC */
/* The TIME of keys: strictly increasing, whatever the wall clock does. */
#include <errno.h>
#include <jansson.h>

#include "common/clock.h"
#include "common/ids.h"

#define CLOCK_FILE "clock.json"
#define CLOCK_FORMAT "patchflow-clock-1"
#define RESERVE_US 1000000

static int
latest(void *owner, const char *h, const struct ids_entry *e)
{
	int64_t *last_us = owner;

	(void)h;
	if (e != NULL && key_time_us(e->key) > *last_us)
		*last_us = key_time_us(e->key);
	return 0;
}

/* Everything up to what was reserved may have been used. */
static int
load(struct ids_clock *c)
{
	json_int_t reserved_us = 0;
	json_t *doc;
	int found = state_load(&c->state, CLOCK_FILE, CLOCK_FORMAT, &doc);

	if (found == -1 && errno != EBADMSG)
		return -1;
	if (found == 1)
		found = json_unpack(doc, "{s:I}", "reserved_us",
			    &reserved_us) == 0 &&
			reserved_us > 0;
	json_decref(doc);
	c->last_us = c->reserved_us = reserved_us;
	if (found == 1)
		return 0;
	if (ids_walk(c->state.tree, latest, &c->last_us) == -1)
		return -1;
	c->reserved_us = c->last_us;
	return 0;
}

int
ids_clock_open(struct ids_clock *c, struct tree *t)
{
	int err;

	*c = (struct ids_clock){0};
	if (state_open(&c->state, t, "ghost-bridge") == -1)
		return -1;
	if (load(c) == 0)
		return 0;
	err = errno;
	ids_clock_close(c);
	errno = err;
	return -1;
}

static int
reserve(struct ids_clock *c, int64_t until_us)
{
	json_t *doc = json_pack("{s:s,s:I}", "format", CLOCK_FORMAT,
	    "reserved_us", (json_int_t)until_us);
	enum spool_answer answer = state_save(&c->state, CLOCK_FILE, doc);

	json_decref(doc);
	if (answer != SPOOL_DONE)
		return -1;
	c->reserved_us = until_us;
	return 0;
}

int64_t
ids_next_time(struct ids_clock *c)
{
	int64_t now_us = clock_wall_us();
	int64_t next_us = now_us > c->last_us ? now_us : c->last_us + 1;

	if (next_us > c->reserved_us && reserve(c, next_us + RESERVE_US) == -1)
		return -1;
	c->last_us = next_us;
	return next_us;
}

void
ids_clock_close(struct ids_clock *c)
{
	state_close(&c->state);
}
