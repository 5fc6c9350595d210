/* SPDX-License-Identifier: ISC */
/*
 * What one patch of three files and two commands costs, with its fsync count;
 * beside it the floor: the bare system calls that cannot be left out (floor.h
 * says which), in the same run on the same disk. $BENCH_PATCHES (200) patches;
 * $TMPDIR says where.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "tests/bench/bench.h"
#include "tests/bench/floor.h"

#define PATCHES_MAX 100000
#define ROUNDS 5

struct bench {
	struct bench_place place;
	int patches;
	int next;
};

static void
open_place(struct bench *b)
{
	const char *path = b->place.path;
	char *text;
	int ws;

	bench_open(&b->place);
	ws = bench_dir(b->place.dir, "ws");
	for (int i = 0; i < FLOOR_FILES; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "f%d", i);
		bench_write(ws, name, "before\n");
	}
	(void)close(ws);
	text = xasprintf("spool: %s/spool\nqueues:\n"
			 "  - {name: MAIN, workspace: %s/ws}\n",
	    path, path);
	bench_write(b->place.dir, "patchflow.yaml", text);
	free(text);
}

/* Queues n patches; mkjob takes a document a file. */
static void
queue(struct bench *b, int n)
{
	char *mkjob = bench_binary("tests/harness/mkjob");
	char *spool = xasprintf("%s/spool", b->place.path);
	const char **argv = xcalloc((size_t)n + 4, sizeof *argv);
	int dir = bench_dir(b->place.dir, "docs");

	argv[0] = mkjob;
	argv[1] = spool;
	argv[2] = "MAIN";
	for (int i = 0; i < n; i++) {
		int k = b->next++;
		char name[32];
		char *text = xasprintf(
		    "{\"id\":\"b%d\",\"mutations\":[{\"path\":\"f0\","
		    "\"contents\":\"%d\"},{\"path\":\"f1\",\"contents\":\"%d\"}"
		    ",{\"path\":\"f2\",\"contents\":\"%d\"}],"
		    "\"postMutationBuild\":{\"shell\":[\"true\"]},"
		    "\"validate\":{\"shell\":[\"true\"]}}",
		    k, k, k, k);

		(void)snprintf(name, sizeof name, "%06d.json", k);
		bench_write(dir, name, text);
		argv[3 + i] = xasprintf("%s/docs/%s", b->place.path, name);
		free(text);
	}
	if (bench_run(&b->place, argv) != 0)
		errx(1, "mkjob failed; see %s/log", b->place.path);
	for (int i = 0; i < n; i++)
		free((void *)(uintptr_t)argv[3 + i]);
	free(argv);
	free(mkjob);
	free(spool);
	(void)close(dir);
}

static int64_t
run_executor(const struct bench *b, bool traced)
{
	char *executor = bench_binary("bin/executor");
	char *conf = xasprintf("%s/patchflow.yaml", b->place.path);
	char *trace = xasprintf("%s/trace", b->place.path);
	const char *words[] = {"strace", "-f", "-qq", "-o", trace, "-e",
	    "trace=fsync,syncfs,fdatasync", "-e", "signal=none", executor,
	    "--once", "-c", conf, "-q", "MAIN", NULL};
	int64_t began = bench_now_us();
	int status = bench_run(&b->place, traced ? words : words + 9);

	if (status != 0 && !traced)
		errx(1, "executor ended with %d; see %s/log", status,
		    b->place.path);
	free(executor);
	free(conf);
	free(trace);
	return status == 0 ? bench_now_us() - began : -1;
}

static long
count_lines(const struct bench *b)
{
	char *path = xasprintf("%s/trace", b->place.path);
	FILE *f = fopen(path, "r");
	long lines = 0;
	int c;

	while (f != NULL && (c = getc(f)) != EOF)
		lines += c == '\n';
	if (f != NULL)
		(void)fclose(f);
	free(path);
	return lines;
}

static void
count_syncs(struct bench *b)
{
	long idle, busy;

	if (run_executor(b, true) == -1) {
		printf("%-44s (no strace here)\n", "fsyncs a patch");
		return;
	}
	idle = count_lines(b);
	queue(b, 10);
	(void)run_executor(b, true);
	busy = count_lines(b);
	printf("%-44s %8.1f\n", "fsyncs a patch", (double)(busy - idle) / 10);
}

/* Turn by turn, so that what else the machine does meets both. */
static void
measure(struct bench *b)
{
	int n = (b->patches + ROUNDS - 1) / ROUNDS;
	int64_t ours = 0, bare = 0, once;
	int ws = bench_dir(b->place.dir, "ws");
	struct floor f;

	floor_open(&f, b->place.dir, b->place.path, ws);
	(void)run_executor(b, false);
	for (int i = 0; i < ROUNDS; i++) {
		ours -= run_executor(b, false);
		queue(b, n);
		ours += run_executor(b, false);
		once = bare == -1 ? -1 : floor_run(&f, n);
		bare = once == -1 ? -1 : bare + once;
	}
	floor_close(&f);
	(void)close(ws);
	printf("%-44s %8.2f ms\n", "a patch", (double)ours / 1000 / ROUNDS / n);
	if (bare == -1)
		printf("%-44s (no namespaces for us here)\n", "floor");
	else
		printf("%-44s %8.2f ms\n%-44s %8.2f\n",
		    "floor: its system calls, bare",
		    (double)bare / 1000 / ROUNDS / n, "ratio (goal 1.5)",
		    (double)ours / (double)bare);
}

int
main(void)
{
	struct bench b = {
	    .patches = bench_number("BENCH_PATCHES", 200, PATCHES_MAX)};

	open_place(&b);
	printf("patch: %d patches of %d files and %d commands\n", b.patches,
	    FLOOR_FILES, FLOOR_COMMANDS);
	/* Not to be told again by a child that fails. */
	(void)fflush(stdout);
	measure(&b);
	count_syncs(&b);
	bench_remove(&b.place);
	return 0;
}
