/* SPDX-License-Identifier: ISC */
/* Records onto disks. Whatever hangs here keeps nobody else. */
#include <sys/prctl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/brake.h"
#include "common/clock.h"
#include "common/journal.h"
#include "common/log.h"
#include "common/text.h"
#include "watchdog/log_file.h"
#include "watchdog/scribe.h"
#include "watchdog/watchdog.h"

#define LINGER_MS 2000

static struct log_file *
file_of(struct scribe *c, const char *name)
{
	struct log_file *f;
	size_t i;

	for (i = 0; i < SCRIBE_FILES; i++)
		if (strcmp(c->files[i].name, name) == 0)
			return &c->files[i];
	f = &c->files[c->next_file++ % SCRIBE_FILES];
	atomic_fetch_add(&c->w->writer.box->lost, f->dropped);
	log_file_close(f);
	log_file_open(f, name);
	return f;
}

static void
keep_line(struct scribe *c, const char *name, const char *line, size_t len)
{
	log_file_take(&c->w->logs, file_of(c, name), line, len);
}

static void
on_log(struct scribe *c, const struct ring_record *r)
{
	const char *name = (const char *)r->bytes;
	size_t used = strlen(name) + 1;

	keep_line(c, name, name + used, r->len - used);
}

/* Our own warnings, beside the supervisor's. */
static bool
take_own(void *arg, const char *line, size_t len)
{
	struct scribe *c = arg;

	if (c->w->logs.dir == -1)
		return false;
	keep_line(c, "watchdog", line, len);
	return true;
}

static void
on_journal(struct scribe *c, const struct ring_record *r)
{
	const struct log_settings *set = &c->w->settings->logs;

	if (c->journal.fd == -1)
		(void)journal_open(&c->journal, c->w->tree->journal, "watchdog",
		    set->size, (int)set->count);
	journal_append(&c->journal, (const char *)r->bytes, r->len);
}

static json_t *
describe(const struct writer_death *d)
{
	const struct last_exit *l = &d->last;
	char at[ISO_TIME_SIZE], tail[DEATHS_TAIL + 1];

	memcpy(tail, d->tail, d->tail_used);
	tail[d->tail_used] = '\0';
	clock_iso(l->at_us, at);
	return json_pack("{s:s, s:s, s:I, s:s, s:i, s:i, s:I, s:I, s:I, s:o, "
			 "s:o}",
	    "at", at, "daemon", d->name, "pid", (json_int_t)l->pid, "reason",
	    l->reason, "code", l->code, "signal", l->signal, "uptime_ms",
	    l->uptime_ms, "cpu_ms", l->cpu_ms, "memory_kb", l->memory_kb, "why",
	    text_json(l->why), "tail", text_json(tail));
}

static void
on_death(struct scribe *c, const struct ring_record *r)
{
	struct writer_death d = {0};
	json_t *doc;

	memcpy(&d, r->bytes, r->len);
	if (c->deaths.fd == -1 &&
	    deaths_open(&c->deaths, c->w->state.dir) == -1) {
		log_warn("state/watchdog/%s: not opened", DEATHS_FILE);
		return;
	}
	doc = describe(&d);
	if (doc != NULL && deaths_add(&c->deaths, doc) == -1)
		log_warn("state/watchdog/%s: not written", DEATHS_FILE);
}

/* Back to the supervisor, which tries again with its next pulse. */
static void
give_back(struct scribe *c, const struct writer_alert *a)
{
	size_t i;

	for (i = 0; i < WRITER_REFUSED; i++) {
		if (atomic_load(&c->w->writer.box->refused[i]))
			continue;
		c->w->writer.box->alerts[i] = *a;
		atomic_store(&c->w->writer.box->refused[i], true);
		log_warn("%s: alert not stored, tried again", a->entry.subject);
		return;
	}
	log_warnx("%s: alert given up, too many are owed: %s", a->entry.subject,
	    a->entry.text);
}

