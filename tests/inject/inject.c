/* SPDX-License-Identifier: ISC */
/*
 * inject [OPTION...] kill|power|error COMMAND [ARG...]
 *
 * Runs COMMAND in a world (-w, made from -s), then again for each point of
 * it, as sweep.h says. Exit status: 0 every point was good, 1 some were not,
 * 77 this machine does not let us trace, 2 usage or no plain run.
 *
 *   -w DIR    the world: DIR/ws is judged, DIR/spool too where -q is given
 *   -s SAVED  what it is made from: a directory, or with -d an image
 *   -d DISK   where the image's copy is kept while it is mounted at DIR
 *   -q QUEUE  the spool holds one patch in this queue; COMMAND recovers, too
 *   -b TREE   between two patches of the queue the workspace is like this
 *   -B TREE   or like this, where the second of them may go first
 *   -x SHELL  what it prints belongs to the image, .git then does not
 *   -p N      one point in N, at random; which ones, the seed says
 *   -S SEED   default: days since 1970
 *   -r ROLE   only in these processes
 *   -X ROLE   not in these: those whose role begins so
 *   -c CALL   only before this call
 *   -f CALL   of COMMAND itself only what follows its first such call
 *   -e ERROR  only this one; lie: success, and nothing is done (a control)
 *   -o POINT  only this one: PATH:CALL:N[:ERROR], as printed
 *   -O POINT  with -o: and the recovery killed at this one
 *   -2        the recovery is killed, too, at each of its points
 *   -n N      with -2: at so many random pairs instead
 *   -l FILE   output of COMMAND
 *   -F        control: records of transactions are lost with the process
 *   -L CALLS  control: these succeed and do nothing (A,B)
 *   -Q        bad points are counted only
 */
#include <sys/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/inject/sweep.h"

#define DAY (24 * 3600)
#define CANNOT 77
#define USAGE 2

static _Noreturn void
usage(const char *what)
{
	(void)fprintf(stderr, "inject: %s\n", what);
	exit(USAGE);
}

static unsigned long
number(const char *text)
{
	const char *error = NULL;
	long long n = strtonum(text, 0, 1000000000, &error);

	if (error != NULL)
		usage(text);
	return (unsigned long)n;
}

/* PATH:CALL:N[:ERROR] */
static const struct point *
parse_point(struct point *p, char *text)
{
	char *path = strsep(&text, ":");
	char *call = strsep(&text, ":");
	char *n = strsep(&text, ":");

	p->call = call != NULL ? call_named(call) : NULL;
	if (n == NULL || p->call == NULL)
		usage("a point is PATH:CALL:N[:ERROR]");
	(void)strlcpy(p->path, path, sizeof(p->path));
	p->n = (unsigned)number(n);
	p->fault = text != NULL ? fault_kind_named(text) : 0;
	return p;
}

static const struct call *
first_call(const char *name)
{
	const struct call *c = call_named(name);

	if (c == NULL)
		usage(name);
	return c;
}

static void
take_points(struct sweep *s, int option)
{
	static struct point first, second;

	if (option == 'o')
		s->only = parse_point(&first, optarg);
	else
		s->only_then = parse_point(&second, optarg);
}

static void
take_option(struct sweep *s, int option)
{
	const char **texts[] = {['w'] = &s->world.path,
	    ['b'] = &s->world.between,
	    ['B'] = &s->world.otherwise,
	    ['s'] = &s->world.saved,
	    ['d'] = &s->world.disk,
	    ['q'] = &s->world.queue,
	    ['x'] = &s->world.look,
	    ['c'] = &s->call,
	    ['r'] = &s->role,
	    ['X'] = &s->not_role,
	    ['l'] = &s->log,
	    ['L'] = &s->lies};

	if (option == 'p')
		s->one_in = (unsigned)number(optarg);
	else if (option == 'S')
		s->seed = number(optarg);
	else if (option == 'n')
		s->pairs = (unsigned)number(optarg);
	else if (option == 'o' || option == 'O')
		take_points(s, option);
	else if (option == 'f')
		s->from = first_call(optarg);
	else if (option == 'e')
		s->faults = fault_kind_named(optarg);
	else if (option == '2')
		s->depth = 2;
	else if (option == 'F')
		s->forget = true;
	else if (option == 'Q')
		s->quiet = true;
	else if (option != '?')
		*texts[option] = optarg;
	else
		usage("unknown option");
}

static void
take_mode(struct sweep *s, const char *word)
{
	static const char *const words[] = {[SWEEP_KILL] = "kill",
	    [SWEEP_POWER] = "power",
	    [SWEEP_ERROR] = "error"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			s->mode = (enum sweep_mode)i;
			return;
		}
	}
	usage("kill, power or error");
}

int
main(int argc, char **argv)
{
	static struct sweep s = {.one_in = 1, .log = "/dev/null"};
	time_t now = time(NULL);
	int option, answer;

	s.seed = (unsigned long)(now / DAY);
	while ((option = getopt(argc, argv,
		    "+w:s:d:q:b:B:x:p:S:c:f:r:X:e:o:O:2n:l:FL:Q")) != -1)
		take_option(&s, option);
	if (argc - optind < 2 || s.world.path == NULL || s.world.saved == NULL)
		usage("-w WORLD -s SAVED MODE COMMAND");
	take_mode(&s, argv[optind]);
	s.argv = argv + optind + 1;
	/* What was written before this sweep keeps its own times. */
	s.world.recent = now - 3600;
	if (!tracer_works())
		return CANNOT;
	/* Orphans of the runs are ours to wait for. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	answer = sweep_run(&s);
	world_leave(&s.world);
	return answer == -1 ? USAGE : answer;
}
