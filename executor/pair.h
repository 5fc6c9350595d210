/* SPDX-License-Identifier: ISC */
/* One name in the staged layer and in the workspace, judged. */
#ifndef EXECUTOR_PAIR_H
#define EXECUTOR_PAIR_H

#include "executor/diff.h"
#include "executor/gitpart.h"

/* One name in both layers; a side without the name has found false. */
struct pair {
	struct diff *d;
	struct fault *f;
	const char *path;
	const char *name;
	int upper;
	int lower; /* -1: no such directory below */
	bool has_new, has_old;
	bool whole; /* a directory that is not the one below, but another */
	struct stat new, old;
};

/* Emits what the name became. path, where given, is the walk's, and a
 * directory of both layers is walked on. */
int pair_judge(struct pair *p, struct buf *path);
int pair_judge_root(struct diff *d, struct fault *f);
int pair_fail(struct fault *f, const char *what, const char *path);

/* diff_check.c: 0, or -1 with *f set. */
struct subtree_at;
int pair_refuse(struct pair *p, const char *path, const char *why);
/* May a patch leave this where it lies? Of a repository's parts, what it says
 * decides. */
int pair_check_kind(struct pair *p, const struct subtree_at *at);
/* Of what it brings: a privileged file is neither made nor given new content,
 * and what a clone has of others stays where it is. */
int pair_check_carried(struct pair *p, const struct subtree_at *at);
int pair_check_gone(struct pair *p, const struct subtree_at *at);
/* Of one that stays only mode and owner can be set. */
int pair_check_directory(struct pair *p);

/* diff_bare.c: what an entry outside of a .git is in a repository without one,
 * GITPART_NONE where it is in none. */
enum gitpart pair_bare_part(const struct pair *p, const struct subtree_at *at);

/* All names in a directory; free with pair_names_free. */
int pair_names(int dir, char ***names, size_t *count);
void pair_names_free(char **names, size_t count);

#endif
