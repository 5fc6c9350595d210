/* SPDX-License-Identifier: ISC */
/*
 * holdup ROLE CALL FILE COMMAND [ARG...]: runs COMMAND; the first process of
 * ROLE (tests/inject/tracer.c) that comes to CALL stays before it, dead below
 * a debugger, until it is killed. FILE gets a line for each that came there:
 * its pid. SIGTERM goes to COMMAND.
 *
 * Exit status: that of COMMAND; 99 when one it started outlives it by a
 * minute; 77 this machine does not let us trace.
 */
#include <sys/wait.h>
#include <err.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/inject/tracer.h"

#define CANNOT 77
#define SURVIVED 99
#define LIFE_MS 600000
#define REST_MS 60000

struct place {
	const char *role;
	const struct call *call;
	const char *file;
	bool held;
};

static struct tracer tracer;

static void
pass_on(int sig)
{
	(void)kill(tracer.first[0], sig);
}

static void
tell(const char *file, pid_t pid)
{
	FILE *f = fopen(file, "ae");

	if (f == NULL || fprintf(f, "%ld\n", (long)pid) < 0 || fclose(f) != 0)
		err(2, "%s", file);
}

static enum act
at_call(void *owner, const struct tracee *t, const struct call *c,
    unsigned *fault)
{
	struct place *p = owner;

	(void)fault;
	if (c != p->call || strcmp(t->role, p->role) != 0 ||
	    t->calls[c - calls] > 1)
		return ACT_GO;
	tell(p->file, t->pid);
	if (p->held)
		return ACT_GO;
	p->held = true;
	return ACT_HOLD;
}

/* Nobody looks for leaks below a tracer. */
static void
leave_leaks(void)
{
	const char *had = getenv("ASAN_OPTIONS");
	char options[256];

	(void)snprintf(options, sizeof(options), "%s:detect_leaks=0",
	    had != NULL ? had : "");
	(void)setenv("ASAN_OPTIONS", options, 1);
}

int
main(int argc, char **argv)
{
	const struct sigaction term = {.sa_handler = pass_on};
	struct place p = {0};
	int status;

	if (argc < 5 || (p.call = call_named(argv[2])) == NULL)
		errx(2, "usage: holdup ROLE CALL FILE COMMAND [ARG...]");
	if (!tracer_works())
		return CANNOT;
	p.role = argv[1];
	p.file = argv[3];
	tracer.at = at_call;
	tracer.owner = &p;
	tracer.stops[p.call - calls] = true;
	leave_leaks();
	if (tracer_start(&tracer, 0, argv + 4, "/dev/stderr") == -1)
		err(2, "%s", argv[4]);
	(void)sigaction(SIGTERM, &term, NULL);
	(void)tracer_follow(&tracer, 0, LIFE_MS);
	status = tracer.status[0];
	if (tracer_drain(&tracer, REST_MS) != 0)
		return SURVIVED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
