/* SPDX-License-Identifier: ISC */
/*
 * What must outlive the executor about one patch in trouble: how often it was
 * interrupted, until when it waits, who holds it and who approved it. A state
 * document KEY.json; none for the many patches that just run.
 */
#ifndef EXECUTOR_TRIES_H
#define EXECUTOR_TRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/account.h"
#include "common/digest.h"
#include "common/state.h"

#define CRASHES_MAX 3 /* then it is failed as crashed */

/* An approval that was asked for is of one document and one attempt: a resend
 * or a retry asks anew. */
struct approval {
	char digest[DIGEST_SIZE]; /* "": nothing was asked */
	int attempt;
	char why[512];
	int64_t asked_us;
	bool of_changes; /* what its commands did is what gave reason to ask */
	bool granted;
	uid_t by; /* who granted it, when, and what was said */
	char as[ACCOUNT_NAME + 1];
	int64_t at_us;
	char comment[256];
};

struct tries {
	int attempt;           /* the counts are of this one */
	int crashes;           /* it took the executor down */
	int requeues;          /* conflict, or a lack of resources */
	int64_t not_before_us; /* wall clock; never more than an hour ahead */
	bool operator_hold;
	char last_death[64]; /* the crash that was counted last */
	struct approval approval;
};

/* Zeroes where there is none. 0, or -1 with errno. */
int tries_load(const struct state *s, const char *key, struct tries *t);
enum spool_answer tries_save(const struct state *s, const char *key,
    const struct tries *t);
void tries_forget(const struct state *s, const char *key);
/* The counts begin anew; hold and approval stay. */
void tries_begin(struct tries *t, int attempt);
/* Backoff before run number n + 1, doubling from 2 s. */
int64_t tries_delay_ms(int n);

#endif
