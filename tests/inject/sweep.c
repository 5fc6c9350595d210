/* SPDX-License-Identifier: ISC */
/* Which points are tried, and what is said about them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "tests/inject/sweep.h"

#define ROLES_MAX 16
#define SHOWN_MAX 20

/* What is counted for each role. */
struct tally {
	struct {
		char role[16];
		unsigned points, tried, hits, bad;
	} roles[ROLES_MAX];
	unsigned shown;
	unsigned recoveries; /* that differ in their calls */
	struct buf met;      /* their digests */
};

static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static size_t
role_index(struct tally *t, const char *role)
{
	for (size_t i = 0; i < ROLES_MAX; i++) {
		if (t->roles[i].role[0] == '\0')
			(void)strlcpy(t->roles[i].role, role,
			    sizeof(t->roles[i].role));
		if (strcmp(t->roles[i].role, role) == 0)
			return i;
	}
	return ROLES_MAX - 1;
}

static void
show_point(const struct point *p)
{
	(void)printf("%s:%s:%u", p->path, p->call->name, p->n);
	if (p->fault != 0)
		(void)printf(":%s", fault_kind_name(p->fault));
	(void)printf(" (%s)", p->role);
}

static void
show_bad(struct sweep *s, struct tally *t, const struct point *a,
    const struct point *b)
{
	if (s->quiet || t->shown++ >= SHOWN_MAX)
		return;
	(void)printf("bad ");
	show_point(a);
	if (b != NULL) {
		(void)printf(" then ");
		show_point(b);
	}
	(void)printf(": %s\n", s->trouble);
	(void)fflush(stdout);
}

static void
try_point(struct sweep *s, struct tally *t, const struct point *a,
    const struct point *b)
{
	size_t role = role_index(t, a->role);
	bool good = attempt(s, a, b);

	t->roles[role].tried++;
	t->roles[role].hits += s->hit[0];
	if (good)
		return;
	t->roles[role].bad++;
	show_bad(s, t, a, b);
}

static bool
is_only(const struct sweep *s, const struct point *p)
{
	const struct point *o = s->only;

	return o == NULL ||
	       (o->call == p->call && o->n == p->n && o->fault == p->fault &&
		   strcmp(o->path, p->path) == 0);
}

/* One of each one_in in a row, at random: all points are tried once while the
 * seed counts up. */
static bool
is_chosen(const struct sweep *s, size_t i)
{
	uint64_t step = s->one_in > 0 ? s->one_in : 1;
	uint64_t mixed = (i / step + 1) * 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93u;
	return s->only != NULL || ((mixed >> 32) + s->seed) % step == i % step;
}

static void
once_killed(struct sweep *s, struct tally *t)
{
	for (size_t i = 0; i < s->points.count && !stopped; i++) {
		const struct point *p = &s->points.items[i];

		t->roles[role_index(t, p->role)].points++;
		if (is_only(s, p) && is_chosen(s, i))
			try_point(s, t, p, NULL);
	}
}

/* Was a recovery of the very same calls met before? */
static bool
is_known(struct tally *t, const struct points *p)
{
	char digest[DIGEST_SIZE];
	struct buf b = {0};
	bool known;

	for (size_t i = 0; i < p->count; i++)
		buf_printf(&b, "%s %s\n", p->items[i].path,
		    p->items[i].call->name);
	digest_bytes(b.len > 0 ? b.bytes : "", b.len, digest);
	buf_free(&b);
	known = t->met.len > 0 && strstr(t->met.bytes, digest) != NULL;
	buf_puts(&t->met, digest);
	t->recoveries += !known;
	return known;
}

/* Recovery from p at each of its own points. */
static void
twice_killed(struct sweep *s, struct tally *t, const struct point *p)
{
	struct points recovery = {0};

	if (!attempt_recorded(s, p, &recovery))
		show_bad(s, t, p, NULL);
	else if (is_known(t, &recovery))
		recovery.count = 0;
	for (size_t i = 0; i < recovery.count && !stopped; i++)
		try_point(s, t, p, &recovery.items[i]);
	points_free(&recovery);
}

static void
random_pair(struct sweep *s, struct tally *t)
{
	const struct point *p =
	    &s->points.items[(size_t)random() % s->points.count];
	struct points recovery = {0};

	if (!attempt_recorded(s, p, &recovery))
		show_bad(s, t, p, NULL);
	else if (recovery.count > 0)
		try_point(s, t, p,
		    &recovery.items[(size_t)random() % recovery.count]);
	points_free(&recovery);
}

static void
sweep_pairs(struct sweep *s, struct tally *t)
{
	for (size_t i = 0; s->pairs == 0 && i < s->points.count && !stopped;
	     i++) {
		if (is_only(s, &s->points.items[i]) && is_chosen(s, i))
			twice_killed(s, t, &s->points.items[i]);
	}
	srandom((unsigned)s->seed);
	for (unsigned i = 0; i < s->pairs && s->points.count > 0 && !stopped;
	     i++)
		random_pair(s, t);
}

static void
report(const struct sweep *s, const struct tally *t)
{
	for (size_t i = 0; i < ROLES_MAX && t->roles[i].role[0] != '\0'; i++)
		(void)printf("role %s: %u points, %u tried, %u hit, %u bad\n",
		    t->roles[i].role, t->roles[i].points, t->roles[i].tried,
		    t->roles[i].hits, t->roles[i].bad);
	if (t->recoveries > 0)
		(void)printf("role and %u different recoveries\n",
		    t->recoveries);
	(void)printf("points %zu tried %u hit %u bad %u seed %lu ends %s\n",
	    s->points.count, s->tried, s->hits, s->bad, s->seed,
	    s->world.goal.state);
}

int
sweep_run(struct sweep *s)
{
	const struct sigaction act = {.sa_handler = on_stop};
	struct tally t = {0};

	/* What was found so far is reported. */
	(void)sigaction(SIGTERM, &act, NULL);

	if (attempt_plain(s) == -1) {
		(void)fprintf(stderr, "inject: the plain run failed: %s\n",
		    s->trouble != NULL ? s->trouble : "no images");
		return -1;
	}
	if (s->only != NULL && s->only_then != NULL)
		try_point(s, &t, s->only, s->only_then);
	else if (s->depth == 2)
		sweep_pairs(s, &t);
	else
		once_killed(s, &t);
	report(s, &t);
	buf_free(&t.met);
	return s->bad > 0 || stopped;
}
