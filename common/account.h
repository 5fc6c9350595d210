/* SPDX-License-Identifier: ISC */
/*
 * Accounts as numbers. A name service brings libraries into the process that
 * asks it, which stay, and may keep it waiting: one that must remain small and
 * awake asks through a child.
 */
#ifndef COMMON_ACCOUNT_H
#define COMMON_ACCOUNT_H

#include <sys/types.h>
#include <stddef.h>

#define ACCOUNT_GROUPS 64
#define ACCOUNT_NAME 64

struct account {
	char name[ACCOUNT_NAME]; /* of a user */
	uid_t uid;
	gid_t gid;
	gid_t groups[ACCOUNT_GROUPS]; /* of a user; its own one too */
	size_t group_count;
};

/* From now on a child is asked, for 10 s at most: then ETIMEDOUT. */
void account_ask_apart(void);
/* From now on nobody is: this is a child that may wait. */
void account_ask_here(void);
/*
 * 0, or -1 with errno: ENOENT there is none, E2BIG it is in more groups than
 * one of ours has need of.
 */
int account_user(const char *name, struct account *out);
/* By number, without its groups. */
int account_of(uid_t uid, struct account *out);
/* gid alone. */
int account_group(const char *name, struct account *out);
/* 0 where uid is in the group now, however many groups it is in; or -1: EPERM
 * it is not, ENOENT one of the two is not there. */
int account_member(uid_t uid, const char *group);

#endif
