/* SPDX-License-Identifier: ISC */
/* The reason of a failed attempt, and its way across the pipe. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "executor/fault.h"
#include "executor/utf8.h"

__attribute__((format(printf, 2, 0))) static void
set_text(struct fault *f, const char *fmt, va_list ap)
{
	if (vsnprintf(f->text, sizeof(f->text), fmt, ap) < 0)
		f->text[0] = '\0';
	f->set = true;
}

int
fault_fail(struct fault *f, enum outcome_stage stage, const char *fmt, ...)
{
	va_list ap;

	if (f->set)
		return -1;
	f->state = OUTCOME_FAILED;
	f->stage = stage;
	va_start(ap, fmt);
	set_text(f, fmt, ap);
	va_end(ap);
	return -1;
}

int
fault_reject(struct fault *f, enum outcome_reason reason, const char *fmt, ...)
{
	va_list ap;

	if (f->set)
		return -1;
	f->state = OUTCOME_REJECTED;
	f->reason = reason;
	va_start(ap, fmt);
	set_text(f, fmt, ap);
	va_end(ap);
	return -1;
}

/* What more room or a quieter machine would cure. */
static bool
is_lack(int err)
{
	static const int lack[] = {ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM,
	    EAGAIN, EIO, ESTALE};

	for (size_t i = 0; i < sizeof(lack) / sizeof(lack[0]); i++) {
		if (err == lack[i])
			return true;
	}
	return false;
}

int
fault_errno(struct fault *f, enum outcome_stage stage, const char *fmt, ...)
{
	va_list ap;
	size_t len;
	int saved = errno;

	if (f->set)
		return -1;
	f->state = OUTCOME_FAILED;
	f->stage = stage;
	f->temporary = is_lack(saved);
	va_start(ap, fmt);
	set_text(f, fmt, ap);
	va_end(ap);
	len = strlen(f->text);
	if (snprintf(f->text + len, sizeof(f->text) - len, ": %s",
		strerror(saved)) < 0)
		f->text[len] = '\0';
	if (saved == EOVERFLOW)
		fault_hint(f,
		    "a file or directory here belongs to another user or "
		    "group, which a user namespace cannot change");
	return -1;
}

void
fault_hint(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	if (f->hint[0] != '\0')
		return;
	va_start(ap, fmt);
	if (vsnprintf(f->hint, sizeof(f->hint), fmt, ap) < 0)
		f->hint[0] = '\0';
	va_end(ap);
}

void
fault_place(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	if (f->place[0] != '\0')
		return;
	va_start(ap, fmt);
	if (vsnprintf(f->place, sizeof(f->place), fmt, ap) < 0)
		f->place[0] = '\0';
	va_end(ap);
}

void
fault_free(struct fault *f)
{
	json_decref(f->edit_error);
	json_decref(f->conflicts);
	memset(f, 0, sizeof(*f));
}

/* The same under either roof. */
static void
add_records(const struct fault *f, json_t *doc)
{
	if (f->edit_error != NULL)
		json_object_set(doc, "edit_error", f->edit_error);
	if (f->conflicts != NULL)
		json_object_set(doc, "conflicts", f->conflicts);
	if (f->conflicts_more > 0)
		json_object_set_new(doc, "conflicts_unlisted",
		    json_integer((json_int_t)f->conflicts_more));
}

json_t *
fault_encode(const struct fault *f)
{
	json_t *doc = json_pack("{s:i,s:i,s:i,s:b,s:o,s:o,s:o}", "state",
	    (int)f->state, "stage", (int)f->stage, "reason", (int)f->reason,
	    "temporary", f->temporary, "text", utf8_string(f->text), "hint",
	    utf8_string(f->hint), "place", utf8_string(f->place));

	add_records(f, doc);
	return doc;
}

static void
copy_text(const json_t *doc, const char *key, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(doc, key));

	strlcpy(out, s != NULL ? s : "", size);
}

int
fault_decode(const json_t *doc, struct fault *f)
{
	json_int_t state = json_integer_value(json_object_get(doc, "state"));
	json_int_t stage = json_integer_value(json_object_get(doc, "stage"));
	json_int_t reason = json_integer_value(json_object_get(doc, "reason"));

	if (state < 0 || state >= OUTCOME__STATES || stage < 0 ||
	    stage >= OUTCOME__STAGES || reason < 0 ||
	    reason >= OUTCOME__REASONS) {
		errno = EINVAL;
		return -1;
	}
	f->set = true;
	f->state = (enum outcome_state)state;
	f->stage = (enum outcome_stage)stage;
	f->reason = (enum outcome_reason)reason;
	f->temporary = json_is_true(json_object_get(doc, "temporary"));
	copy_text(doc, "text", f->text, sizeof(f->text));
	copy_text(doc, "hint", f->hint, sizeof(f->hint));
	copy_text(doc, "place", f->place, sizeof(f->place));
	json_decref(f->edit_error);
	f->edit_error = json_incref(json_object_get(doc, "edit_error"));
	json_decref(f->conflicts);
	f->conflicts = json_incref(json_object_get(doc, "conflicts"));
	f->conflicts_more = (size_t)json_integer_value(
	    json_object_get(doc, "conflicts_unlisted"));
	return 0;
}

void
fault_describe(const struct fault *f, json_t *outcome)
{
	if (!f->set)
		return;
	json_object_set_new(outcome, "error", utf8_string(f->text));
	if (f->hint[0] != '\0')
		json_object_set_new(outcome, "hint", utf8_string(f->hint));
	if (f->place[0] != '\0')
		json_object_set_new(outcome, "place",
		    json_pack("{s:i,s:i,s:o}", "line", 0, "column", 0, "path",
			utf8_string(f->place)));
	add_records(f, outcome);
}
