/* SPDX-License-Identifier: ISC */
/*
 * A transcript from the cursor to its end, in chunks: only what is not
 * decided yet (an open block) is held, and only during a scan; the next one
 * goes on behind it (resume.c). The cursor moves when everything before it is
 * durable.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/judge.h"
#include "bridge/reading.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"

#define SCAN_BYTES ((off_t)4 << 20) /* of progress in one scan */
#define SCAN_BLOCKS 64              /* documents between two cursor writes */
#define SAVE_MS 1000     /* cursor writes where nothing was handed in */
#define REREAD_SHARE 4   /* of an open block: a fifth of the time */
#define REREAD_FREE_MS 5 /* shorter scans are not slowed down */

/* 0, or -1 where the block must be tried again. */
static int
take_block(struct reading *r, const struct extract_block *b)
{
	const char *why;
	int64_t line = r->s->cursor.line + b->line - 1;

	switch (judge_block(b, &r->s->set->authors, &why)) {
	case JUDGE_NOTHING:
		return 0;
	case JUDGE_NEAR_MISS:
		r->told = true;
		return source_near_miss(r->s, r->k, line, why);
	case JUDGE_PATCH:
		break;
	}
	if (reading_hand_in(r, b, NULL) == ACCEPT_RETRY)
		return -1;
	r->told = true;
	return 0;
}

/* How many of the blocks were taken; fewer than all: r->failed. */
static size_t
take_blocks(struct reading *r, const struct extract_result *found)
{
	size_t i;

	for (i = 0; i < found->count; i++) {
		if (take_block(r, &found->blocks[i]) == -1) {
			r->error = errno;
			r->failed = true;
			break;
		}
		daemon_beat(r->k->work, clock_mono_ms() - r->began_ms,
		    r->s->label);
	}
	return i;
}

/*
 * What extraction would have said had the text ended behind the nth block:
 * the place and state for a cursor there. False: it would not have found
 * just those.
 */
static bool
cut_behind(struct reading *r, const struct extract_result *found, size_t n,
    struct extract_state *st, struct extract_result *out)
{
	*st = r->s->cursor.extract;
	extract_text(r->text.bytes, found->blocks[n - 1].end, false, st, out);
	if (out->count == n && out->consumed > 0)
		return true;
	extract_free(out);
	return false;
}

static void
stop_behind(struct reading *r, const struct extract_result *found, size_t n)
{
	struct extract_result part;
	struct extract_state st;

	if (n == 0 || !cut_behind(r, found, n, &st, &part))
		return;
	reading_advance(r, part.consumed, &st);
	extract_free(&part);
}

static void
take_text(struct reading *r, bool final)
{
	struct extract_state st = r->s->cursor.extract;
	struct extract_state cut_st;
	struct extract_result found, part;
	size_t taken;

	extract_text(r->text.bytes, r->text.len, final, &st, &found);
	r->s->looked += r->text.len;
	if (found.count > SCAN_BLOCKS &&
	    cut_behind(r, &found, SCAN_BLOCKS, &cut_st, &part)) {
		extract_free(&found);
		found = part;
		st = cut_st;
		r->more = true;
	}
	r->open = found.open;
	r->s->waits = found.waits && !final;
	r->s->waiting = found.waiting;
	taken = take_blocks(r, &found);
	if (taken == found.count)
		reading_advance(r, found.consumed, &st);
	else
		stop_behind(r, &found, taken);
	extract_free(&found);
}

/* One chunk more: bytes read, 0 at the end, -1. */
static ssize_t
read_chunk(struct reading *r)
{
	off_t at = r->s->cursor.offset + (off_t)r->base + (off_t)r->text.len;
	ssize_t n;

	buf_reserve(&r->text, CHUNK_BYTES + 1);
	do
		n = pread(r->t.fd, r->text.bytes + r->text.len, CHUNK_BYTES,
		    at);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		r->text.len += (size_t)n;
		r->s->fetched += (uint64_t)n;
	}
	return n;
}

/* A last line without its newline is taken as whole once it has settled, if
 * that makes a block: chats often end in a closing fence. */
static void
take_tail(struct reading *r, bool settled)
{
	struct extract_state st = r->s->cursor.extract;
	struct extract_result found;
	size_t len = r->text.len;

	if (!settled || len == 0 || r->text.bytes[len - 1] == '\n')
		return;
	buf_putc(&r->text, '\n');
	extract_text(r->text.bytes, r->text.len, false, &st, &found);
	r->s->looked += r->text.len;
	r->text.len = len;
	if (found.count > 0 && take_blocks(r, &found) == found.count) {
		r->open = found.open;
		r->s->waits = false;
		reading_advance(r, found.consumed, &st);
	}
	extract_free(&found);
}

/* False: all of it is wanted once more, for the block that the last line
 * ends if it is whole. */
