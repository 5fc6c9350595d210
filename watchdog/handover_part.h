/* SPDX-License-Identifier: ISC */
/* The tables that both sides of a handover read. */
#ifndef WATCHDOG_HANDOVER_PART_H
#define WATCHDOG_HANDOVER_PART_H

#include <fcntl.h>

#include "watchdog/handover.h"
#include "watchdog/handover_row.h"

#define HANDOVER_SEALS                                                         \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern const struct row handover_service_rows[];
extern const struct row handover_watchdog_rows[];
extern const struct row handover_queue_rows[];
extern const struct row handover_trouble_rows[];
extern const struct row handover_owed_rows[];
extern const struct row handover_client_rows[];

#endif
