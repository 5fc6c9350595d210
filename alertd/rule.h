/* SPDX-License-Identifier: ISC */
/*
 * Which alerts are told, and to whom. Pure: time comes in, decisions go out.
 *
 * An alert is known by (type, component, subject). While one is known, a
 * repeat within the dedupe time is counted and not told, unless it is more
 * severe; the next one that is told says how many there were. A resolved one
 * is told at once to the channels that were told of the trouble, and ends it.
 */
#ifndef ALERTD_RULE_H
#define ALERTD_RULE_H

#include <sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "common/alert.h"
#include "common/key.h"

#define RULE_ENTRIES 1000 /* kept by rule_forget */

struct rule_entry {
	TAILQ_ENTRY(rule_entry) link;
	char *type;
	char *component;
	char *subject;
	char *text; /* of the last one */
	char *queue;
	char *id;
	enum alert_severity severity;      /* of the last one */
	enum alert_severity told_severity; /* of the last one told */
	int64_t first_us;
	int64_t last_us;
	int64_t told_us;
	int64_t count;
	int64_t suppressed; /* since the last one told */
	json_t *channels;   /* {NAME: state} of the last one told */
};

struct rule_table {
	TAILQ_HEAD(rule_list, rule_entry) entries; /* oldest repeat first */
	size_t count;
};

enum rule_verdict {
	RULE_TELL,     /* to every channel of its severity */
	RULE_SUPPRESS, /* a repeat: counted */
	RULE_RESOLVE,  /* to those of entry->channels, then the entry goes */
	RULE_IGNORE    /* resolved, but never known */
};

struct rule_times {
	int64_t now_us;
	int64_t dedupe_ms;
	int64_t forget_ms; /* entries without a repeat for this long go */
};

void rule_open(struct rule_table *t);
void rule_close(struct rule_table *t);
/* NULL when it is not known. */
struct rule_entry *rule_find(const struct rule_table *t, const char *type,
    const char *component, const char *subject);
/*
 * Takes a into the table. *repeats is how many were suppressed before this
 * one. told: it was told before a crash, and only the table is behind.
 */
enum rule_verdict rule_judge(struct rule_table *t, const struct alert *a,
    const struct rule_times *when, bool told, int64_t *repeats);
/* Ends an entry after RULE_RESOLVE was carried out. */
void rule_drop(struct rule_table *t, struct rule_entry *e);
/* Drops what is old, and the oldest beyond RULE_ENTRIES. */
void rule_forget(struct rule_table *t, const struct rule_times *when);
json_t *rule_encode(const struct rule_table *t);
/* Entries that cannot be read are left out; their number. */
int rule_decode(struct rule_table *t, const json_t *list);

#endif