static bool
note_end(struct reading *r, bool once)
{
	struct source *s = r->s;
	int64_t now = clock_mono_ms();
	bool settled, left;

	if (r->t.st.st_size != s->seen.st_size ||
	    r->t.st.st_ino != s->seen.st_ino)
		s->grown_ms = now;
	settled = once || now - s->grown_ms >= r->k->set->bridge.settle;
	if (settled && s->waits && resume_tail_ends(r) && resume_whole(r))
		return false;
	if (settled && (!s->waits || resume_tail_ends(r)))
		take_tail(r, settled);
	left = r->base + r->text.len > 0;
	s->tail = left && !settled && !r->failed;
	s->open = r->open && left;
	s->seen = r->t.st;
	s->idle = !s->tail && !r->failed;
	return true;
}

/* The new bytes, or the end of a file that has another one in its place. */
static void
take_news(struct reading *r, bool end)
{
	if (r->text.len < r->need && !end)
		return;
	r->need = 0;
	if (r->s->waits && !end && resume_goes_on(r))
		return;
	take_text(r, end && r->t.replaced);
}

/* False: stop here. */
static bool
read_on(struct reading *r, bool once)
{
	ssize_t n = read_chunk(r);
	bool news;

	if (n == -1) {
		source_troubled(r->s, r->k, SOURCE_UNREADABLE, strerror(errno));
		return false;
	}
	news = n > 0 || r->t.replaced || r->text.len < r->need;
	if (r->s->cursor.skip != '\0') {
		reading_pass_over(r);
		news = r->s->cursor.skip == '\0';
	}
	if (n == 0 && r->t.replaced && resume_whole(r))
		return true;
	if (news)
		take_news(r, n == 0);
	if (r->failed || r->more)
		return false;
	if (n == 0)
		return !note_end(r, once);
	if ((int64_t)(r->base + r->text.len) <= r->k->set->bridge.document_max)
		return true;
	if (!resume_whole(r) && r->text.len >= r->need)
		reading_refuse_oversized(r);
	return !r->failed;
}

static void
read_bounded(struct reading *r, bool once)
{
	struct source *s = r->s;
	off_t start = s->cursor.offset;

	resume_begin(r);
	while (read_on(r, once)) {
		if (s->cursor.offset - start < SCAN_BYTES)
			continue;
		r->more = true;
		break;
	}
	if (s->cursor.offset > start || s->cursor.ino != r->t.st.st_ino) {
		s->cursor.dev = r->t.st.st_dev;
		s->cursor.ino = r->t.st.st_ino;
		s->dirty = true;
		if (transcript_print(r->t.fd, s->cursor.offset,
			s->cursor.print) == -1)
			source_rewind(s); /* shorter by now: truncated */
	}
	resume_end(r);
	if (r->t.replaced && !r->more && !r->failed) {
		source_rewind(s);
		r->more = true;
	}
}

static enum scan
finish(struct reading *r)
{
	struct source *s = r->s;
	int64_t took = clock_mono_ms() - r->began_ms;

	if (r->failed) {
		source_put_failed(s, r->k, r->error);
		return SCAN_RETRY;
	}
	if (r->open && took > REREAD_FREE_MS)
		s->not_before_ms = clock_mono_ms() + took * REREAD_SHARE;
	return r->more ? SCAN_MORE : SCAN_IDLE;
}

static enum scan
save_due(struct source *s, struct desk *k, bool now)
{
	if (!s->dirty || (!now && clock_mono_ms() - s->saved_ms < SAVE_MS))
		return SCAN_IDLE;
	if (source_save(s, k) == 0)
		return SCAN_IDLE;
	source_put_failed(s, k, errno);
	return SCAN_RETRY;
}

enum scan
source_scan(struct source *s, struct desk *k, bool once)
{
	struct reading r = {.s = s, .k = k, .began_ms = clock_mono_ms()};
	enum scan result;

	if (!retry_due(&s->retry))
		return SCAN_RETRY;
	if (r.began_ms < s->not_before_ms && !once)
		return SCAN_IDLE;
	if (transcript_open(s, k, once, &r.t) == 0) {
		source_check_stale(s, k);
		return save_due(s, k, once);
	}
	read_bounded(&r, once);
	/* The one that was replaced is at its end, or the next turn's. */
	source_keep(s, k, r.t.replaced && s->cursor.ino == 0 ? -1 : r.t.fd);
	buf_free(&r.text);
	result = finish(&r);
	if (result == SCAN_IDLE)
		source_check_stale(s, k);
	if (save_due(s, k, once || r.told) == SCAN_RETRY)
		return SCAN_RETRY;
	if (result != SCAN_RETRY)
		source_put_works(s, k);
	return result;
}

int64_t
source_wait(const struct source *s, const struct desk *k)
{
	int64_t now = clock_mono_ms();
	int64_t at = -1;

	if (s->retry.delay_ms != 0)
		return retry_wait(&s->retry);
	if (s->not_before_ms > now)
		at = s->not_before_ms;
	else if (s->tail)
		at = s->grown_ms + k->set->bridge.settle;
	else if (s->dirty)
		at = s->saved_ms + SAVE_MS;
	if (at == -1)
		return -1;
	return at > now ? at - now : 0;
}
