/* SPDX-License-Identifier: ISC */
/* Patterns: compiling, matching within bounds. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "executor/near.h"
#include "executor/pattern.h"
#include "executor/template.h"

#define EXPRESSION_MAX 65536 /* bytes */
#define MATCH_MAX 10000000   /* backtracking steps from one start */
#define DEPTH_MAX 100000     /* of them remembered */
#define HEAP_MAX_KIB 65536   /* for remembering them */
#define LOOK_AT_CLOCK 4096   /* callouts between two looks, at most */
#define LOOK_BYTES 4194304   /* that they may read in between */

/* One replacement under way. */
struct hunt {
	const struct pattern *p;
	const char *text;
	size_t len;
	bool utf;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	int64_t deadline;
	unsigned calls, look;
	bool late;
};

static bool
has(const struct pattern *p, char flag)
{
	return strchr(p->flags, flag) != NULL;
}

static uint32_t
options_of(const struct pattern *p, bool utf)
{
	uint32_t options = PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
			   PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
			   PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;

	options |= utf ? PCRE2_UTF : PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
	if (has(p, 'i'))
		options |= PCRE2_CASELESS;
	if (has(p, 'm'))
		options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
	if (has(p, 's'))
		options |= PCRE2_DOTALL;
	return options;
}

static pcre2_code *
compile(const struct pattern *p, bool utf, int *code, size_t *offset)
{
	pcre2_compile_context *c = pcre2_compile_context_create(NULL);
	pcre2_code *compiled;

	if (c == NULL)
		abort();
	(void)pcre2_set_newline(c, PCRE2_NEWLINE_ANYCRLF);
	(void)pcre2_set_compile_extra_options(c, PCRE2_EXTRA_ALT_BSUX);
	(void)pcre2_set_max_pattern_length(c, EXPRESSION_MAX);
	compiled = pcre2_compile((PCRE2_SPTR)p->expression.bytes,
	    p->expression.len, options_of(p, utf), code, offset, c);
	pcre2_compile_context_free(c);
	return compiled;
}

static bool
is_ascii(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] > 0x7f)
			return false;
	return true;
}

/* PCRE2's own check, so that what it is then told to trust is what it wants. */
static bool
is_utf8(const char *s, size_t len)
{
	static const char any[] = "(?:)";
	pcre2_match_data *data;
	pcre2_code *code;
	size_t offset;
	int rc;

	if (is_ascii(s, len))
		return true;
	code = pcre2_compile((PCRE2_SPTR)any, sizeof(any) - 1, PCRE2_UTF, &rc,
	    &offset, NULL);
	data = code != NULL ? pcre2_match_data_create(1, NULL) : NULL;
	if (data == NULL)
		abort();
	rc = pcre2_match(code, (PCRE2_SPTR)s, len, 0, PCRE2_ANCHORED, data,
	    NULL);
	pcre2_match_data_free(data);
	pcre2_code_free(code);
	return rc >= 0;
}

bool
pattern_check(const struct pattern *p, char *why, size_t size, size_t *offset)
{
	pcre2_code *code;
	int rc;

	*offset = 0;
	code = compile(p, true, &rc, offset);
	if (code == NULL) {
		(void)pcre2_get_error_message(rc, (PCRE2_UCHAR *)why, size);
		return false;
	}
	pcre2_code_free(code);
	return true;
}

static int
on_callout(pcre2_callout_block *block, void *data)
{
	struct hunt *h = data;

	(void)block;
	if (++h->calls % h->look == 0 && clock_mono_ms() > h->deadline)
		h->late = true;
	return h->late ? PCRE2_ERROR_CALLOUT : 0;
}

static void
open_hunt(struct hunt *h)
{
	h->data = pcre2_match_data_create_from_pattern(h->code, NULL);
	h->context = pcre2_match_context_create(NULL);
	if (h->data == NULL || h->context == NULL)
		abort();
	(void)pcre2_set_match_limit(h->context, MATCH_MAX);
	(void)pcre2_set_depth_limit(h->context, DEPTH_MAX);
	(void)pcre2_set_heap_limit(h->context, HEAP_MAX_KIB);
	(void)pcre2_set_callout(h->context, on_callout, h);
	h->deadline = clock_mono_ms() + PATTERN_MS;
	/* What stands between two callouts may read the file to its end. */
	h->look =
	    (unsigned)(LOOK_BYTES / (h->len + LOOK_BYTES / LOOK_AT_CLOCK)) + 1;
}

static void
close_hunt(struct hunt *h)
{
	pcre2_match_data_free(h->data);
	pcre2_match_context_free(h->context);
	pcre2_code_free(h->code);
}

/* The offset behind the character at at: a whole one. */
static size_t
step(const struct hunt *h, size_t at)
{
	at++;
	while (h->utf && at < h->len &&
	       ((unsigned char)h->text[at] & 0xc0) == 0x80)
		at++;
	return at;
}

