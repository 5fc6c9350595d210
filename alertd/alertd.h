/* SPDX-License-Identifier: ISC */
/*
 * alertd's state and its parts. One alert:
 *
 *   alerts/new -> cur    claimed, judged (rule.h)
 *   deliveries           one state file a channel, durable before the table
 *   state/alertd/        alerts.json: what is active, and the channels
 *   channels             each with its own queue, pause and backoff
 *   alerts/cur -> done   every channel has confirmed; dead/ when one gave up
 *
 * A delivery is queued -> sending -> confirmed | ambiguous | deferred | dead.
 * `sending` is durable before the first byte leaves, so what is found in that
 * state after a crash may have arrived: it is repeated once more and marked.
 */
#ifndef ALERTD_ALERTD_H
#define ALERTD_ALERTD_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "alertd/rule.h"
#include "common/buf.h"
#include "common/daemon.h"
#include "common/hint.h"
#include "common/journal.h"
#include "common/loop.h"
#include "common/reserve.h"
#include "common/sandbox.h"
#include "common/settings.h"
#include "common/state.h"
#include "common/tree.h"

#define DELIVERY_FORMAT "patchflow-delivery-1"
#define DELIVERY_ID_SIZE 17
#define DELIVERY_NAME_SIZE (NAME_SIZE + SLUG_MAX + 8)
#define RETRY_AFTER_MAX_MS (60ll * 60 * 1000)

enum delivery_state {
	DELIVERY_QUEUED,
	DELIVERY_SENDING,
	DELIVERY_CONFIRMED,
	DELIVERY_AMBIGUOUS, /* all was sent, no answer came */
	DELIVERY_DEFERRED,
	DELIVERY_DEAD,
	DELIVERY__STATES
};
extern const char *const delivery_state_name[DELIVERY__STATES];

struct channel;
TAILQ_HEAD(delivery_list, delivery);

struct delivery {
	TAILQ_ENTRY(delivery) link; /* in its channel, oldest first */
	struct channel *channel;
	char alert[NAME_SIZE]; /* file name of the alert */
	char id[DELIVERY_ID_SIZE];
	enum delivery_state state;
	int attempts;
	int64_t first_us; /* wall */
	int64_t next_ms;  /* monotonic; nothing before */
	bool held;        /* next_ms is the receiver's wish (Retry-After) */
	bool repeat;      /* an earlier attempt may have arrived */
	enum alert_severity severity;
	char error[200];
	json_t *message; /* what is told; owned */
};

/* How an attempt ended; error says it for people, never with the URL. */
enum answer { ANSWER_OK, ANSWER_LATER, ANSWER_NEVER, ANSWER_UNKNOWN };

struct result {
	enum answer answer;
	long code;
	int64_t retry_after_ms; /* 0: not said */
	char error[200];
};

struct webhook; /* a transfer under way */

struct channel {
	const struct channel_settings *settings;
	char name[SLUG_MAX + 1]; /* safe in a file name */
	enum alert_severity least;
	struct delivery_list waiting;
	size_t count;
	struct delivery *current; /* being sent */
	struct webhook *webhook;
	int failures;    /* in a row */
	int64_t sick_ms; /* monotonic, of the first of them */
	bool told_sick;
	int64_t paused_ms; /* monotonic; nothing is sent before */
	int64_t confirmed; /* since start */
	int64_t dead;
	char last_error[200];
};

struct alertd {
	struct loop loop;
	struct hint hint;
	struct timer intake;
	struct timer send;
	struct timer beat;
	struct timer save;
	struct timer keep; /* retention */
	const struct daemon_opts *opts;
	const struct settings *settings;
	struct tree *tree;
	struct journal journal;
	struct reserve reserve;
	struct sandbox sandbox;
	struct state state;
	int deliveries; /* directory of delivery files */
	struct rule_table table;
	json_t *taken;   /* names in cur that the table has counted */
	json_t *orphans; /* alerts that a channel which is gone was not told */
	struct delivery_list unsaved; /* ended, but not durably so */
	struct channel *channels;
	size_t channel_count;
	CURLM *multi;
	struct timer curl_timer;
	int status; /* to exit with */
	uint64_t work;
	int64_t busy_since_ms;
	int64_t dead; /* alerts in alerts/dead */
	bool unwell;  /* an alert could not be taken */
	bool dirty;   /* alerts.json is behind */
};

