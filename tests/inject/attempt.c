/* SPDX-License-Identifier: ISC */
/* One life of the world: run, fault, recovery, judgement. */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/inject/sweep.h"

#define RUN_MS 30000      /* longer is a hang */
#define SURVIVOR_MS 10000 /* of one whose executor is dead, on a busy disk */
#define SETTLE_RUNS 5     /* for what was put off, and a killed one */

static void trouble(struct sweep *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
trouble(struct sweep *s, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (s->trouble == NULL)
		s->trouble = buf_take(&b);
	else
		buf_free(&b);
}

void
points_free(struct points *p)
{
	free(p->items);
	memset(p, 0, sizeof(*p));
}

static void
add_point(struct points *p, const struct tracee *t, const struct call *c,
    unsigned fault)
{
	struct point *at;

	p->items = xreallocarray(p->items, p->count + 1, sizeof(*p->items));
	at = &p->items[p->count++];
	memset(at, 0, sizeof(*at));
	(void)strlcpy(at->path, t->path, sizeof(at->path));
	(void)strlcpy(at->role, t->role, sizeof(at->role));
	at->call = c;
	at->n = t->calls[c - calls];
	at->fault = fault;
}

/* Before the first process has made that call nothing of this world's own has
 * begun. */
static bool
has_begun(const struct sweep *s, const struct tracee *t)
{
	return s->from == NULL || strcmp(t->path, "0") != 0 ||
	       t->calls[s->from - calls] > 0;
}

static bool
is_wanted(const struct sweep *s, const struct tracee *t, const struct call *c)
{
	return has_begun(s, t) &&
	       (s->call == NULL || strcmp(s->call, c->name) == 0) &&
	       (s->role == NULL || strcmp(s->role, t->role) == 0) &&
	       (s->not_role == NULL ||
		   strncmp(t->role, s->not_role, strlen(s->not_role)) != 0);
}

static void
record(struct sweep *s, const struct tracee *t, const struct call *c)
{
	unsigned faults = c->faults | FAULT_LIE;

	faults &= s->faults != 0 ? s->faults : ~(unsigned)FAULT_LIE;
	if (t->looks)
		faults &= ~(unsigned)FAULT_ENOSPC; /* it takes no space */
	if (!is_wanted(s, t, c))
		return;
	/* What recovers from an error is killed. */
	if (s->mode != SWEEP_ERROR || s->recorded_run == 1) {
		add_point(s->recording, t, c, 0);
		return;
	}
	for (unsigned f = FAULT_EIO; f <= FAULT_LIE; f <<= 1) {
		if ((faults & f) != 0)
			add_point(s->recording, t, c, f);
	}
}

static bool
is_sync(const struct call *c)
{
	return strcmp(c->name, "fsync") == 0 ||
	       strcmp(c->name, "fdatasync") == 0;
}

/* Inode numbers come back: the generation tells two files apart. */
static bool
file_mark(const struct tracee *t, struct mark *m)
{
	struct stat st;
	char path[64];
	int fd;

	memset(m, 0, sizeof(*m));
	if (!tracer_arg_file(t, path, sizeof(path)) || stat(path, &st) == -1 ||
	    !S_ISREG(st.st_mode))
		return false;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	if (ioctl(fd, FS_IOC_GETVERSION, &m->generation) == -1)
		m->generation = -1;
	(void)close(fd);
	return m->generation != -1;
}

static void
watch_sync(struct sweep *s, const struct tracee *t, bool fails)
{
	struct mark m;

	if (!file_mark(t, &m))
		return;
	if (fails)
		s->mark = m;
	else if (m.ino == s->mark.ino && m.dev == s->mark.dev &&
		 m.generation == s->mark.generation)
		s->retried = true;
}

static bool
is_target(const struct point *p, const struct tracee *t, const struct call *c)
{
	return p != NULL && p->call == c && p->n == t->calls[c - calls] &&
	       strcmp(p->path, t->path) == 0;
}

/* Everything stands still: what is promised now must still be true after. */
static void
cut_power(struct sweep *s)
{
	struct verdict v;

	if (world_verdict(&s->world, &v) == 0)
		s->promised = v.completed + v.failed;
	if (world_cut_power(&s->world) == -1)
		trouble(s, "power not cut: %s", strerror(errno));
	s->tracer.off = true;
	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (s->tracer.tracees[i].pid != 0)
			(void)kill(s->tracer.tracees[i].pid, SIGKILL);
	}
}

static bool
is_lie(const struct sweep *s, const struct call *c)
{
	const char *at = s->lies != NULL ? strstr(s->lies, c->name) : NULL;
	size_t len = strlen(c->name);

	return at != NULL && (at == s->lies || at[-1] == ',') &&
	       (at[len] == '\0' || at[len] == ',');
}