/* > 0 with every match replaced, else PCRE2's code. */
static int
replace_all(struct hunt *h, struct buf *out)
{
	const size_t *o = pcre2_get_ovector_pointer(h->data);
	uint32_t options = PCRE2_NO_UTF_CHECK;
	struct template t = {.text = h->text,
	    .len = h->len,
	    .code = h->code,
	    .data = h->data,
	    .replacement = &h->p->replacement,
	    .max = h->p->max};
	size_t done = 0, at = 0;
	int rc, found = 0;

	if (has(h->p, 'y'))
		options |= PCRE2_ANCHORED;
	while (at <= h->len) {
		rc = pcre2_match(h->code, (PCRE2_SPTR)h->text, h->len, at,
		    options, h->data, h->context);
		if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
			return rc;
		if (rc < 0)
			break;
		if (o[0] < done || o[1] < o[0]) /* \K put the start elsewhere */
			return PCRE2_ERROR_BADOFFSET;
		found = 1;
		buf_add(out, h->text + done, o[0] - done);
		template_put(&t, out);
		done = o[1];
		at = o[1] > o[0] ? o[1] : step(h, o[1]);
		if (!has(h->p, 'g') || out->len > h->p->max)
			break;
		if (clock_mono_ms() > h->deadline)
			return PCRE2_ERROR_CALLOUT;
	}
	buf_add(out, h->text + done, h->len - done);
	return found ? 1 : PCRE2_ERROR_NOMATCH;
}

static json_t *
record(const char *code, const char *hint)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:s}", "code", code,
	    "tier_reached", "pattern", "found", (json_int_t)0, "wanted",
	    (json_int_t)1, "hint", hint);
}

/* The words of the expression, to find lines that are like them. */
static struct plan_text
plain_text(const struct plan_text *expression)
{
	struct buf b = {0};
	size_t len;

	buf_reserve(&b, 1);
	for (size_t i = 0; i < expression->len; i++) {
		char c = expression->bytes[i];

		if (c == '\\' && i + 1 < expression->len) {
			c = expression->bytes[++i];
			if (strchr("dDwWsSbB", c) == NULL)
				buf_putc(&b, c == 'n' ? '\n' : c);
		} else if (strchr("^$.*+?()[]{}|", c) == NULL) {
			buf_putc(&b, c);
		}
	}
	if (b.len == 0)
		buf_putc(&b, ' ');
	len = b.len;
	return (struct plan_text){buf_take(&b), len};
}

static json_t *
explain_absent(const struct pattern *p, const char *text, size_t len)
{
	struct plan_edit e = {.find = plain_text(&p->expression), .count = 1};
	struct match_list none = {0};
	json_t *near = near_explain(text, len, &e, &none);

	json_object_set_new(near, "tier_reached", json_string("pattern"));
	json_object_del(near, "first_divergence");
	json_object_set_new(near, "hint",
	    json_string(
		"the pattern matches nowhere: compare it with the candidates; "
		"without the flag m, ^ and $ are the file's start and end, and "
		"without s a dot is no line end"));
	free(e.find.bytes);
	return near;
}

static json_t *
explain(const struct hunt *h, int rc)
{
	if (rc == PCRE2_ERROR_NOMATCH)
		return explain_absent(h->p, h->text, h->len);
	if (rc == PCRE2_ERROR_BADOFFSET)
		return record("pattern-limit",
		    "\\K moves the match behind its end: leave it out");
	return record("pattern-limit",
	    "the pattern backtracks without end on this file: repeat nothing "
	    "that is repeated within, or use edits with find and replace");
}

/* May the pattern run on bytes that are no UTF-8? */
static json_t *
choose_mode(struct hunt *h)
{
	const struct plan_text *e = &h->p->expression;

	h->utf = is_utf8(h->text, h->len);
	if (h->utf)
		return NULL;
	if (has(h->p, 'u'))
		return record("not-utf8",
		    "the file is not UTF-8, which the flag u asks for: leave u "
		    "out");
	if (!is_ascii(e->bytes, e->len))
		return record("not-utf8",
		    "the file is not UTF-8, so only ASCII can be looked for");
	return NULL;
}

int
pattern_replace(const struct pattern *p, const char *text, size_t len,
    struct buf *out, json_t **error)
{
	struct hunt h = {.p = p, .text = text, .len = len};
	size_t offset;
	int rc;

	*error = choose_mode(&h);
	if (*error != NULL)
		return -1;
	h.code = compile(p, h.utf, &rc, &offset);
	if (h.code == NULL) {
		*error = record("not-utf8", "this pattern needs a UTF-8 file");
		return -1;
	}
	open_hunt(&h);
	rc = replace_all(&h, out);
	if (rc <= 0)
		*error = explain(&h, rc);
	else if (out->len > p->max)
		*error = record("too-large",
		    "the replacement makes the file larger than the limit");
	close_hunt(&h);
	return *error == NULL ? 0 : -1;
}
