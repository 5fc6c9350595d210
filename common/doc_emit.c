/* SPDX-License-Identifier: ISC */
/* A value as YAML that reads back equal. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/buf.h"
#include "common/doc_part.h"
#include "common/log.h"

struct emit {
	yaml_emitter_t emitter;
	struct buf out;
};

static int
collect(void *arg, unsigned char *bytes, size_t size)
{
	buf_add(arg, bytes, size);
	return 1;
}

static void
send(struct emit *m, yaml_event_t *event)
{
	/* The events are ours and well-formed: this fails without memory. */
	if (!yaml_emitter_emit(&m->emitter, event))
		fatalx("yaml: emitting failed: %s",
		    m->emitter.problem != NULL ? m->emitter.problem : "?");
}

/* Bytes that every YAML reader takes as they are. */
static bool
is_tame(const char *s, size_t len, const char *more)
{
	for (size_t i = 0; i < len; i++)
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < 'A' || s[i] > 'Z') &&
		    (s[i] < '0' || s[i] > '9') && strchr(more, s[i]) == NULL)
			return false;
	return true;
}

/* Plain, these are booleans to older readers. */
static bool
is_word_of_yaml_1_1(const char *s)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	return false;
}

static bool
reads_as_string(const char *s, size_t len)
{
	json_t *v = doc_yaml_plain(s, len);
	bool string = json_is_string(v);

	json_decref(v);
	return string;
}

/*
 * A literal block keeps every byte only when no line has trailing blanks, the
 * first has no indentation and all of it prints.
 */
static bool
fits_literal(const char *s, size_t len)
{
	if (len == 0 || memchr(s, '\n', len) == NULL || *s == ' ' ||
	    *s == '\n' || *s == '\t')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x7f)
			return false;
		if (c == '\n' && (s[i - 1] == ' ' || s[i - 1] == '\t'))
			return false;
	}
	return s[len - 1] != ' ' && s[len - 1] != '\t';
}

static yaml_scalar_style_t
style_of(const char *s, size_t len, bool key)
{
	if (len > 0 && len <= 64 && is_tame(s, 1, "/") &&
	    (*s < '0' || *s > '9') && is_tame(s, len, " /._-") &&
	    s[len - 1] != ' ' && !is_word_of_yaml_1_1(s) &&
	    reads_as_string(s, len))
		return YAML_PLAIN_SCALAR_STYLE;
	if (!key && fits_literal(s, len))
		return YAML_LITERAL_SCALAR_STYLE;
	return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

static void
send_scalar(struct emit *m, const char *s, size_t len,
    yaml_scalar_style_t style)
{
	unsigned char *bytes = (unsigned char *)xstrndup(s, len);
	yaml_event_t e;

	if (!yaml_scalar_event_initialize(&e, NULL, NULL, bytes, (int)len, 1, 1,
		style))
		fatalx("yaml: out of memory");
	free(bytes);
	send(m, &e);
}

static void
send_value(struct emit *m, const json_t *v)
{
	char *s = NULL;

	/* The shortest of a real's spellings that means it exactly. */
	for (size_t digits = 15; digits <= 17; digits++) {
		free(s);
		s = json_dumps(v,
		    JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
		if (s == NULL)
			fatalx("yaml: out of memory");
		if (!json_is_real(v) || strtod(s, NULL) == json_real_value(v))
			break;
	}
	send_scalar(m, s, strlen(s), YAML_PLAIN_SCALAR_STYLE);
	free(s);
}

static void emit_node(struct emit *m, const json_t *v);

static void
emit_object(struct emit *m, const json_t *object)
{
	yaml_event_t e;
	void *it;

	if (!yaml_mapping_start_event_initialize(&e, NULL, NULL, 1,
		json_object_size(object) == 0 ? YAML_FLOW_MAPPING_STYLE
					      : YAML_BLOCK_MAPPING_STYLE))
		fatalx("yaml: out of memory");
	send(m, &e);
	/* Not the foreach macro: it wants the object not const. */
	it = json_object_iter((json_t *)(uintptr_t)object);
	while (it != NULL) {
		const char *key = json_object_iter_key(it);
		size_t len = strlen(key);

		send_scalar(m, key, len, style_of(key, len, true));
		emit_node(m, json_object_iter_value(it));
		it = json_object_iter_next((json_t *)(uintptr_t)object, it);
	}
	if (!yaml_mapping_end_event_initialize(&e))
		fatalx("yaml: out of memory");
	send(m, &e);
}

static void
emit_array(struct emit *m, const json_t *array)
{
	yaml_event_t e;

	if (!yaml_sequence_start_event_initialize(&e, NULL, NULL, 1,
		json_array_size(array) == 0 ? YAML_FLOW_SEQUENCE_STYLE
					    : YAML_BLOCK_SEQUENCE_STYLE))
		fatalx("yaml: out of memory");
	send(m, &e);
	for (size_t i = 0; i < json_array_size(array); i++)
		emit_node(m, json_array_get(array, i));
	if (!yaml_sequence_end_event_initialize(&e))
		fatalx("yaml: out of memory");
	send(m, &e);
}

static void
emit_node(struct emit *m, const json_t *v)
{
	if (json_is_object(v)) {
		emit_object(m, v);
	} else if (json_is_array(v)) {
		emit_array(m, v);
	} else if (json_is_string(v)) {
		const char *s = json_string_value(v);
		size_t len = json_string_length(v);

		send_scalar(m, s, len, style_of(s, len, false));
	} else {
		send_value(m, v);
	}
}

static void
open_emitter(struct emit *m)
{
	yaml_event_t e;

	if (!yaml_emitter_initialize(&m->emitter))
		fatalx("yaml: out of memory");
	yaml_emitter_set_output(&m->emitter, collect, &m->out);
	yaml_emitter_set_encoding(&m->emitter, YAML_UTF8_ENCODING);
	yaml_emitter_set_unicode(&m->emitter, 1);
	/* No folding: a folded line comes back with its blanks changed. */
	yaml_emitter_set_width(&m->emitter, -1);
	if (!yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING))
		fatalx("yaml: out of memory");
	send(m, &e);
	if (!yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1))
		fatalx("yaml: out of memory");
	send(m, &e);
}

char *
doc_emit_yaml(const json_t *value)
{
	struct emit m = {0};
	yaml_event_t e;

	open_emitter(&m);
	emit_node(&m, value);
	if (!yaml_document_end_event_initialize(&e, 1))
		fatalx("yaml: out of memory");
	send(&m, &e);
	if (!yaml_stream_end_event_initialize(&e))
		fatalx("yaml: out of memory");
	send(&m, &e);
	yaml_emitter_delete(&m.emitter);
	return buf_take(&m.out);
}
