/* SPDX-License-Identifier: ISC */
/* Within tree: the table of directories, the lock around changing them. */
#ifndef COMMON_TREE_PART_H
#define COMMON_TREE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/tree.h"

enum tree_access {
	TREE_OWN,  /* the owner's */
	TREE_PASS, /* submitters pass through, and see nothing */
	TREE_DROP  /* submitters put into it */
};

struct tree_row {
	const char *path; /* below SPOOL, or below SPOOL/QUEUE */
	size_t offset;    /* of the descriptor; TREE_NO_FD: made and checked */
	enum tree_access access;
	bool fluid; /* fills and empties again: tree_renew */
};

#define TREE_NO_FD SIZE_MAX
#define TREE_EARLY 2 /* rows that the lock and set_aside need */
#define TREE_ROWS 19
#define QUEUE_ROWS 27
extern const struct tree_row tree_rows[TREE_ROWS];
extern const struct tree_row queue_rows[QUEUE_ROWS];

/* The row's descriptor in base (a struct tree or queue_tree), or NULL. */
int *tree_slot(void *base, const struct tree_row *row);

/*
 * Excludes other processes that make or renew directories; *fd is -1 for a
 * user who can do neither. 0, or -1 (EWOULDBLOCK after ten seconds).
 */
int tree_lock(const struct tree *t, int *fd);
void tree_unlock(int fd);
/* Ends what a crash left of a renewal of path; under the lock. */
int tree_finish_renewal(struct tree *t, int base, const char *path);

#endif
