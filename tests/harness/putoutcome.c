/* SPDX-License-Identifier: ISC */
/*
 * putoutcome SPOOL QUEUE ID ATTEMPT TIME_US < JSON: puts an outcome as an
 * executor would. The JSON object has state, stage or reason and all free
 * fields; the envelope is made here. Prints the name of the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/outcome.h"
#include "common/spool.h"
#include "common/tree.h"

static int64_t
number(const char *s)
{
	const char *error = NULL;
	int64_t n = strtonum(s, 1, INT64_MAX, &error);

	if (error != NULL) {
		(void)fprintf(stderr, "putoutcome: %s: %s\n", s, error);
		exit(2);
	}
	return n;
}

static json_t *
outcome_document(const char *queue, const char *id, int attempt, int64_t us)
{
	static char source[] = "transcript:chat";
	static char nothing[] = "";
	struct envelope e = {.attempt = attempt,
	    .source = source,
	    .conversation = nothing,
	    .message_id = nothing,
	    .author = nothing,
	    .detected_us = us,
	    .queued_us = us};
	json_t *doc = json_object();
	json_t *more = json_loadf(stdin, 0, NULL);

	(void)strlcpy(e.id, id, sizeof e.id);
	(void)strlcpy(e.queue, queue, sizeof e.queue);
	key_make(us, id, e.key);
	digest_bytes(id, strlen(id), e.digest);
	envelope_encode(&e, doc);
	if (more == NULL || json_object_update(doc, more) == -1 ||
	    json_object_set_new(doc, "format", json_string(OUTCOME_FORMAT)) ==
		-1) {
		(void)fprintf(stderr, "putoutcome: no JSON object\n");
		exit(1);
	}
	json_decref(more);
	return doc;
}

int
main(int argc, char **argv)
{
	char key[KEY_SIZE], name[NAME_SIZE], why[PATH_MAX] = "";
	const char *queues[1];
	struct queue_tree *q;
	struct tree t;
	json_t *doc;
	int attempt;

	if (argc != 6) {
		(void)fprintf(stderr,
		    "usage: putoutcome SPOOL QUEUE ID ATTEMPT TIME_US\n");
		return 2;
	}
	queues[0] = argv[2];
	if (tree_open(&t, argv[1], queues, 1, why) == -1) {
		(void)fprintf(stderr, "putoutcome: %s\n", why);
		return 1;
	}
	attempt = (int)number(argv[4]);
	key_make(number(argv[5]), argv[3], key);
	key_outcome_file(key, attempt, name);
	doc = outcome_document(argv[2], argv[3], attempt, number(argv[5]));
	q = tree_queue(&t, argv[2]);
	if (spool_put_json(q->outcomes.dir[BOX_TMP], q->outcomes.dir[BOX_NEW],
		name, doc) != SPOOL_DONE) {
		(void)fprintf(stderr, "putoutcome: %s: not put\n", name);
		return 1;
	}
	json_decref(doc);
	tree_close(&t);
	return puts(name) < 0;
}
