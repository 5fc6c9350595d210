/* SPDX-License-Identifier: ISC */
/*
 * What one image of the supervisor leaves to the next when it executes itself
 * anew: a checked document in a sealed memfd, and the descriptors that it
 * names. The process, and so the daemons' parent, stays the same. The images
 * may be of different age, either way: members that the reader does not know
 * are passed over, those that came later than the writer begin at 0. One that
 * misses anything else says so when it is asked (-n), and is not executed.
 * Whatever is in doubt then is not taken over: that daemon is killed and
 * begins anew, and with a document in doubt all of them do.
 */
#ifndef WATCHDOG_HANDOVER_H
#define WATCHDOG_HANDOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct daemon_opts;
struct service;
struct watchdog;

/* Another number whenever an older reader would misunderstand. */
#define HANDOVER_FORMAT "patchflow-handover-1"
#define HANDOVER_MAX (8u << 20)

/* The giving side. A sealed memfd, close-on-exec; -1 with errno. */
int handover_write(struct watchdog *w);
/* All that it names survives, or does not survive, an exec. -1 with errno
 * where one does not: to execute then would be the death of its daemon. */
int handover_keep(struct watchdog *w, bool keep);

/* The taking side. Pure: NULL when it is not whole, or of another format. */
json_t *handover_parse(const char *bytes, size_t len);
/*
 * An heir that ends before handover_close is executed anew for a while: what
 * kept it from taking over may pass, and its end would be everybody's.
 */
void handover_insist(const struct daemon_opts *o, char **argv);
/*
 * Reads opts->inherit_fd, and sets opts->lock_fd. NULL where
 * there is none; where it is in doubt too (logged), and inherit_fd is -1 then,
 * so that daemon_enter closes all that was inherited.
 */
json_t *handover_open(struct daemon_opts *o);
/* The numbers and texts of one service. Pure; false: nothing is of use. */
bool handover_decode(struct service *s, const json_t *item);
/* The supervisor's own part, before there are services. */
void handover_take(struct watchdog *w, const json_t *doc);
/* Process and channels of s go on as they were; else it is killed, where it
 * lives, and false. Takes what it uses out of the document. */
bool handover_adopt(struct service *s, json_t *doc);
/* Control socket and clients; false: they are to be opened. */
bool handover_control(struct watchdog *w, const json_t *doc);
/* Ends what nobody adopted, and frees the document. */
void handover_close(struct watchdog *w, json_t *doc);

#endif
