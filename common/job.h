/* SPDX-License-Identifier: ISC */
/*
 * The envelope that each queue file and outcome carries, and the queue file
 * itself: {format, envelope..., patch, warnings}. See patchflow-spool(5).
 */
#ifndef COMMON_JOB_H
#define COMMON_JOB_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/digest.h"
#include "common/key.h"

#define JOB_FORMAT "patchflow-job-1"

struct envelope {
	char id[ID_MAX + 1];
	char queue[QUEUE_MAX + 1];
	char key[KEY_SIZE];
	int attempt;
	char digest[DIGEST_SIZE];
	char *source;       /* "transcript:NAME", "inbox:FILE", ... owned */
	char *conversation; /* owned; "" where unknown, as the next two */
	char *message_id;
	char *author;
	uid_t uid;           /* of who handed it in */
	int64_t detected_us; /* wall clock */
	int64_t queued_us;
};

struct job {
	struct envelope env;
	json_t *patch;    /* canonical; owned */
	json_t *warnings; /* array of strings; owned */
};

/* Writes the envelope's fields into an object / reads them; -1 EINVAL. */
void envelope_encode(const struct envelope *e, json_t *into);
int envelope_decode(const json_t *doc, struct envelope *e);
void envelope_free(struct envelope *e);
void envelope_copy(struct envelope *to, const struct envelope *from);

json_t *job_encode(const struct job *j);
int job_decode(const json_t *doc, struct job *j); /* 0, or -1 EINVAL */
void job_free(struct job *j);

#endif
