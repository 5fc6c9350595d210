/* SPDX-License-Identifier: ISC */
/* Digests over the top-level keys of patchflow.yaml that a daemon reads. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/doc.h"
#include "common/spool.h"
#include "watchdog/section.h"
#include "watchdog/watchdog.h"

#define KEYS_EACH 4

static const struct {
	const char *program;
	const char *keys[KEYS_EACH];
} reads[] = {
    {"alertd", {"alerts"}},
    {"summarizer", {"summaries", "queues"}},
    {"executor", {0}}, /* its own queue, and what the others are called */
    {"ghost-bridge", {"bridge", "queues"}},
};
/* Everybody's. */
static const char *const common_keys[] = {"spool", "user", "retention"};

void
section_open(struct section *f, const char *path)
{
	enum doc_format format;
	struct doc_error err;
	struct buf text = {0};
	char bytes[4096];
	FILE *from = fopen(path, "re");
	size_t n;

	f->file = NULL;
	if (from == NULL)
		return;
	while (text.len < SPOOL_FILE_MAX &&
	       (n = fread(bytes, 1, sizeof bytes, from)) > 0)
		buf_add(&text, bytes, n);
	if (ferror(from) == 0 && text.len > 0)
		f->file = doc_parse_any(text.bytes, text.len, &format, &err);
	(void)fclose(from);
	buf_free(&text);
}

void
section_close(struct section *f)
{
	json_decref(f->file);
	f->file = NULL;
}

static void
take(json_t *into, const char *key, json_t *value)
{
	/* Borrowed values, so the copy is shallow; an allocation that fails
	 * makes another digest, and that at worst a restart too many. */
	if (value != NULL)
		(void)json_object_set(into, key, value);
}

static void
take_queues(json_t *into, const json_t *queues, const char *own)
{
	json_t *names = json_array();
	json_t *queue;
	size_t i;

	json_array_foreach (queues, i, queue) {
		json_t *name = json_object_get(queue, "name");
		const char *text = json_string_value(name);

		if (text == NULL)
			continue;
		if (strcasecmp(text, own) == 0)
			take(into, "queue", queue);
		(void)json_array_append(names, name);
	}
	take(into, "names", names);
	json_decref(names);
}

/* What is set for it alone, else for all of its kind: settings_daemon's rule.
 */
static void
take_own(json_t *into, const json_t *file, const struct service *s)
{
	const json_t *all =
	    json_object_get(json_object_get(file, "watchdog"), "daemons");
	json_t *entry;
	size_t i;

	json_array_foreach (all, i, entry) {
		const char *name =
		    json_string_value(json_object_get(entry, "name"));

		if (name == NULL)
			continue;
		if (strcasecmp(name, s->name) == 0) {
			take(into, "own", entry);
			return;
		}
		if (strcmp(name, s->kind->program) == 0 ||
		    (s->kind->alias != NULL &&
			strcmp(name, s->kind->alias) == 0))
			take(into, "own", entry);
	}
}

void
section_digest(const struct section *f, const struct service *s,
    char out[DIGEST_SIZE])
{
	json_t *part = json_object();
	size_t i, k;

	for (i = 0; i < sizeof common_keys / sizeof common_keys[0]; i++)
		take(part, common_keys[i],
		    json_object_get(f->file, common_keys[i]));
	for (i = 0; i < sizeof reads / sizeof reads[0]; i++)
		for (k = 0; k < KEYS_EACH && reads[i].keys[k] != NULL &&
			    strcmp(reads[i].program, s->kind->program) == 0;
		     k++)
			take(part, reads[i].keys[k],
			    json_object_get(f->file, reads[i].keys[k]));
	/* What it was told at its start: how often to beat. */
	take(part, "heartbeat",
	    json_object_get(json_object_get(f->file, "watchdog"), "heartbeat"));
	if (s->kind->per_queue)
		take_queues(part, json_object_get(f->file, "queues"), s->queue);
	take_own(part, f->file, s);
	out[0] = '\0';
	if (f->file != NULL && part != NULL)
		digest_json(part, out);
	json_decref(part);
}