static enum act
on_call(void *owner, const struct tracee *t, const struct call *c,
    unsigned *fault)
{
	struct sweep *s = owner;

	if (s->recording != NULL && t->run == s->recorded_run)
		record(s, t, c);
	if (t->run >= 0 && is_target(s->target[t->run], t, c) &&
	    !s->hit[t->run]) {
		s->hit[t->run] = true;
		*fault = s->target[t->run]->fault;
		if (*fault != 0 && is_sync(c))
			watch_sync(s, t, true);
		if (*fault == 0 && s->mode == SWEEP_POWER && t->run == 0)
			cut_power(s);
		return *fault != 0 ? ACT_FAULT : ACT_KILL;
	}
	if (s->mark.ino != 0 && is_sync(c))
		watch_sync(s, t, false);
	*fault = FAULT_LIE;
	return is_lie(s, c) ? ACT_FAULT : ACT_GO;
}

/* A stop costs as much as the call: only where something is to be done. */
static void
choose_stops(struct sweep *s, int run)
{
	const struct point *target = s->target[run];
	bool records = s->recording != NULL && run == s->recorded_run;
	bool syncs = s->target[0] != NULL && s->target[0]->fault != 0 &&
		     is_sync(s->target[0]->call);

	for (size_t i = 0; i < call_count; i++)
		s->tracer.stops[i] =
		    (records && (calls[i].changes || s->tracer.every)) ||
		    (target != NULL && target->call == &calls[i]) ||
		    (syncs && is_sync(&calls[i])) || is_lie(s, &calls[i]);
}

/* 1 when the first process of the run ended in time. */
static int
one_run(struct sweep *s, int run)
{
	choose_stops(s, run);
	if (tracer_start(&s->tracer, run, s->argv, s->log) == -1) {
		trouble(s, "not started: %s", strerror(errno));
		return 0;
	}
	if (tracer_follow(&s->tracer, run, RUN_MS) == 1)
		return 1;
	trouble(s, "it hangs");
	if (tracer_end(&s->tracer) > 0)
		trouble(s, "and cannot be killed");
	return 0;
}

static void
begin(struct sweep *s, const struct point *a, const struct point *b)
{
	memset(&s->tracer, 0, sizeof(s->tracer));
	s->tracer.at = on_call;
	s->tracer.owner = s;
	s->tracer.every = s->mode == SWEEP_ERROR;
	s->target[0] = a;
	s->target[1] = b;
	s->hit[0] = s->hit[1] = false;
	s->promised = 0;
	memset(&s->mark, 0, sizeof(s->mark));
	s->retried = false;
	free(s->trouble);
	s->trouble = NULL;
	if (world_restore(&s->world) == -1)
		trouble(s, "the world could not be made");
}

int
attempt_plain(struct sweep *s)
{
	char *left;

	begin(s, NULL, NULL);
	if (s->trouble != NULL || world_note_before(&s->world) == -1 ||
	    world_verdict(&s->world, &s->world.start) == -1)
		return -1;
	s->recording = &s->points;
	s->recorded_run = 0;
	(void)one_run(s, 0);
	s->recording = NULL;
	if (tracer_end(&s->tracer) > 0 || s->trouble != NULL ||
	    world_note_after(&s->world) == -1 ||
	    world_verdict(&s->world, &s->world.goal) == -1)
		return -1;
	left = world_leftover(&s->world);
	if (left[0] != '\0')
		trouble(s, "the plain run leaves %s", left);
	free(left);
	return s->trouble == NULL ? 0 : -1;
}

/* Straight after a run that could end by itself: what it says must be so, and
 * what it could not do must be seen by somebody. */
static void
judge_told(struct sweep *s, int status)
{
	struct verdict v;
	char *why = NULL;
	enum image image;

	if (s->world.queue == NULL || world_verdict(&s->world, &v) == -1)
		return;
	if (v.outcomes == s->world.start.outcomes) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
		    v.held == 0 && v.refused == 0 &&
		    v.alerts <= s->world.start.alerts)
			trouble(s, "ended with 0, no outcome and no word");
		return;
	}
	image = world_image(&s->world, &why);
	if (v.outcomes == s->world.goal.outcomes &&
	    strcmp(v.state, s->world.goal.state) == 0 && image != IMAGE_AFTER &&
	    image != IMAGE_SAME)
		trouble(s, "says %s, which is not so: %s", v.state,
		    why != NULL ? why : "before-image");
	free(why);
}

/* With several patches each one that is completed is a step. */
static enum image
image_due(const struct sweep *s, const struct verdict *v, bool done)
{
	if (done)
		return IMAGE_AFTER;
	return s->world.between != NULL &&
		       v->completed > s->world.start.completed
		   ? IMAGE_BETWEEN
		   : IMAGE_BEFORE;
}

