/* SPDX-License-Identifier: ISC */
/*
 * The patchflow command: what its verbs share. A verb takes its options with
 * ctl_option(), opens what it needs, and returns the exit status of the
 * process. Results go to standard output, everything else to standard error;
 * text from outside goes through out.h, so that no patch writes escape
 * sequences to a terminal.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <getopt.h>
#include <stdbool.h>

#include "common/settings.h"
#include "common/tree.h"

enum ctl_status {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,      /* main prints the verb's usage */
	CTL_DATA = 65,      /* a document is refused */
	CTL_DOWN = 69,      /* the suite is not running */
	CTL_TEMPORARY = 75, /* not in time, or not now */
	CTL_CONFIG = 78
};

struct ctl {
	const char *config; /* -c, or NULL */
	bool json;
	const struct verb *verb;
	int argc;    /* of the verb: argv[0] is its name; operands only, once */
	char **argv; /* ctl_option() has returned -1 */
	struct settings s;
	struct tree t;
	bool has_tree;
};

struct verb {
	const char *name;
	const char *args;    /* as in the man page: "[-q queue] file ..." */
	const char *help;    /* one line */
	const char *options; /* a line each for --help, or NULL */
	int (*run)(struct ctl *c);
};

/* NULL-terminated by name; verbs.c. */
extern const struct verb verbs[];
const struct verb *verb_find(const char *name);
/* The nearest verb's name, or NULL. */
const char *verb_hint(const char *name);

int ctl_run(struct ctl *c, int argc, char **argv);
/*
 * The next option of the verb: its letter or val, '?' or ':' after a
 * complaint, -1 at the operands. --json, -c and --help are taken everywhere.
 */
int ctl_option(struct ctl *c, const char *letters, const struct option *words);
/* The value of -n; 0 after a complaint. */
size_t ctl_count(const char *text);
/* 0, or the status to end with (said why already). */
int ctl_settings(struct ctl *c);
int ctl_open(struct ctl *c); /* settings and the spool */
/* As open, for those too who may hand in and nothing else. */
int ctl_open_inbox(struct ctl *c);
void ctl_close(struct ctl *c);
/* A queue by name or alias: its settings, or NULL after a complaint. */
const struct queue_settings *ctl_queue(struct ctl *c, const char *name);
/* "patchflow: ..." to standard error. */
void ctl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Why path cannot be used; where it is another user's, whose. */
void ctl_say_path(const char *path, int error);
/* The worse of two statuses, for verbs that go on after an error. */
int ctl_worse(int a, int b);

#endif
