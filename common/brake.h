/* SPDX-License-Identifier: ISC */
/*
 * The brake on intake: while it is on nothing new is taken into the spool,
 * and what is there goes on. The supervisor pulls it before the disk is full
 * and lets it go by itself; it is a file in run/ that says why, and without a
 * supervisor it holds nobody.
 */
#ifndef COMMON_BRAKE_H
#define COMMON_BRAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/tree.h"

/* 0, or -1 with errno. */
int brake_pull(const struct tree *t, const char *why);
int brake_release(const struct tree *t);
/* True: it is on, and why says so. */
bool brake_is_on(const struct tree *t, char *why, size_t size);

#endif
