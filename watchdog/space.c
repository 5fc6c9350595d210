/* SPDX-License-Identifier: ISC */
/* Disks, looked at from a process that may hang. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fsinfo.h"
#include "common/log.h"
#include "watchdog/watchdog.h"

#define LOOK_MS 5000

/* What the errand writes for each path; within ERRAND_OUTPUT for a batch. */
struct answer {
	bool known;
	int64_t bytes[2]; /* free, total */
	int64_t inodes[2];
};
_Static_assert(sizeof(struct answer) * SPACE_BATCH <= ERRAND_OUTPUT,
    "a batch fits");

static int
look_at(void *arg, int out_fd)
{
	const struct space_look *look = arg;
	size_t i;

	for (i = 0; i < look->count; i++) {
		struct answer a = {0};
		struct fsinfo info;
		int fd = open(look->path[i], O_PATH | O_CLOEXEC);

		if (fd != -1 && fsinfo_space(fd, &info) == 0)
			a = (struct answer){.known = true,
			    .bytes = {info.free_bytes, info.total_bytes},
			    .inodes = {info.free_inodes, info.total_inodes}};
		if (write(out_fd, &a, sizeof a) != (ssize_t)sizeof a)
			return EXIT_FATAL;
		if (fd != -1)
			(void)close(fd);
	}
	return EXIT_DONE;
}

static int64_t
per_mille(const int64_t free_total[2])
{
	return (int64_t)((double)free_total[0] * 1000 / (double)free_total[1]);
}

static void
note_space(struct watchdog *w, const char *path, const char *what,
    const int64_t free_total[2], int64_t percent)
{
	char subject[192], text[320];
	struct finding f = {.type = "disk-low",
	    .subject = subject,
	    .text = text};
	int64_t have;

	if (free_total[0] < 0 || free_total[1] <= 0)
		return;
	(void)snprintf(subject, sizeof subject, "%s of %.150s", what, path);
	have = per_mille(free_total);
	/* With a hundredth's play, so that one at the limit is one trouble. */
	f.holds =
	    have < percent * 10 || (check_holds(&w->check, f.type, subject) &&
				       have < percent * 10 + 10);
	(void)snprintf(text, sizeof text,
	    "%" PRId64 ".%" PRId64 " %% of the %s of %.150s are free, the "
	    "limit is %" PRId64 " %%",
	    have / 10, have % 10, what, path, percent);
	check_note(w, &f);
}

static bool
is_scarce(const struct space *s, const int64_t free_total[2], int64_t percent)
{
	int64_t limit = percent * 10 + (s->braked ? 10 : 0);

	return percent > 0 && free_total[0] >= 0 && free_total[1] > 0 &&
	       per_mille(free_total) < limit;
}

static void
release(struct watchdog *w)
{
	(void)writer_put(w, WRITER_BRAKE, "", 0);
}

/* Of the spool. The last of the disk is for finishing what is there, and for
 * saying so. */
static void
mind_brake(struct watchdog *w, const struct answer *a)
{
	int64_t percent = w->settings->watchdog.disk_pause;
	bool scarce = is_scarce(&w->check.space, a->bytes, percent) ||
		      is_scarce(&w->check.space, a->inodes, percent);
	char text[320];
	struct finding f = {.type = "intake-paused",
	    .subject = "spool",
	    .text = text,
	    .holds = scarce};

	(void)snprintf(text, sizeof text,
	    scarce ? "less than %" PRId64 " %% of the disk of %.150s are "
		     "free: nothing new is taken in"
		   : "more than %" PRId64 " %% of the disk of %.150s are free "
		     "again: intake goes on",
	    percent, w->tree->path);
	/* Each time while it is on, for somebody may take the file away; at
	 * first one of a predecessor's may be there. */
	if (scarce)
		(void)writer_put(w, WRITER_BRAKE, text, strlen(text));
	else if (w->check.space.braked || !w->check.space.looked)
		release(w);
	w->check.space.looked = true;
	w->check.space.braked = scarce;
	check_note(w, &f);
}