static void
judge_image(struct sweep *s, const struct verdict *v)
{
	static const char *const names[] = {[IMAGE_BEFORE] = "before",
	    [IMAGE_BETWEEN] = "between",
	    [IMAGE_AFTER] = "after"};
	char *why = NULL;
	enum image image = world_image(&s->world, &why);
	bool done = v->outcomes == s->world.goal.outcomes &&
		    strcmp(v->state, s->world.goal.state) == 0;

	if (image == IMAGE_NEITHER)
		trouble(s, "mixed tree (%s): %s", v->state, why);
	else if (s->world.queue == NULL || image == IMAGE_SAME)
		; /* nothing more to tell from */
	else if (image != image_due(s, v, done))
		trouble(s, "%s with the %s-image", v->state, names[image]);
	free(why);
}

static void
judge(struct sweep *s, const struct point *a)
{
	const struct verdict *goal = &s->world.goal;
	struct verdict v;
	char *left;

	if (world_verdict(&s->world, &v) == -1) {
		trouble(s, "the spool cannot be read");
		return;
	}
	/* Who asked has been told no: that is an end as well, and then the
	 * patch may have run that was not to. */
	if (v.refused > goal->refused && world_is_kept(&s->world))
		return;
	judge_image(s, &v);
	if (s->world.queue == NULL || v.refused > goal->refused)
		return;
	if (v.outcomes != goal->outcomes)
		trouble(s, "%d outcomes", v.outcomes);
	if (v.completed + v.failed != goal->completed + goal->failed ||
	    v.queued + v.held + v.running != 0 ||
	    (strcmp(v.state, goal->state) == 0) !=
		(v.completed == goal->completed))
		trouble(s,
		    "%s, but %d completed, %d failed, %d queued, %d held, "
		    "%d running",
		    v.state, v.completed, v.failed, v.queued, v.held,
		    v.running);
	/* An executor that dies once costs nothing but time. */
	if (a != NULL && a->fault == 0 && strcmp(a->path, "0") == 0 &&
	    s->target[1] == NULL && strcmp(v.state, goal->state) != 0)
		trouble(s, "%s instead of %s", v.state, goal->state);
	left = world_leftover(&s->world);
	if (left[0] != '\0')
		trouble(s, "left over: %s", left);
	free(left);
}

/* Runs recovery until nothing waits any more. */
static void
settle(struct sweep *s)
{
	struct verdict v;

	for (int i = 0; i < SETTLE_RUNS && s->trouble == NULL; i++) {
		bool hit = s->hit[1];

		(void)one_run(s, 1);
		if (world_verdict(&s->world, &v) == -1)
			return;
		/* Which of them is killed depends on what was put off; the
		 * next one comes in any case. */
		if (s->hit[1] != hit)
			continue;
		if (v.held + v.queued + v.running == 0)
			return;
		world_hurry(&s->world);
	}
}

static void
recover(struct sweep *s)
{
	struct verdict v;
	int left;

	if (s->mode == SWEEP_POWER) {
		if (tracer_end(&s->tracer) > 0 ||
		    world_remount(&s->world) == -1) {
			trouble(s, "the power did not go: %s", strerror(errno));
			return;
		}
		if (world_verdict(&s->world, &v) == -1 ||
		    v.outcomes + v.recorded < s->promised)
			trouble(s, "an acknowledged outcome is lost");
	}
	if (s->forget)
		world_forget_records(&s->world);
	settle(s);
	left = tracer_drain(&s->tracer, SURVIVOR_MS);
	if (left > 0) {
		trouble(s, "%d processes live on", left);
		(void)tracer_end(&s->tracer);
	}
}

static bool
live(struct sweep *s, const struct point *a, const struct point *b)
{
	const char *lies = s->lies;

	begin(s, a, b);
	if (s->trouble == NULL && one_run(s, 0) == 1) {
		if (s->mode == SWEEP_ERROR)
			judge_told(s, s->tracer.status[0]);
		s->lies = NULL;
		if (s->world.queue != NULL)
			recover(s);
		else
			(void)tracer_end(&s->tracer);
	}
	s->lies = lies;
	s->recording = NULL;
	if (s->trouble == NULL)
		judge(s, a);
	if (s->retried)
		trouble(s, "an fsync that failed was made again");
	if (s->hit[0])
		s->hits++;
	s->tried++;
	if (s->trouble != NULL)
		s->bad++;
	return s->trouble == NULL;
}

bool
attempt(struct sweep *s, const struct point *a, const struct point *b)
{
	return live(s, a, b);
}

bool
attempt_recorded(struct sweep *s, const struct point *a,
    struct points *recovery)
{
	s->recording = recovery;
	s->recorded_run = 1;
	return live(s, a, NULL);
}
