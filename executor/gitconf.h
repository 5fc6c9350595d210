/* SPDX-License-Identifier: ISC */
/*
 * A repository's configuration as git init, clone and submodule write it:
 * nothing in it names a program or leads out of the repository. Pure, and
 * strict: what is not known to be harmless is not plain.
 */
#ifndef EXECUTOR_GITCONF_H
#define EXECUTOR_GITCONF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define GITCONF_MAX 65536

/* path is the file's, below the workspace. False: why says the line and what
 * is wrong with it. */
bool gitconf_is_plain(const char *path, const char *text, size_t len,
    struct buf *why);

#endif
