/* SPDX-License-Identifier: ISC */
/*
 * submit: documents into the inbox. All are read before the first is handed
 * in, so that a list with a bad one in it changes nothing. The ids are known
 * here, because the bridge derives them by the same patch_read().
 */
#include "ctl/submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/brake.h"
#include "common/clock.h"
#include "common/spool.h"
#include "common/text.h"
#include "ctl/control.h"
#include "ctl/follow.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

static bool
is_too_long(const struct submit *s, const struct input *in)
{
	return (int64_t)in->text.len > s->c->s.bridge.document_max;
}

/* refused: what check says of those that are, or NULL. */
static int
read_each(struct submit *s, json_t *refused)
{
	int i, status = CTL_DONE;

	for (i = 0; i < s->count; i++) {
		struct input *in = &s->subs[i].in;

		if (input_read(in, s->c->argv[i]) == -1) {
			status = ctl_worse(status, CTL_FAILED);
			continue;
		}
		if (is_too_long(s, in))
			ctl_say("%s: longer than the %" PRId64
				" bytes of bridge.document_max",
			    in->name, s->c->s.bridge.document_max);
		else if (in->patch.reason == PATCH_OK)
			continue;
		else
			input_complain(in);
		status = ctl_worse(status, CTL_DATA);
		json_array_append_new(refused, input_describe(in));
	}
	if (status != CTL_DONE && s->count > 1)
		ctl_say("nothing was handed in");
	return status;
}

static int
read_all(struct submit *s)
{
	json_t *refused = s->c->json ? json_array() : NULL;
	int status = read_each(s, refused);

	if (refused != NULL && status != CTL_DONE)
		out_list(json_incref(refused), status);
	json_decref(refused);
	return status;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
put(struct submit *s, struct submission *sub)
{
	const struct box *inbox = &s->c->t.inbox;
	json_t *doc = json_pack("{s:s, s:o, s:o, s:s, s:i, s:s, s:s, s:s}",
	    "format", "patchflow-submission-1", "text",
	    json_stringn(sub->in.text.bytes, sub->in.text.len), "name",
	    text_json(base_name(sub->in.name)), "queue", s->queue, "priority",
	    s->priority, "conversation", "", "message_id", "", "author", "");
	enum spool_answer answer;

	if (doc == NULL) {
		ctl_say("%s: the text is not UTF-8", sub->in.name);
		return CTL_DATA;
	}
	spool_unique_name("json", sub->name, sizeof(sub->name));
	sub->put_us = clock_wall_us();
	answer = tree_put_json(&s->c->t, inbox->dir, sub->name, doc);
	json_decref(doc);
	if (answer == SPOOL_DONE)
		return CTL_DONE;
	ctl_say("%s: not handed in: %s", sub->in.name, strerror(errno));
	/* A repeated document is a duplicate and harmless, so that trying
	 * again is right whether or not this put was whole. */
	return CTL_TEMPORARY;
}

static json_t *
describe(const struct submission *sub)
{
	const struct patch_result *p = &sub->in.patch;

	return json_pack("{s:o, s:s, s:s, s:O?, s:O?, s:s}", "file",
	    text_json(sub->in.name), "id", p->id, "digest", p->digest,
	    "targets", p->targets, "warnings", p->warnings, "submission",
	    sub->name);
}

static int
put_all(struct submit *s, json_t *json)
{
	int i, status = CTL_DONE;

	for (i = 0; i < s->count; i++) {
		int one = put(s, &s->subs[i]);

		status = ctl_worse(status, one);
		if (one != CTL_DONE)
			break;
		if (json != NULL)
			json_array_append_new(json, describe(&s->subs[i]));
		else
			(void)printf("%s\n", s->subs[i].in.patch.id);
	}
	(void)fflush(stdout);
	if (status == CTL_DONE && s->c->t.run != -1 &&
	    !control_is_running(s->c, "ghost-bridge"))
		ctl_say("the bridge is not running: taken in when it is "
			"(patchflow up)");
	return status;
}

static int
hand_in(struct submit *s)
{
	json_t *json = s->c->json ? json_array() : NULL, *results;
	int status = put_all(s, json);

	if (status == CTL_DONE && s->wait) {
		results = json != NULL ? json_array() : NULL;
		status = submit_wait(s, results);
		if (json != NULL)
			json = json_pack("{s:o, s:o}", "submitted", json,
			    "results", results);
	}
	if (json_is_array(json))
		out_list(json, status);
	else if (json != NULL)
		out_json(json);
	return status;
}

static int
open_and_hand_in(struct submit *s)
{
	const struct queue_settings *q = NULL;
	char why[256];
	int status = s->wait ? ctl_open(s->c) : ctl_open_inbox(s->c);

	if (status != 0)
		return status;
	if (s->queue != NULL && (q = ctl_queue(s->c, s->queue)) == NULL)
		return CTL_FAILED;
	s->queue = q != NULL ? q->name : "";
	if (brake_is_on(&s->c->t, why, sizeof(why))) {
		ctl_say("%s", why);
		return CTL_TEMPORARY;
	}
	status = read_all(s);
	return status == CTL_DONE ? hand_in(s) : status;
}

static int
parse_priority(const char *text)
{
	json_t *word = json_string(text);
	int priority = patch_priority(word);

	json_decref(word);
	if (priority == -1)
		ctl_say("\"%s\" is no priority: 0 to 9, critical, high, "
			"normal or low",
		    text);
	return priority;
}

/* One option; -1 where it is wrong. */
static int
take_option(struct submit *s, int opt)
{
	switch (opt) {
	case 'q':
		s->queue = optarg;
		return 0;
	case 'p':
		s->priority = parse_priority(optarg);
		return s->priority == -1 ? -1 : 0;
	case 'w':
		s->wait = true;
		return 0;
	case 't':
		s->deadline = follow_deadline(optarg);
		return s->deadline == -1 ? -1 : 0;
	default:
		return -1;
	}
}

int
run_submit(struct ctl *c)
{
	static const struct option words[] = {
	    {"queue", required_argument, NULL, 'q'},
	    {"priority", required_argument, NULL, 'p'},
	    {"wait", no_argument, NULL, 'w'},
	    {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
	struct submit s = {.c = c, .priority = -1, .deadline = FOLLOW_FOREVER};
	int i, opt, status;

	while ((opt = ctl_option(c, "q:p:w", words)) != -1)
		if (take_option(&s, opt) == -1)
			return CTL_USAGE;
	if (c->argc == 0)
		return CTL_USAGE;
	s.count = c->argc;
	s.subs = xcalloc((size_t)s.count, sizeof(*s.subs));
	status = open_and_hand_in(&s);
	for (i = 0; i < s.count; i++)
		input_free(&s.subs[i].in);
	free(s.subs);
	return status;
}
