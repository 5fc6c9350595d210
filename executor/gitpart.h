/* SPDX-License-Identifier: ISC */
/*
 * The parts of a repository that make git run programs, or say where it finds
 * what: of every repository in the workspace, for people go into those, and
 * who asks one for its status asks what is checked out in it, too. Pure.
 *
 * A patch's command may leave new repositories, as build tools do, that are
 * as git init and git clone make them. Of one that is there none of these
 * parts changes. Of repositories that are in no .git diff_bare.c knows.
 */
#ifndef EXECUTOR_GITPART_H
#define EXECUTOR_GITPART_H

#include <sys/stat.h>
#include <stdbool.h>

enum gitpart {
	GITPART_NONE,
	GITPART_CONFIG, /* may be new where gitconf.h calls it plain */
	GITPART_EXTRA,  /* as that, but only with all of its repository */
	GITPART_SAMPLE, /* hooks, and in it what git never runs: may be new */
	GITPART_FIXED,  /* never made, changed or removed */
	GITPART_STATE,  /* what a later git --continue obeys: may only go */
	GITPART_DIR,    /* holds such parts: must not be a link */
	GITPART_ROOT,   /* .git itself: a directory, or see gitpart_link */
};

/* path is below the workspace. */
enum gitpart gitpart_of(const char *path);
/* May no mutation name it? */
bool gitpart_is_closed(const char *path);
/* Of the workspace's own repository, but not of its submodules'. */
bool gitpart_is_own(const char *path);
/* A file that git takes for somebody's lock. */
bool gitpart_is_lock(const char *path, const struct stat *st);
/* Does path lie in a repository in the workspace, not in the workspace's own,
 * that goes as a whole when top does? */
bool gitpart_goes_whole(const char *top, const char *path);
/* May text stand in the file path, a ".git"? It says that the repository lies
 * among the submodules of one in the workspace. */
bool gitpart_link(const char *path, const char *text);
/* Where a relative path leads from the directory dir: below the workspace,
 * NULL where out of it or not plainly there. The caller frees it. */
char *gitpart_place(const char *dir, const char *relative);

#endif
