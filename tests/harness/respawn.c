/* SPDX-License-Identifier: ISC */
/*
 * The floor for tests/bench/supervisors.pl, and no supervisor: "respawn PROGRAM
 * NAME..." starts PROGRAM -q NAME for each and starts again whichever ends.
 */
#include <sys/wait.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

extern char **environ;

static pid_t
start(char *program, char *name)
{
	char option[] = "-q";
	char *argv[] = {program, option, name, NULL};
	pid_t pid;

	return posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0 ? pid
									  : -1;
}

int
main(int argc, char **argv)
{
	pid_t pids[64] = {0}, ended;
	int i;

	if (argc < 3 || argc > 64) {
		(void)fprintf(stderr, "usage: respawn PROGRAM NAME...\n");
		return 2;
	}
	for (i = 2; i < argc; i++)
		pids[i] = start(argv[1], argv[i]);
	while ((ended = waitpid(-1, NULL, 0)) > 0)
		for (i = 2; i < argc; i++)
			if (pids[i] == ended)
				pids[i] = start(argv[1], argv[i]);
	return 1;
}
