/* SPDX-License-Identifier: ISC */
/*
 * Names. A patch is (queue, id, attempt). KEY = TIME-SLUG-HASH8 is fixed at
 * acceptance: TIME is 16 digits of microseconds, strictly increasing (see
 * ids_next_time), SLUG the id if it matches [A-Za-z0-9._-]{1,64} and does not
 * start with a dot, else the id with every other byte mapped to '_' and cut
 * at 64, HASH8 the first 8 hex digits of the SHA-256 of the raw id.
 *
 *   queue file  DIGIT-KEY,ATTEMPT.json   `ls` order is execution order
 *   outcome     KEY,ATTEMPT.json
 *   summary     summary-SLUG-HASH8.md, from attempt 2 on
 *               summary-SLUG-HASH8.N.md
 *
 * Raw ids never reach a path. Parsers accept exactly what the formatters
 * write and return -1 (EINVAL) for anything else.
 */
#ifndef COMMON_KEY_H
#define COMMON_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define ID_MAX 256 /* bytes of a raw id; longer ones are refused */
#define SLUG_MAX 64
#define QUEUE_MAX 32  /* bytes of a queue's name: [A-Za-z0-9_-]{1,32} */
#define KEY_SIZE 96   /* 16 + 1 + 64 + 1 + 8, NUL, rounded up */
#define NAME_SIZE 128 /* any file name of ours */
#define ATTEMPT_MAX 9999

struct queue_name {
	int digit; /* 0 first .. 9 */
	char key[KEY_SIZE];
	int attempt; /* 1 .. ATTEMPT_MAX */
};

bool key_queue_valid(const char *queue);
bool key_id_valid(const char *id); /* 1..ID_MAX bytes, UTF-8, nothing tricky */
void key_slug(const char *id, char out[SLUG_MAX + 1]);
void key_hash8(const char *id, char out[9]);
void key_make(int64_t time_us, const char *id, char out[KEY_SIZE]);
bool key_valid(const char *key);
int64_t key_time_us(const char *key);
/* True when key's SLUG-HASH8 is that of id. */
bool key_is_of(const char *key, const char *id);

void key_queue_file(const struct queue_name *n, char out[NAME_SIZE]);
int key_parse_queue_file(const char *name, struct queue_name *n);
/* KEY,ATTEMPT: what a transaction is called. */
bool key_txn_valid(const char *name);
void key_outcome_file(const char *key, int attempt, char out[NAME_SIZE]);
int key_parse_outcome_file(const char *name, char key[KEY_SIZE], int *attempt);
void key_summary_file(const char *key, int attempt, char out[NAME_SIZE]);
int key_parse_summary_file(const char *name, char slug_hash[KEY_SIZE],
    int *attempt);

/* "ID@QUEUE" or "ID": queue is "" then. id and queue are filled. */
int key_parse_ref(const char *ref, char id[ID_MAX + 1],
    char queue[QUEUE_MAX + 1]);

#endif
