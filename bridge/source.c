/* SPDX-License-Identifier: ISC */
/* Cursor files, counts, and what people are told about a source. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/source.h"
#include "common/alert.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/log.h"

#define CURSOR_FORMAT "patchflow-cursor-1"

static const char *const trouble_type[] = {
    [SOURCE_FINE] = "",
    [SOURCE_MISSING] = "source-missing",
    [SOURCE_UNREADABLE] = "source-unreadable",
};

void
source_rewind(struct source *s)
{
	memset(&s->cursor, 0, sizeof s->cursor);
	s->cursor.line = 1;
	s->idle = false;
	s->open = false;
	s->waits = false;
	s->dirty = true;
}

static json_t *
cursor_encode(const struct source *s)
{
	const struct cursor *c = &s->cursor;

	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:i, s:i, s:o, "
			 "s:o, s:s, s:b, s:I}",
	    "format", CURSOR_FORMAT, "path", s->set->path, "dev",
	    (json_int_t)c->dev, "ino", (json_int_t)c->ino, "offset",
	    (json_int_t)c->offset, "line", (json_int_t)c->line, "print",
	    c->print, "skip", c->skip, "skip_len", c->skip_len, "extract",
	    extract_state_json(&c->extract), "counts",
	    counts_encode(&s->counts), "trouble", trouble_type[s->trouble],
	    "near_miss_told", s->near_miss_told, "stale_told",
	    (json_int_t)s->stale_told);
}

static enum source_trouble
trouble_of(const char *type)
{
	if (strcmp(type, trouble_type[SOURCE_MISSING]) == 0)
		return SOURCE_MISSING;
	if (strcmp(type, trouble_type[SOURCE_UNREADABLE]) == 0)
		return SOURCE_UNREADABLE;
	return SOURCE_FINE;
}

static int
position_decode(json_t *doc, struct cursor *c)
{
	json_int_t dev, ino, offset;
	const char *print;
	int skip;

	if (json_unpack(doc, "{s:I, s:I, s:I, s:I, s:s, s:i, s:i}", "dev", &dev,
		"ino", &ino, "offset", &offset, "line", &c->line, "print",
		&print, "skip", &skip, "skip_len", &c->skip_len) == -1 ||
	    offset < 0 || c->line < 1)
		return -1;
	c->dev = (dev_t)dev;
	c->ino = (ino_t)ino;
	c->offset = (off_t)offset;
	c->skip = skip == '`' || skip == '~' ? (char)skip : '\0';
	(void)strlcpy(c->print, print, sizeof c->print);
	extract_state_load(&c->extract, json_object_get(doc, "extract"));
	return 0;
}

/* 0, or -1 where doc is no cursor of this source. */
static int
cursor_decode(json_t *doc, struct source *s)
{
	const char *path, *trouble;
	json_int_t stale;
	int told;
	json_t *counts;

	if (json_unpack(doc, "{s:s, s:o, s:s, s:b, s:I}", "path", &path,
		"counts", &counts, "trouble", &trouble, "near_miss_told", &told,
		"stale_told", &stale) == -1 ||
	    strcmp(path, s->set->path) != 0 ||
	    position_decode(doc, &s->cursor) == -1)
		return -1;
	counts_decode(counts, &s->counts);
	s->trouble = trouble_of(trouble);
	s->near_miss_told = told != 0;
	s->stale_told = (off_t)stale;
	return 0;
}

/* Reading from the start again is harmless: the ids know every document. */
static void
tell_broken(struct source *s, struct desk *k)
{
	struct alert alert = {.type = "spool-corrupt",
	    .component = DESK_NAME,
	    .subject = s->label,
	    .severity = ALERT_WARNING,
	    .text = "the cursor file cannot be trusted; the source is read "
		    "again from its start, what was accepted before is known "
		    "by its id and not run again"};

	log_warn("%s: cursor file %s not used, reading from the start; ids "
		 "make that harmless",
	    s->label, s->file);
	if (alert_raise(k->tree, &alert) != SPOOL_DONE)
		log_warn("%s: no alert put", s->label);
}

static void
load(struct source *s, struct desk *k)
{
	json_t *doc = NULL;
	int found = state_load(&k->state, s->file, CURSOR_FORMAT, &doc);

	if (found == 1 && cursor_decode(doc, s) == 0) {
		json_decref(doc);
		return;
	}
	if (found == 1)
		errno = EBADMSG;
	if (found != 0)
		tell_broken(s, k);
	json_decref(doc);
	/* One that is whole but not of this source goes there too. */
	if (found == 1 && tree_set_aside(k->tree, k->state.dir, "cursor",
			      s->file) != SPOOL_DONE)
		log_warn("%s: %s not set aside", s->label, s->file);
	source_rewind(s);
}

void
source_open(struct source *s, const struct source_settings *set, struct desk *k)
{
	const char *base = strrchr(set->path, '/');
	char hash[DIGEST_SIZE];

	memset(s, 0, sizeof *s);
	s->set = set;
	s->stale_told = -1;
	s->kept = -1;
	base = base != NULL ? base + 1 : set->path;
	(void)snprintf(s->label, sizeof s->label, "%s:%s", set->type,
	    set->name[0] != '\0' ? set->name : base);
	digest_bytes(set->path, strlen(set->path), hash);
	(void)snprintf(s->file, sizeof s->file, "source-%.16s.json", hash);
	load(s, k);
	s->dirty = false;
}

