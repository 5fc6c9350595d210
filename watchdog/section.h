/* SPDX-License-Identifier: ISC */
/*
 * Which part of the configuration concerns a daemon, as a digest: a reload
 * restarts those whose part is another one and leaves the others running.
 */
#ifndef WATCHDOG_SECTION_H
#define WATCHDOG_SECTION_H

#include <jansson.h>

#include "common/digest.h"

struct service;

struct section {
	json_t *file; /* NULL: could not be read; every digest is "" then */
};

void section_open(struct section *f, const char *path);
void section_close(struct section *f);
void section_digest(const struct section *f, const struct service *s,
    char out[DIGEST_SIZE]);

#endif
