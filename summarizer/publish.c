/* SPDX-License-Identifier: ISC */
/*
 * From facts to a durable summary. The text is parsed back before anybody
 * can see it; the backup is written first and read back, so that from the
 * moment a summary is visible there are two copies.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alert.h"
#include "common/buf.h"
#include "common/log.h"
#include "summarizer/summarizer.h"

/* Where a summary may be, in the order of its life. */
static const enum summary_dir places[] = {S_READY, S_COMPLETED, S_FAILED};

#define PLACES (sizeof places / sizeof places[0])

enum spool_answer
publish_set_aside(struct summarizer *s, struct queue_tree *q, int dir,
    const char *name, const char *why)
{
	enum spool_answer answer = tree_set_aside(s->tree, dir, q->name, name);
	char *text;

	log_warnx("%s: set aside in corrupt/, %s", name, why);
	text = xasprintf("%s of queue %s was damaged (%s) and lies in "
			 "corrupt/ now",
	    name, q->name, why);
	summarizer_alert(s, &(struct alert){.type = "spool-corrupt",
				.component = "summarizer",
				.subject = name,
				.severity = ALERT_ERROR,
				.text = text,
				.queue = q->name});
	free(text);
	return answer;
}

/* Renders with as much quoted text as stays harmless. */
static void
render_quiet(struct summarizer *s, const struct facts *f, struct buf *out)
{
	struct render_limits limits = {
	    .diff_bytes = s->settings->summaries.diff_bytes,
	    .output_bytes = s->settings->summaries.output_bytes,
	};
	int mode;

	for (mode = RENDER_FULL; mode < RENDER__MODES; mode++) {
		buf_clear(out);
		limits.mode = (enum render_mode)mode;
		render_summary(f, &limits, out);
		if (summary_is_quiet(out->bytes, out->len))
			return;
	}
	/* The last mode holds no block of outside text; that it is not quiet
	 * would be a defect of ours, and the marker still protects it. */
	log_warnx("%s: quoted text still reads like a patch", f->where);
}

static int
parse_back(const struct buf *text, const struct facts *f)
{
	json_t *front;
	bool same;

	if (summary_parse(text->bytes, text->len, &front) == -1)
		return -1;
	same = summary_is_of(front, f);
	json_decref(front);
	if (!same)
		errno = EBADMSG;
	return same ? 0 : -1;
}

/* A put that may spend the reserve. */
static enum spool_answer
put(struct summarizer *s, int tmp, int dst, const char *name,
    const struct buf *text)
{
	enum spool_answer answer =
	    spool_put(tmp, dst, name, text->bytes, text->len);

	if (answer == SPOOL_REFUSED && reserve_spend(&s->reserve, errno)) {
		log_warnx("%s: disk full, the reserve was given back", name);
		answer = spool_put(tmp, dst, name, text->bytes, text->len);
	}
	return answer;
}

/*
 * 1: dir/name is the good summary of f (any good one where f is NULL), 0:
 * there is none, -1: EBADMSG damaged, EEXIST another outcome's.
 */
static int
look(int dir, const char *name, const struct facts *f)
{
	struct parcel p = {0};
	int r = summary_load(dir, name, &p);

	if (r == 1 && f != NULL && !summary_is_of(p.front, f)) {
		errno = EEXIST;
		r = -1;
	}
	if (r == 1)
		parcel_free(&p);
	else if (p.front != NULL) {
		int saved = errno;

		parcel_free(&p);
		errno = saved;
	}
	return r;
}

static enum spool_answer
put_backup(struct summarizer *s, struct queue_tree *q, const char *name,
    const struct buf *text, const struct facts *f)
{
	int dir = q->summaries[S_BACKUP];
	enum spool_answer answer;

	if (look(dir, name, NULL) == -1 && errno == EBADMSG &&
	    publish_set_aside(s, q, dir, name, "backup") != SPOOL_DONE)
		return SPOOL_REFUSED;
	answer = put(s, q->summaries[S_TMP], dir, name, text);
	if (answer == SPOOL_DONE && look(dir, name, f) != 1)
		return SPOOL_REFUSED;
	return answer;
}

/* In which directory the summary of f already is; S__MAX and errno 0 when in
 * none, with another errno when that is not known. */
static enum summary_dir
published(struct summarizer *s, struct queue_tree *q, const char *name,
    const struct facts *f)
{
	size_t i;

	for (i = 0; i < PLACES; i++) {
		int dir = q->summaries[places[i]];
		int r = look(dir, name, f);

		if (r == 1)
			return places[i];
		if (r == 0)
			continue;
		if (errno != EBADMSG || publish_set_aside(s, q, dir, name,
					    "checksum") != SPOOL_DONE)
			return S__MAX;
	}
	errno = 0;
	return S__MAX;
}

enum spool_answer
publish_summary(struct summarizer *s, struct queue_tree *q,
    const struct facts *f, char name[NAME_SIZE])
{
	const struct envelope *e = &f->outcome.env;
	enum spool_answer answer;
	struct buf text = {0};

	key_summary_file(e->key, e->attempt, name);
	if (published(s, q, name, f) != S__MAX)
		return SPOOL_EXISTS;
	if (errno != 0)
		return SPOOL_REFUSED;
	render_quiet(s, f, &text);
	if (parse_back(&text, f) == -1) {
		buf_free(&text);
		return SPOOL_REFUSED;
	}
	answer = put_backup(s, q, name, &text, f);
	if (answer == SPOOL_REFUSED || answer == SPOOL_UNKNOWN)
		log_warn("%s: backup not written", name);
	answer =
	    put(s, q->summaries[S_TMP], q->summaries[S_READY], name, &text);
	buf_free(&text);
	return answer;
}

int
publish_facts(struct summarizer *s, struct queue_tree *q, int dir,
    const char *name, struct facts *f)
{
	char key[KEY_SIZE];
	json_t *doc;
	int attempt;
	int r;

	if (key_parse_outcome_file(name, key, &attempt) == -1) {
		errno = EBADMSG;
		return -1;
	}
	r = spool_read_json(dir, name, &doc);
	if (r != 1)
		return r;
	r = facts_read(f, doc);
	json_decref(doc);
	if (r == 0 && (strcmp(f->outcome.env.key, key) != 0 ||
			  f->outcome.env.attempt != attempt ||
			  strcmp(f->outcome.env.queue, q->name) != 0)) {
		facts_free(f);
		r = -1;
	}
	if (r == -1) {
		errno = EBADMSG;
		return -1;
	}
	copy_decide(s->settings, q->name, f);
	return 1;
}

enum spool_answer
publish_restore(struct summarizer *s, struct queue_tree *q, int from, int dir,
    const char *name)
{
	enum spool_answer answer = SPOOL_REFUSED;
	struct parcel p = {0};
	struct buf text = {0};

	if (summary_load(from, name, &p) == 1) {
		buf_add(&text, p.bytes, p.len);
		answer = put(s, q->summaries[S_TMP], dir, name, &text);
	}
	if (answer == SPOOL_DONE)
		log_info("%s: restored from its other copy", name);
	buf_free(&text);
	parcel_free(&p);
	return answer;
}
