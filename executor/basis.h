/* SPDX-License-Identifier: ISC */
/*
 * What a patch is made for: the files of `base`, checked before anything
 * else, and what each mutation finds at its path, told to the executor so
 * that a later conflict can say what others changed. What only a command
 * writes is not known here.
 */
#ifndef EXECUTOR_BASIS_H
#define EXECUTOR_BASIS_H

#include "executor/conflict.h"
#include "executor/worker.h"

/* 0, or -1 with *f set and each file that is another one in f->conflicts. */
int basis_check(struct worker *w, struct fault *f);
/* Before the step changes anything. */
void basis_tell(struct worker *w, const struct plan_step *s);
/* The executor's side: takes what was told into *bases, finds it there. */
void basis_take(json_t **bases, json_t *doc);
/* Into bases, too: a hash of an outcome, where null stands for nothing. */
void basis_put(json_t *bases, const char *path, const json_t *sha256);
void basis_find(const json_t *bases, const char *path, struct conflict_side *s);

#endif
