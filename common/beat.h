/* SPDX-License-Identifier: ISC */
/*
 * The sd_notify(3) client beneath daemon_ready, daemon_beat, daemon_stopping:
 * datagrams that never block. A receiver that is stalled costs a beat and
 * never a moment of work.
 */
#ifndef COMMON_BEAT_H
#define COMMON_BEAT_H

#include <stdbool.h>

/* Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment, so that no
 * command we start can speak for us. */
void beat_open(void);
/* Puts them there again, for ourselves to be executed anew; false takes them
 * out once more. */
void beat_hand_on(bool there);
/* True when sent, or when nobody listens. */
bool beat_send(const char *text);

#endif
