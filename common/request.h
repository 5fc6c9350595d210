/* SPDX-License-Identifier: ISC */
/*
 * An operator's request to an executor: a checked file put into
 * QUEUE/requests/new, durable before the reply, taken by the executor of that
 * queue when it runs. It moves new -> cur -> done; done/NAME is rewritten
 * with ok and answer before cur/NAME goes.
 *
 * Whoever owns the file has asked. Only root and the spool's owner can put
 * into requests. Others put into requests/ask, where an owner counts as no
 * more than what approvers makes of it, root too: no file that somebody
 * wrote for another one, and that was moved there, is a request of his.
 */
#ifndef COMMON_REQUEST_H
#define COMMON_REQUEST_H

#include "common/account.h"
#include "common/digest.h"
#include "common/spool.h"
#include "common/tree.h"

#define REQUEST_FORMAT "patchflow-request-1"

enum request_verb {
	REQUEST_RETRY,   /* a failed or held patch goes back into the queue */
	REQUEST_HOLD,    /* a queued patch waits for `retry` */
	REQUEST_CANCEL,  /* queued, held: rejected by-operator; running: killed
			  */
	REQUEST_APPROVE, /* what waits for approval may run */
	REQUEST_REJECT,  /* or is rejected by-operator */
	REQUEST_UNDO,    /* a completed patch is taken back by undo:ID */
	REQUEST_PAUSE,   /* the queue starts nothing more; id is "" */
	REQUEST_RESUME,
	REQUEST__MAX
};
extern const char *const request_verb_name[REQUEST__MAX];

struct request {
	enum request_verb verb;
	char id[ID_MAX + 1];
	char name[NAME_SIZE];      /* of the file, filled by put */
	uid_t uid;                 /* of the file, filled by decode's caller */
	char as[ACCOUNT_NAME + 1]; /* what lets uid ask; the executor's */
	char reason[256];
	char digest[DIGEST_SIZE]; /* of what is approved or rejected; or "" */
	int attempt;
};

/* The box that this process may put into. */
const struct box *request_box(const struct queue_tree *q);
enum spool_answer request_put(struct queue_tree *q, struct request *r);
json_t *request_encode(const struct request *r);
int request_decode(const json_t *doc, struct request *r); /* -1 EINVAL */

#endif
