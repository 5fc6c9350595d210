/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor tells people: alerts into the spool, which works with
 * alertd down, and one journal line each. An alert that the spool refuses
 * (full disk) is kept and tried again with every pulse.
 */
#ifndef WATCHDOG_REPORT_H
#define WATCHDOG_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/alert.h"

struct watchdog;
struct service;

#define REPORT_OWED 32

struct report_entry {
	char type[32];
	char subject[192];
	char text[512];
	char queue[QUEUE_MAX + 1];
	enum alert_severity severity;
	bool resolved;
};

struct report {
	size_t count;
	struct report_entry owed[REPORT_OWED];
};

/* As an alert; its strings are the entry's. */
struct alert report_alert_of(const struct report_entry *e);
void report_alert(struct watchdog *w, const struct report_entry *e);
/* What the disk refused is owed from now on. */
void report_take_back(struct watchdog *w);
/* Tries what is owed once more. */
void report_retry(struct watchdog *w);
/* Incidents of a service, from its machine's actions. */
void report_service(struct service *s, unsigned actions);
/* For the black box, unless it was asked for: before anything is done about
 * it. */
void report_death(struct service *s);
/* A death or start in the journal. */
void report_exit(struct service *s);
void report_start(struct service *s);

#endif
