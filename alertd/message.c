/* SPDX-License-Identifier: ISC */
/* An alert in the words of each kind of channel. Pure. */
#include <string.h>

#include "alertd/alertd.h"
#include "common/buf.h"
#include "common/text.h"

/* Slack advises 4000 characters a message; the rest of ours is short. */
#define SLACK_TEXT_BYTES 3000

static const char *
text_of(const struct delivery *d, const char *name)
{
	const char *s = json_string_value(json_object_get(d->message, name));

	return s == NULL ? "" : s;
}

static void
add_text(const struct delivery *d, size_t text_max, struct buf *out)
{
	const char *text = text_of(d, "text");
	json_t *cut = text_json_cut(text, text_max);

	buf_puts(out, json_string_value(cut));
	if (json_string_length(cut) < strlen(text))
		buf_puts(out, "...");
	json_decref(cut);
}

void
message_words(const struct delivery *d, size_t text_max, struct buf *out)
{
	json_int_t repeats =
	    json_integer_value(json_object_get(d->message, "repeats"));
	bool resolved = json_is_true(json_object_get(d->message, "resolved"));

	buf_printf(out, "%s %s %s %s %s: ", text_of(d, "at"),
	    resolved ? "resolved" : alert_severity_name[d->severity],
	    text_of(d, "type"), text_of(d, "component"), text_of(d, "subject"));
	add_text(d, text_max, out);
	if (repeats > 0)
		buf_printf(out, " (%lld repeats were not told)",
		    (long long)repeats);
	buf_printf(out, " [delivery %s]", d->id);
}

json_t *
message_json(const struct delivery *d)
{
	json_t *body = json_copy(d->message);
	bool resolved = json_is_true(json_object_get(d->message, "resolved"));

	(void)json_object_del(body, "resolved");
	(void)json_object_set_new(body, "format",
	    json_string("patchflow-webhook-1"));
	(void)json_object_set_new(body, "status",
	    json_string(resolved ? "resolved" : "firing"));
	(void)json_object_set_new(body, "delivery_id", json_string(d->id));
	(void)json_object_set_new(body, "attempt", json_integer(d->attempts));
	(void)json_object_set_new(body, "may_be_repeat",
	    json_boolean(d->repeat));
	return body;
}

/* These three are markup: "<!channel>" of a patch would call everybody. */
static void
add_escaped(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			buf_puts(out, "&amp;");
		else if (*text == '<')
			buf_puts(out, "&lt;");
		else if (*text == '>')
			buf_puts(out, "&gt;");
		else
			buf_putc(out, *text);
	}
}

/* Slack has no key to recognise a repetition by, so the text says it. */
json_t *
message_slack(const struct delivery *d)
{
	struct buf words = {0}, text = {0};
	json_t *body;

	message_words(d, SLACK_TEXT_BYTES, &words);
	if (d->repeat)
		buf_puts(&words, " (may be a repeat)");
	add_escaped(words.bytes, &text);
	body = json_pack("{s:o}", "text", text_json(text.bytes));
	buf_free(&words);
	buf_free(&text);
	return body;
}
