/* SPDX-License-Identifier: ISC */
/* The desk's own things: its state, its clock, its journal. */
#include <sys/resource.h>
#include <errno.h>
#include <string.h>

#include "bridge/desk.h"
#include "common/log.h"

#define KEPT_MAX 256

/* Most descriptors stay for the spool, hints and what is read just now. */
static size_t
keep_at_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 0;
	return limit.rlim_cur / 4 < KEPT_MAX ? limit.rlim_cur / 4 : KEPT_MAX;
}

int
desk_open(struct desk *k, const struct settings *set, struct tree *tree)
{
	memset(k, 0, sizeof *k);
	k->set = set;
	k->tree = tree;
	k->kept_max = keep_at_most();
	if (state_open(&k->state, tree, DESK_NAME) == -1)
		return -1;
	if (ids_clock_open(&k->clock, tree) == -1)
		return -1;
	/* The journal is a view: without it the work goes on. */
	if (journal_open(&k->journal, tree->journal, DESK_NAME, set->logs.size,
		(int)set->logs.count) == -1)
		log_warn("journal/%s.log: not opened", DESK_NAME);
	return 0;
}

void
desk_close(struct desk *k)
{
	int saved = errno;

	journal_close(&k->journal);
	ids_clock_close(&k->clock);
	state_close(&k->state);
	errno = saved;
}

json_t *
counts_encode(const struct counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "documents",
	    (json_int_t)c->documents, "accepted", (json_int_t)c->accepted,
	    "duplicates", (json_int_t)c->duplicates, "refused",
	    (json_int_t)c->refused, "near_misses", (json_int_t)c->near_misses);
}

static uint64_t
count_of(const json_t *doc, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(doc, name));

	return n > 0 ? (uint64_t)n : 0;
}

void
counts_decode(const json_t *doc, struct counts *c)
{
	c->documents = count_of(doc, "documents");
	c->accepted = count_of(doc, "accepted");
	c->duplicates = count_of(doc, "duplicates");
	c->refused = count_of(doc, "refused");
	c->near_misses = count_of(doc, "near_misses");
}