/* alertd.c */
void alertd_open(struct alertd *a, const struct daemon_opts *opts,
    const struct settings *settings, struct tree *t);
int alertd_run(struct alertd *a);
void alertd_close(struct alertd *a);
void alertd_tick(struct alertd *a);
void alertd_changed(struct alertd *a); /* alerts.json will be written */
void alertd_raise(struct alertd *a, const struct alert *alert);
size_t alertd_waiting(const struct alertd *a);

/* intake.c */
void intake_recover(struct alertd *a); /* cur, at start */
bool intake_new(struct alertd *a);     /* false: something was left */
/* The alert leaves cur when no delivery of it is open any more. */
void intake_settle(struct alertd *a, const char *alert);

/* delivery.c: the state files. */
void delivery_file(const char *alert, const struct channel *c,
    char out[DELIVERY_NAME_SIZE]);
struct delivery *delivery_new(struct alertd *a, struct channel *c,
    const char *alert, json_t *message);
/* 1, 0 absent, -1. */
int delivery_load(struct alertd *a, struct channel *c, const char *alert,
    struct delivery **d) __attribute__((warn_unused_result));
bool delivery_store(struct alertd *a, const struct delivery *d)
    __attribute__((warn_unused_result));
void delivery_free(struct delivery *d);
bool delivery_open_state(enum delivery_state s);

/* orphan.c: deliveries of channels that are gone become dead; at start, before
 * cur is looked at, and with retention. */
void orphan_find(struct alertd *a);

/* channel.c: queues, backoff, what an answer means. */
void channel_open_all(struct alertd *a);
void channel_close_all(struct alertd *a);
struct channel *channel_named(struct alertd *a, const char *name);
void channel_add(struct channel *c, struct delivery *d);
bool channel_has(const struct channel *c, const char *alert);
/* Starts what can be sent now: 0 when something was, else the milliseconds to
 * the next time, or -1. */
int64_t channel_send_due(struct alertd *a);
/* Deliveries whose end could not be written down; false: still not. */
bool channel_save_left(struct alertd *a);
void channel_done(struct alertd *a, struct channel *c, const struct result *r);

/* channel_health.c: a channel that fails is told to the others. */
void health_dead(struct alertd *a, struct channel *c, const struct delivery *d);
void health_sick(struct alertd *a, struct channel *c);
void health_well(struct alertd *a, struct channel *c);
bool health_failing(const struct alertd *a, const struct channel *c);

/* channel_file.c: one line, written once. */
void channel_file_send(struct channel *c, const struct delivery *d,
    struct result *r);

/* channel_webhook.c: libcurl's multi interface on our loop. */
int webhook_open(struct alertd *a);
void webhook_close(struct alertd *a);
/* Starts; channel_done is called later. -1: r has the answer at once. */
int webhook_send(struct alertd *a, struct channel *c, struct delivery *d,
    struct result *r);
/* Pure: what an answer means. uploaded: the whole body was sent. */
enum answer webhook_judge(long code, bool headers_whole, bool uploaded);

/* message.c: what is told. words: one sentence, at most text_max bytes of the
 * alert's own text in it; json and slack: the body of a request. */
void message_words(const struct delivery *d, size_t text_max, struct buf *out);
json_t *message_json(const struct delivery *d);
json_t *message_slack(const struct delivery *d);

/* status.c: state/alertd/alerts.json. */
void status_load(struct alertd *a);
bool status_save(struct alertd *a);

/* check.c: -n; the exit status. */
int alertd_check(struct settings *settings);

/* confine.c: from here on only the spool and the channels' files change. */
void alertd_confine(struct alertd *a);

#endif