static void
note_hanging(struct watchdog *w, const char *path, bool hangs)
{
	char subject[192], text[256];
	struct finding f = {.type = "disk-hangs",
	    .subject = subject,
	    .text = text,
	    .holds = hangs};

	(void)snprintf(subject, sizeof subject, "%.190s", path);
	(void)snprintf(text, sizeof text, "the filesystem of %.150s %s", path,
	    hangs ? "does not answer: a network mount?" : "answers again");
	check_note(w, &f);
}

static void
take_answer(struct watchdog *w, const char *path, const struct answer *a)
{
	const struct watchdog_settings *set = &w->settings->watchdog;

	note_hanging(w, path, false);
	/* A workspace that is not there is its executor's to tell. */
	if (!a->known)
		return;
	note_space(w, path, "bytes", a->bytes, set->disk_free);
	note_space(w, path, "inodes", a->inodes, set->inode_free);
	if (strcmp(path, w->tree->path) == 0)
		mind_brake(w, a);
}

static const char *
path_of(const struct watchdog *w, size_t i)
{
	if (i == 0)
		return w->tree->path;
	return i <= w->settings->queue_count
		   ? w->settings->queues[i - 1].workspace
		   : NULL;
}

static void begin(struct watchdog *w);

static void
on_looked(struct errand *e, int status)
{
	struct watchdog *w = e->owner;
	struct space_look *look =
	    (struct space_look *)(void *)((char *)e -
					  offsetof(struct space_look, errand));
	size_t i, answered = e->used / sizeof(struct answer);

	for (i = 0; i < answered && i < look->count; i++) {
		struct answer a;

		memcpy(&a, e->output + i * sizeof a, sizeof a);
		take_answer(w, look->path[i], &a);
	}
	if (status == ERRAND_LATE && answered < look->count) {
		(void)strlcpy(look->hangs_on, look->path[answered],
		    sizeof look->hangs_on);
		note_hanging(w, look->hangs_on, true);
		/* Those behind it are another errand's. */
		w->check.space.next -= look->count - answered - 1;
	}
	look->count = 0;
	if (path_of(w, w->check.space.next) != NULL)
		begin(w);
}

/* True while somebody is hanging there already. */
static bool
is_waited_for(const struct space *s, const char *path)
{
	size_t i;

	for (i = 0; i < SPACE_ERRANDS; i++)
		if (s->look[i].errand.pid != 0 &&
		    strcmp(s->look[i].hangs_on, path) == 0)
			return true;
	return false;
}

static struct space_look *
free_look(struct space *s)
{
	size_t i;

	for (i = 0; i < SPACE_ERRANDS; i++)
		if (s->look[i].errand.pid == 0)
			return &s->look[i];
	return NULL;
}

/* The next few paths. With no errand free they wait for the next look. */
static void
begin(struct watchdog *w)
{
	struct space *s = &w->check.space;
	struct space_look *look = free_look(s);
	const char *path;

	if (look == NULL)
		return;
	look->hangs_on[0] = '\0';
	look->count = 0;
	while (
	    look->count < SPACE_BATCH && (path = path_of(w, s->next)) != NULL) {
		s->next++;
		if (!is_waited_for(s, path))
			look->path[look->count++] = path;
	}
	if (look->count == 0)
		return;
	look->errand.owner = w;
	look->errand.done = on_looked;
	if (errand_fork(&look->errand, look_at, look, LOOK_MS) == -1)
		log_warn("watchdog: disks not looked at");
}

void
space_look(struct watchdog *w)
{
	struct space *s = &w->check.space;
	size_t i;

	/* The last look is not over: it goes on by itself. */
	for (i = 0; i < SPACE_ERRANDS; i++)
		if (s->look[i].count > 0 && s->look[i].errand.pid != 0)
			return;
	s->next = 0;
	begin(w);
}

void
space_forget(struct watchdog *w)
{
	size_t i;

	for (i = 0; i < SPACE_ERRANDS; i++)
		w->check.space.look[i].count = 0;
	w->check.space.next = 0;
}

void
space_close(struct watchdog *w)
{
	if (w->check.space.braked)
		release(w);
}
