/* SPDX-License-Identifier: ISC */
/*
 * One command in the jail: its own session, nothing inherited, output kept
 * by head and tail, a deadline that holds for everything it started. Runs in
 * the worker, which is no pid 1: what the shell leaves behind is seen in the
 * namespace's /proc.
 */
#ifndef EXECUTOR_COMMAND_H
#define EXECUTOR_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "common/buf.h"

struct command_limits {
	int64_t memory;
	int64_t processes;
	int64_t file_size;
	int64_t cpu_ms;
	int64_t output; /* bytes kept of the head, and of the tail */
};

struct command {
	const char *const *argv;
	char *const *envp;
	const struct command_limits *limits;
	int64_t timeout_ms;
	bool bare; /* no pid namespace: of /proc only descendants are ours */
	/* filled by command_run */
	int exit_code; /* -1: ended by signal, or never started */
	int signal;
	bool timed_out;
	bool backgrounded; /* left processes when it exited */
	int64_t
	    death_ms; /* from the kill at its deadline until all were dead */
	int64_t duration_ms;
	long max_rss_kb;
	int64_t cpu_ms;
	struct buf head;
	struct buf tail;
	uint64_t dropped;
};

/* 0, or -1 with errno: it could not even be started. */
int command_run(struct command *c);
void command_free(struct command *c);
bool command_succeeded(const struct command *c);
/* SIGXCPU or SIGXFSZ where that ended it or, by its status, what its shell
 * waited for; else 0. */
int command_limit(const struct command *c);
/* Why it ended: "exit", "signal", "timeout", "limit:cpu_time",
 * "limit:file_size"; "not-started". */
const char *command_reason(const struct command *c);
/* Fields of outcome.commands; phase and text are the caller's. */
json_t *command_encode(const struct command *c);

#endif
