/* SPDX-License-Identifier: ISC */
/*
 * mkjob SPOOL QUEUE FILE...: queues patch documents as the bridge would, so
 * that executor tests need no bridge. Prints one KEY a line.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/job.h"
#include "common/patch.h"

static char *
slurp(const char *path, size_t *len)
{
	struct buf b = {0};
	char chunk[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		err(1, "%s", path);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&b, chunk, n);
	(void)fclose(f);
	*len = b.len;
	return buf_take(&b);
}

static void
fill(struct envelope *e, const struct patch_result *p, const char *queue,
    int64_t time_us)
{
	strlcpy(e->id, p->id, sizeof(e->id));
	strlcpy(e->queue, queue, sizeof(e->queue));
	strlcpy(e->digest, p->digest, sizeof(e->digest));
	key_make(time_us, p->id, e->key);
	e->attempt = 1;
	e->source = xstrdup("mkjob");
	e->conversation = xstrdup("");
	e->message_id = xstrdup("");
	e->author = xstrdup("");
	e->uid = getuid();
	e->detected_us = e->queued_us = time_us;
}

static void
queue_one(struct tree *t, const char *queue, const char *path, int64_t time_us)
{
	struct patch_result p;
	struct doc_error place;
	struct job job = {0};
	struct ids_entry entry = {.attempt = 1, .rev = 1};
	struct ids_accept a = {.tree = t, .entry = &entry, .dst = IDS_QUEUE};
	size_t len;
	char *text = slurp(path, &len);
	json_t *doc;

	patch_read(text, len, &p, &place);
	if (p.reason != PATCH_OK)
		errx(65, "%s: %s", path, p.error);
	fill(&job.env, &p, queue, time_us);
	job.patch = p.canonical;
	job.warnings = p.warnings;
	doc = job_encode(&job);
	strlcpy(entry.queue, queue, sizeof(entry.queue));
	strlcpy(entry.key, job.env.key, sizeof(entry.key));
	strlcpy(entry.digest, p.digest, sizeof(entry.digest));
	a.id = p.id;
	a.digit = p.priority;
	a.doc = doc;
	if (ids_accept(&a) != SPOOL_DONE)
		err(1, "%s: not queued", path);
	puts(job.env.key);
	json_decref(doc);
	envelope_free(&job.env);
	patch_result_free(&p);
	free(text);
}

int
main(int argc, char **argv)
{
	const char *queues[2] = {NULL, NULL};
	char why[PATH_MAX];
	struct tree t;
	int64_t now = clock_wall_us();

	if (argc < 4)
		errx(2, "usage: mkjob SPOOL QUEUE FILE...");
	queues[0] = argv[2];
	if (tree_open(&t, argv[1], queues, 1, why) == -1)
		err(1, "%s", why);
	for (int i = 3; i < argc; i++)
		queue_one(&t, argv[2], argv[i], now + i);
	tree_close(&t);
	return 0;
}