static void
on_alert(struct scribe *c, const struct ring_record *r)
{
	struct writer_alert told;
	struct alert a;

	memcpy(&told, r->bytes, sizeof told);
	a = report_alert_of(&told.entry);
	a.at_us = told.at_us;
	switch (alert_raise(c->w->tree, &a)) {
	case SPOOL_DONE:
	case SPOOL_EXISTS:
		return;
	case SPOOL_UNKNOWN:
	case SPOOL_REFUSED:
		break;
	}
	give_back(c, &told);
}

/* Only the newest is worth its waits for the disk. */
static void
on_memory(struct scribe *c, const struct ring_record *r)
{
	uint64_t own = atomic_load(&c->w->writer.box->ring.records_done) + 1;

	if (own == atomic_load(&c->w->writer.box->newest))
		atomic_store(&c->w->writer.box->refusing,
		    memory_write(c->w, (const char *)r->bytes, r->len) == -1);
}

static void
on_brake(struct scribe *c, const struct ring_record *r)
{
	const struct tree *t = c->w->tree;
	char why[512] = "";

	memcpy(why, r->bytes, r->len < sizeof why ? r->len : sizeof why - 1);
	if (why[0] != '\0' && brake_pull(t, why) == -1)
		log_warn("%s/run: intake not paused", t->path);
	if (why[0] == '\0' && brake_release(t) == -1)
		log_warn("%s/run: intake not released", t->path);
}

static void (*const carry_out[WRITER__MAX])(struct scribe *,
    const struct ring_record *) = {
    [WRITER_LOG] = on_log,
    [WRITER_JOURNAL] = on_journal,
    [WRITER_DEATH] = on_death,
    [WRITER_ALERT] = on_alert,
    [WRITER_MEMORY] = on_memory,
    [WRITER_BRAKE] = on_brake,
};

void
scribe_drain(struct scribe *c)
{
	const struct ring_record *r;

	while ((r = ring_first(&c->w->writer.box->ring)) != NULL) {
		carry_out[r->kind](c, r);
		ring_drop(&c->w->writer.box->ring);
	}
}

/* A count of lost lines is only told when there is room for it. */
static bool
owes_a_count(const struct scribe *c)
{
	size_t i;

	for (i = 0; i < SCRIBE_FILES; i++)
		if (c->files[i].dropped > 0)
			return true;
	return false;
}

/* False when it is time to go. */
static bool
wait_for_more(struct scribe *c)
{
	struct pollfd p = {.fd = c->wake_fd, .events = POLLIN};
	char bytes[64];
	int ready = 0;

	if (c->alone || atomic_load(&c->w->writer.box->retire))
		return false;
	atomic_store(&c->w->writer.box->sleeping, true);
	/* What came before it was seen to sleep wakes nobody. */
	if (ring_is_empty(&c->w->writer.box->ring))
		ready = poll(&p, 1, LINGER_MS);
	atomic_store(&c->w->writer.box->sleeping, false);
	if (!ring_is_empty(&c->w->writer.box->ring))
		ready = 1;
	/* The other end is open in nobody but the supervisor. */
	if (ready == 1 && read(c->wake_fd, bytes, sizeof bytes) == 0)
		c->alone = true;
	return ready != 0 || owes_a_count(c);
}

void
scribe_open(struct scribe *c, struct watchdog *w)
{
	size_t i;

	memset(c, 0, sizeof *c);
	c->w = w;
	c->journal.fd = c->deaths.fd = -1;
	for (i = 0; i < SCRIBE_FILES; i++)
		log_file_open(&c->files[i], "");
}

_Noreturn void
scribe_run(struct watchdog *w, int wake_fd)
{
	struct scribe c;
	size_t i;

	scribe_open(&c, w);
	c.wake_fd = wake_fd;
	(void)prctl(PR_SET_NAME, "watchdog-writer");
	log_divert(take_own, &c);
	/* The suite's lock stays: a successor waits for what is still to be
	 * written. */
	errand_let_go(w);
	do
		scribe_drain(&c);
	while (wait_for_more(&c));
	scribe_drain(&c);
	for (i = 0; i < SCRIBE_FILES; i++)
		atomic_fetch_add(&w->writer.box->lost, c.files[i].dropped);
	_exit(EXIT_DONE);
}
