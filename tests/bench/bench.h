/* SPDX-License-Identifier: ISC */
/*
 * What the benches share: a clock, numbers from the environment, a place on
 * the disk that is measured, and durable calls as bare as they can be. What
 * fails ends the program.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <limits.h>
#include <stdint.h>

int64_t bench_now_us(void);
/* $name, or otherwise; 1 to max. */
int bench_number(const char *name, int otherwise, int max);
/* Sorts; the one that so many of a hundred are not above. */
int64_t bench_percentile(int64_t *us, int n, int percent);

/* A directory of its own in $TMPDIR. */
struct bench_place {
	char path[PATH_MAX];
	int dir;
};
void bench_open(struct bench_place *p);
void bench_remove(const struct bench_place *p);

/* Opened, made where it is missing. */
int bench_dir(int at, const char *name);
void bench_write(int dir, const char *name, const char *text);
/* build/NAME, or where $BUILD_DIR is; the caller frees. */
char *bench_binary(const char *name);
/* Runs a program to its end, its output in the file log of p; its exit
 * status, or -1. */
int bench_run(const struct bench_place *p, const char *const *argv);

/* Each is one system call that must not fail. */
void bench_check(int answer, const char *what);
void bench_sync(int fd);
/* A new file of a kilobyte, not synced: its descriptor. */
int bench_create(int dir, const char *name);

#endif
