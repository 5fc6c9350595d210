/* SPDX-License-Identifier: ISC */
/*
 * What only trying tells about a configuration: the list of what was tried,
 * and the trials of files. A daemon that is started with -n tries what is its
 * own, as the user it runs as, and prints its list; the command's
 * check-config runs them all and adds the lists up.
 */
#ifndef COMMON_TRIAL_H
#define COMMON_TRIAL_H

#include <stdio.h>
#include <jansson.h>

enum trial_result {
	TRIAL_OK,
	TRIAL_WARNING,
	TRIAL_TEMPORARY, /* not now; a daemon waits for it and goes on */
	TRIAL_ERROR,
	TRIAL__MAX
};
/* "ok", "warning", "temporary", "error". */
extern const char *const trial_result_name[TRIAL__MAX];

struct trials {
	json_t *list; /* {subject, check, result, detail, fix}; owned */
	enum trial_result worst;
};

/* Adds one; takes detail, which is the caller's no more. */
void trial_note(struct trials *t, enum trial_result result, const char *subject,
    const char *check, char *detail);
/* What to do about the trial noted last. */
void trial_fix(struct trials *t, const char *fix);
/* One JSON line each; 0, or -1. */
int trial_print(const struct trials *t, FILE *to);
/* The lines of trial_print in text, added: how many, -1 where one is no such
 * line. */
int trial_parse(struct trials *t, const char *text);
void trial_free(struct trials *t);

/* TRIAL_TEMPORARY for what may pass by itself, else TRIAL_ERROR. */
enum trial_result trial_judge(int error);
/* "PATH: strerror(errno)", the caller's. */
char *trial_explain(const char *path);

/* A file can be made in path and goes again: 0, or -1 with errno. */
int trial_write(const char *path);
/* A directory that can be written; where it is missing, its parent lets us
 * make it. */
int trial_directory(const char *path);
/* A file that can be appended to without writing to it; where it is missing,
 * its directory lets us make it. */
int trial_append(const char *path);

#endif
