/* SPDX-License-Identifier: ISC */
/* The turns of the bridge: what is looked at, in which order, and when. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/bridge.h"
#include "bridge/tidy.h"
#include "common/alert.h"
#include "common/brake.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/left.h"
#include "common/log.h"
#include "common/text.h"

#define TURN_MS 250            /* sources are left for the next turn then */
#define TIDY_MS (600ll * 1000) /* between two looks at what may go */
#define TIDY_SOON_MS 1000      /* while there is more than one look can take */
#define HINT_SHARE 4           /* of a busy folder: a fifth of the time */
#define ONCE_STEP_MS 50        /* --once: between looks at what must settle */

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/")
			     : xstrndup(path, (size_t)(slash - path));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each folder once, however many sources lie in it. */
static void
collect_folders(struct bridge *b)
{
	size_t kept = 0;

	b->folders = xcalloc(b->source_count + 1, sizeof *b->folders);
	for (size_t i = 0; i < b->source_count; i++)
		b->folders[i] = folder_of(b->sources[i].set->path);
	qsort(b->folders, b->source_count, sizeof *b->folders, by_text);
	for (size_t i = 0; i < b->source_count; i++) {
		if (kept > 0 &&
		    strcmp(b->folders[kept - 1], b->folders[i]) == 0)
			free(b->folders[i]);
		else
			b->folders[kept++] = b->folders[i];
	}
	b->folder_count = kept;
}

/* Again at each poll: a folder may appear, or be another one by now. Without
 * a watch the poll finds the same, later. */
static void
watch_folders(struct bridge *b)
{
	char *inbox = xasprintf("%s/inbox/new", b->desk.tree->path);

	if (hint_dir(&b->hint, inbox) == -1)
		log_debug("%s: not watched", inbox);
	free(inbox);
	for (size_t i = 0; i < b->folder_count; i++)
		if (hint_dir(&b->hint, b->folders[i]) == -1)
			log_debug("%s: not watched", b->folders[i]);
}

static void
tell_unrecovered(struct bridge *b, bool over)
{
	struct alert alert = {.type = "put-failed",
	    .component = DESK_NAME,
	    .subject = "ids",
	    .severity = over ? ALERT_INFO : ALERT_CRITICAL,
	    .text = over ? "unfinished acceptances were finished"
			 : "acceptances that a crash left cannot be finished; "
			   "no source is read until they are",
	    .resolved = over};

	if (b->recover.told == !over)
		return;
	if (alert_raise(b->desk.tree, &alert) == SPOOL_DONE)
		b->recover.told = !over;
	else
		log_warn("ids: no alert put");
}

/* Nothing is read while an acceptance is unfinished: whether its document
 * was accepted is not known before. */
static bool
recover(struct bridge *b)
{
	int count;

	if (b->recovered)
		return true;
	if (!retry_due(&b->recover))
		return false;
	count = ids_recover(b->desk.tree);
	if (count == -1) {
		log_warn("ids: not recovered, tried again later");
		retry_failed(&b->recover);
		tell_unrecovered(b, false);
		return false;
	}
	if (count > 0)
		log_info("ids: finished %d acceptance%s", count,
		    text_s((uint64_t)count));
	b->recovered = true;
	tidy_staged(&b->desk);
	tell_unrecovered(b, true);
	memset(&b->recover, 0, sizeof b->recover);
	return true;
}

/* Its patches were accepted, and nobody runs them. */
static void
tell_left(void *owner, const struct left *l)
{
	struct bridge *b = owner;
	char *text = left_words(l);
	struct alert alert = {.type = "queue-left",
	    .component = DESK_NAME,
	    .subject = l->queue,
	    .severity = ALERT_ERROR,
	    .text = text};

	log_warnx("%s: %s", l->queue, text);
	if (alert_raise(b->desk.tree, &alert) != SPOOL_DONE)
		log_warn("%s: no alert put", l->queue);
	free(text);
}

static void
beat(const struct bridge *b)
{
	char status[128];

	(void)snprintf(status, sizeof status, "%zu source%s, %llu document%s",
	    b->source_count, text_s(b->source_count),
	    (unsigned long long)b->desk.work, text_s(b->desk.work));
	daemon_beat(b->desk.work, 0, status);
}

/* True: there is more to do at once. */
static bool
scan_sources(struct bridge *b)
{
	int64_t began = clock_mono_ms();
	bool more = false;
	size_t first = b->next;

	for (size_t i = 0; i < b->source_count; i++) {
		size_t at = (first + i) % b->source_count;

		if (source_scan(&b->sources[at], &b->desk, b->opts->once) ==
		    SCAN_MORE)
			more = true;
		beat(b);
		if (clock_mono_ms() - began < TURN_MS)
			continue;
		b->next = (at + 1) % b->source_count;
		return more || i + 1 < b->source_count;
	}
	return more;
}

/* What is accepted is finished; nothing new comes in. */
static bool
is_braked(struct bridge *b)
{
	char why[256];
	bool braked = brake_is_on(b->desk.tree, why, sizeof why);

	if (braked != b->braked)
		log_info("intake: %s", braked ? why : "goes on");
	b->braked = braked;
	return braked;
}

/* True: there is more to do at once. */
static bool
turn(struct bridge *b)
{
	bool more;

	if (!recover(b) || is_braked(b))
		return false;
	more = intake_scan(&b->intake) == SCAN_MORE;
	return scan_sources(b) || more;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	if (a == -1 || b == -1)
		return a == -1 ? b : a;
	return a < b ? a : b;
}

