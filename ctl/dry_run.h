/* SPDX-License-Identifier: ISC */
/* The outcome of a dry run in words. */
#ifndef CTL_DRY_RUN_H
#define CTL_DRY_RUN_H

#include <jansson.h>

void dry_run_print(const json_t *outcome);

#endif