void
source_keep(struct source *s, struct desk *k, int fd)
{
	if (s->kept != -1) {
		(void)close(s->kept);
		k->kept--;
	}
	s->kept = -1;
	if (fd != -1 && k->kept < k->kept_max) {
		s->kept = fd;
		k->kept++;
	} else if (fd != -1) {
		(void)close(fd);
	}
}

void
source_close(struct source *s, struct desk *k)
{
	source_keep(s, k, -1);
}

int
source_save(struct source *s, struct desk *k)
{
	json_t *doc = cursor_encode(s);
	enum spool_answer answer = state_save(&k->state, s->file, doc);

	json_decref(doc);
	if (answer != SPOOL_DONE)
		return -1;
	s->dirty = false;
	s->saved_ms = clock_mono_ms();
	return 0;
}

static int
raise_alert(struct source *s, struct desk *k, struct alert *alert)
{
	alert->component = DESK_NAME;
	alert->subject = s->label;
	if (alert_raise(k->tree, alert) == SPOOL_DONE)
		return 0;
	log_warn("%s: no alert %s put", s->label, alert->type);
	return -1;
}

static void
tell_over(struct source *s, struct desk *k)
{
	struct alert over = {.type = trouble_type[s->trouble],
	    .severity = ALERT_INFO,
	    .text = "the source can be read again",
	    .resolved = true};

	if (s->trouble == SOURCE_FINE || raise_alert(s, k, &over) == -1)
		return;
	log_info("%s: found again", s->label);
	s->trouble = SOURCE_FINE;
	s->dirty = true;
}

void
source_troubled(struct source *s, struct desk *k, enum source_trouble trouble,
    const char *why)
{
	struct alert alert = {.type = trouble_type[trouble],
	    .severity = ALERT_ERROR,
	    .text = why};

	if (trouble == s->trouble)
		return;
	tell_over(s, k);
	if (trouble == SOURCE_FINE || s->trouble != SOURCE_FINE)
		return;
	if (raise_alert(s, k, &alert) == -1)
		return;
	log_warnx("%s: %s, %s", s->label, trouble_type[trouble], why);
	journal_write(&k->journal, trouble_type[trouble],
	    json_pack("{s:s, s:s}", "source", s->label, "path", s->set->path));
	s->trouble = trouble;
	/* Told once over restarts too, so it is written down at once. */
	if (source_save(s, k) == -1)
		log_warn("%s: %s not written", s->label, s->file);
}

void
source_put_failed(struct source *s, struct desk *k, int error)
{
	char *text =
	    xasprintf("documents of this source cannot be put into the spool "
		      "(%s); its cursor stays and it is tried again",
		strerror(error));
	struct alert alert = {.type = "put-failed",
	    .severity = ALERT_CRITICAL,
	    .text = text};

	retry_failed(&s->retry);
	log_warnx("%s: not put, next try in %lld ms", s->label,
	    (long long)s->retry.delay_ms);
	if (!s->retry.told)
		s->retry.told = raise_alert(s, k, &alert) == 0;
	free(text);
}

void
source_put_works(struct source *s, struct desk *k)
{
	struct alert alert = {.type = "put-failed",
	    .severity = ALERT_INFO,
	    .text = "documents of this source are put again",
	    .resolved = true};

	if (s->retry.delay_ms == 0)
		return;
	if (s->retry.told && raise_alert(s, k, &alert) == -1)
		return;
	memset(&s->retry, 0, sizeof s->retry);
}

int
source_near_miss(struct source *s, struct desk *k, int64_t line,
    const char *why)
{
	char *text = xasprintf("line %lld looks like a patch and was not run: "
			       "%s; further ones are only counted",
	    (long long)line, why);
	struct alert alert = {.type = "near-miss",
	    .severity = ALERT_WARNING,
	    .text = text};
	int result = 0;

	if (!s->near_miss_told)
		result = raise_alert(s, k, &alert);
	free(text);
	if (result == -1)
		return -1;
	s->near_miss_told = true;
	s->counts.near_misses++;
	log_info("%s: near-miss, line %lld, %s", s->label, (long long)line,
	    why);
	journal_write(&k->journal, "near-miss",
	    json_pack("{s:s, s:I, s:s}", "source", s->label, "line",
		(json_int_t)line, "why", why));
	return 0;
}

static void
tell_stale(struct source *s, struct desk *k)
{
	char *text = xasprintf("the block that begins at line %lld is not "
			       "closed; what follows waits for its end",
	    (long long)s->cursor.line);
	struct alert alert = {.type = "stale-block",
	    .severity = ALERT_WARNING,
	    .text = text};

	if (raise_alert(s, k, &alert) == 0) {
		log_warnx("%s: open block waits, line %lld", s->label,
		    (long long)s->cursor.line);
		s->stale_told = s->cursor.offset;
		s->dirty = true;
	}
	free(text);
}

void
source_check_stale(struct source *s, struct desk *k)
{
	struct alert over = {.type = "stale-block",
	    .severity = ALERT_INFO,
	    .text = "the open block is closed",
	    .resolved = true};
	bool waits = s->open && s->stale_told == s->cursor.offset;

	if (s->stale_told != -1 && !waits && raise_alert(s, k, &over) == 0) {
		s->stale_told = -1;
		s->dirty = true;
	}
	if (s->open && s->stale_told == -1 &&
	    clock_mono_ms() - s->grown_ms >= k->set->bridge.stale_block)
		tell_stale(s, k);
}