static int64_t
next_wait(const struct bridge *b)
{
	int64_t wait = retry_wait(&b->recover);

	if (!b->recovered || b->braked)
		return wait; /* the poll looks again */
	wait = intake_wait(&b->intake);
	for (size_t i = 0; i < b->source_count; i++)
		wait = sooner(wait, source_wait(&b->sources[i], &b->desk));
	return wait;
}

static void
on_turn(struct loop *l, struct timer *t)
{
	struct bridge *b = t->owner;
	uint64_t work = b->desk.work;
	int64_t began = clock_mono_ms();
	int64_t now, wait;
	bool more;

	if (b->hint.watch.fd != -1)
		loop_watch(l, &b->hint.watch);
	more = turn(b);
	now = clock_mono_ms();
	wait = more ? 0 : next_wait(b);
	if (b->desk.work == work)
		b->quiet_until_ms = now + 1 + (now - began) * HINT_SHARE;
	beat(b);
	if (wait != -1)
		loop_after(l, t, wait);
}

static void
on_poll(struct loop *l, struct timer *t)
{
	struct bridge *b = t->owner;

	watch_folders(b);
	if (tidy_lost(&b->desk)) {
		b->status = EXIT_TEMPORARY;
		loop_stop(l);
		return;
	}
	loop_after(l, &b->turn, 0);
	loop_after(l, t, b->desk.set->bridge.poll);
}

static void
on_hint(struct hint *h)
{
	struct bridge *b = h->owner;
	int64_t wait = b->quiet_until_ms - clock_mono_ms();

	if (wait < 0)
		wait = 0;
	if (!b->turn.armed || b->turn.at_ms > clock_mono_ms() + wait)
		loop_after(&b->loop, &b->turn, wait);
	/* A turn is coming: until then further events say nothing new, and
	 * reading each of them would cost more than the turns. */
	loop_unwatch(&b->loop, &h->watch);
}

static void
on_tidy(struct loop *l, struct timer *t)
{
	struct bridge *b = t->owner;

	bool more = tidy_boxes(&b->desk);

	loop_after(l, t, more ? TIDY_SOON_MS : TIDY_MS);
}

/* The supervisor wants to see a turn of the loop, whatever the poll. */
static void
on_beat(struct loop *l, struct timer *t)
{
	beat(t->owner);
	loop_after(l, t, daemon_beat_interval());
}

void
bridge_open(struct bridge *b, const struct daemon_opts *opts,
    const struct settings *set, struct tree *tree)
{
	memset(b, 0, sizeof *b);
	b->opts = opts;
	if (loop_open(&b->loop, b, NULL) == -1)
		fatal("loop");
	if (desk_open(&b->desk, set, tree) == -1) {
		log_warn("%s/state/%s: not opened", tree->path, DESK_NAME);
		exit(EXIT_TEMPORARY);
	}
	b->source_count = set->bridge.source_count;
	b->sources = xcalloc(b->source_count + 1, sizeof *b->sources);
	for (size_t i = 0; i < b->source_count; i++)
		source_open(&b->sources[i], &set->bridge.sources[i], &b->desk);
	intake_open(&b->intake, &b->desk, opts->once);
	collect_folders(b);
	if (hint_open(&b->hint, &b->loop, b, on_hint) == -1)
		log_warn("no hints, polling only");
	b->turn = (struct timer){.on = on_turn, .owner = b};
	b->poll = (struct timer){.on = on_poll, .owner = b};
	b->tidy = (struct timer){.on = on_tidy, .owner = b};
	b->beat = (struct timer){.on = on_beat, .owner = b};
	(void)recover(b);
	if (left_find(tree, set->summaries.destination_count > 0, tell_left,
		b) == -1)
		log_warn("%s: not looked through", tree->path);
}

static bool
left_over(const struct bridge *b)
{
	if (!b->recovered || b->braked || b->intake.retry.delay_ms != 0)
		return true;
	for (size_t i = 0; i < b->intake.waiting_count; i++)
		if (b->intake.waiting[i].told != TOLD_NOTHING)
			return true;
	for (size_t i = 0; i < b->source_count; i++)
		if (b->sources[i].retry.delay_ms != 0 ||
		    b->sources[i].trouble == SOURCE_UNREADABLE)
			return true;
	return false;
}

/* All that can be done now. A dropped file is waited for until it is stable;
 * what failed is left to the next run. */
static int
run_once(struct bridge *b)
{
	bool more = true;

	(void)tidy_boxes(&b->desk);
	while (!b->loop.stop && more) {
		more = turn(b);
		if (more || intake_unsettled(&b->intake) == 0)
			continue;
		loop_turn(&b->loop, ONCE_STEP_MS);
		more = true;
	}
	return left_over(b) ? EXIT_TEMPORARY : EXIT_DONE;
}

int
bridge_run(struct bridge *b)
{
	if (b->opts->once)
		return run_once(b);
	loop_after(&b->loop, &b->poll, 0);
	loop_after(&b->loop, &b->tidy, 0);
	loop_after(&b->loop, &b->beat, daemon_beat_interval());
	loop_run(&b->loop);
	daemon_stopping();
	return b->status;
}

void
bridge_close(struct bridge *b)
{
	for (size_t i = 0; i < b->source_count; i++) {
		if (b->sources[i].dirty &&
		    source_save(&b->sources[i], &b->desk) == -1)
			log_warn("%s: cursor not written, it is read again",
			    b->sources[i].label);
		source_close(&b->sources[i], &b->desk);
	}
	intake_close(&b->intake);
	hint_close(&b->hint, &b->loop);
	loop_close(&b->loop);
	desk_close(&b->desk);
	for (size_t i = 0; i < b->folder_count; i++)
		free(b->folders[i]);
	free(b->folders);
	free(b->sources);
}
