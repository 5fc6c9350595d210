/* SPDX-License-Identifier: ISC */
/* What mutate.c and change.c share; for nobody else. Functions that take a
 * fault return 0, or -1 with it set. */
#ifndef EXECUTOR_MUTATE_PART_H
#define EXECUTOR_MUTATE_PART_H

#include <sys/stat.h>

#include "executor/mutate.h"

int mutate_errno(const struct plan_step *s, const char *what, struct fault *f);
/* A directory, a link or a device where a file is wanted. */
int mutate_refuse_other(const struct plan_step *s, const struct stat *st,
    struct fault *f);
int mutate_size(const struct plan_step *s, size_t len, int64_t max,
    struct fault *f);
/* A file that exists keeps its inode, and so its mode, owner and xattrs.
 * -1 with errno. */
int mutate_store(int root, const char *path, const struct plan_text *t,
    int mode);
int mutate_write(int root, const struct plan_step *s, int64_t max,
    struct fault *f);
int mutate_delete(int root, const struct plan_step *s, int64_t max,
    struct fault *f);

/* change.c: steps that make a file's new contents from the old. */
int change_file(int root, const struct plan_step *s, int64_t max,
    struct fault *f);
int change_insert(int root, const struct plan_step *s, int64_t max,
    struct fault *f);
int change_diff(int root, const struct plan_step *s, int64_t max,
    struct fault *f);
int change_merge(int root, const struct plan_step *s, int64_t max,
    struct fault *f);

#endif
