/* SPDX-License-Identifier: ISC */
/* Options, configuration and spool for every verb. */
#include "ctl/ctl.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/version.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

enum { OPT_JSON = 1000, OPT_VERSION };

#define COUNT_MAX 10000000

static const struct option everywhere[] = {
    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

void
ctl_say(const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	buf_puts(&text, "patchflow: ");
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	out_complain(text.bytes);
	buf_free(&text);
}

int
ctl_worse(int a, int b)
{
	static const int rank[] = {CTL_USAGE, CTL_CONFIG, CTL_DATA, CTL_FAILED,
	    CTL_DOWN, CTL_TEMPORARY, CTL_DONE};
	size_t i;

	for (i = 0; i < sizeof(rank) / sizeof(rank[0]); i++)
		if (a == rank[i] || b == rank[i])
			return rank[i];
	return CTL_FAILED;
}

/* A full disk behind standard output is a failure, too. */
static int
finish(int status)
{
	if ((fflush(stdout) == 0 && ferror(stdout) == 0) || status != CTL_DONE)
		return status;
	ctl_say("standard output: %s", strerror(errno));
	return CTL_FAILED;
}

/* -c, --json, --help and --version mean the same before and after a verb. */
static int
take_common(struct ctl *c, int opt)
{
	switch (opt) {
	case 'c':
		c->config = optarg;
		return 0;
	case OPT_JSON:
		c->json = true;
		return 0;
	case 'h':
		verbs_help(c->verb);
		exit(finish(CTL_DONE));
	case OPT_VERSION:
		(void)printf("patchflow %s\n", PATCHFLOW_VERSION);
		exit(finish(CTL_DONE));
	default:
		return opt;
	}
}

static size_t
count_options(const struct option *o)
{
	size_t n = 0;

	while (o != NULL && o[n].name != NULL)
		n++;
	return n;
}

static bool
is_known(const struct option *words, int val)
{
	for (; words->name != NULL; words++)
		if (words->val == val)
			return true;
	return false;
}

/* In our words, because getopt's own are not in the errors of --json. */
static void
complain_option(char *const *argv, const struct option *words, int opt)
{
	const char *word = argv[optind - 1];

	if (opt == ':')
		ctl_say("%s wants a value", word);
	else if (optopt == 0)
		ctl_say("%s is no option", word);
	else if (is_known(words, optopt))
		ctl_say("%s: that option takes no value", word);
	else
		ctl_say("-%c is no option", optopt);
}

int
ctl_option(struct ctl *c, const char *letters, const struct option *words)
{
	size_t own = count_options(words), all = count_options(everywhere);
	struct option *merged = xcalloc(own + all + 1, sizeof(*merged));
	char *short_ones = xasprintf(":c:h%s", letters);
	int opt;

	if (own > 0)
		memcpy(merged, words, own * sizeof(*merged));
	memcpy(merged + own, everywhere, all * sizeof(*merged));
	do {
		opt = getopt_long(c->argc, c->argv, short_ones, merged, NULL);
		opt = opt == -1 ? -1 : take_common(c, opt);
	} while (opt == 0);
	if (opt == ':' || opt == '?')
		complain_option(c->argv, merged, opt);
	free(merged);
	free(short_ones);
	if (opt == -1) {
		c->argc -= optind;
		c->argv += optind;
	}
	return opt;
}

size_t
ctl_count(const char *text)
{
	const char *err = NULL;
	long long count = strtonum(text, 1, COUNT_MAX, &err);

	if (err == NULL)
		return (size_t)count;
	ctl_say("\"%s\" is no count of 1 to %d", text, COUNT_MAX);
	return 0;
}

static int
complain_verb(const char *name)
{
	const char *hint = verb_hint(name);

	if (hint != NULL)
		ctl_say("no command is called \"%s\"; did you mean %s?", name,
		    hint);
	else
		ctl_say("no command is called \"%s\"; see patchflow --help",
		    name);
	return CTL_USAGE;
}

static int
run_verb(struct ctl *c, int argc, char **argv)
{
	char *name;
	int status;

	c->verb = verb_find(argv[0]);
	if (c->verb == NULL)
		return complain_verb(argv[0]);
	c->argc = argc;
	c->argv = argv;
	argv[0] = name = xasprintf("patchflow %s", c->verb->name);
	optind = 0; /* starts getopt(3) anew */
	status = c->verb->run(c);
	free(name);
	if (status == CTL_USAGE)
		verbs_usage(c->verb);
	ctl_close(c);
	return status;
}

/* A stream that the caller has closed would be the next file that is opened,
 * a request in the spool perhaps. It is taken the wrong way round, so that
 * writing to it still fails. */
static void
occupy_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd != -1)
		(void)close(fd);
}

static int
run(struct ctl *c, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+:c:h", everywhere, NULL)) != -1)
		if (take_common(c, opt) != 0) {
			complain_option(argv, everywhere, opt);
			verbs_usage(NULL);
			return CTL_USAGE;
		}
	if (optind >= argc) {
		verbs_usage(NULL);
		return CTL_USAGE;
	}
	return run_verb(c, argc - optind, argv + optind);
}

int
ctl_run(struct ctl *c, int argc, char **argv)
{
	int status;

	occupy_streams();
	opterr = 0;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters */
	log_init("patchflow");
	status = run(c, argc, argv);
	if (c->json && status != CTL_DONE)
		out_failure(status);
	return finish(status);
}

int
ctl_settings(struct ctl *c)
{
	struct buf errs = {0};
	char path[PATH_MAX];

	if (settings_find(c->config, path) == -1) {
		ctl_say("configuration: %s", strerror(errno));
		return CTL_CONFIG;
	}
	if (settings_load(&c->s, path, &errs) == 0) {
		buf_free(&errs);
		return 0;
	}
	out_complain_all(errs.len > 0 ? errs.bytes : "");
	buf_free(&errs);
	if (c->config == NULL && access(path, F_OK) == -1)
		ctl_say("no configuration here; `patchflow init` writes one");
	return CTL_CONFIG;
}

void
ctl_say_path(const char *path, int error)
{
	struct passwd *pw;
	struct stat st;

	if ((error != EACCES && error != EPERM) || stat(path, &st) == -1 ||
	    st.st_uid == geteuid()) {
		ctl_say("%s: %s", path, strerror(error));
		return;
	}
	pw = getpwuid(st.st_uid);
	ctl_say("%s belongs to user %s (uid %ju): run this as that user, or "
		"with a configuration of your own",
	    path, pw != NULL ? pw->pw_name : "?", (uintmax_t)st.st_uid);
}

int
ctl_open_inbox(struct ctl *c)
{
	const char **names;
	char why[PATH_MAX] = "";
	int error, status = ctl_settings(c);

	if (status != 0)
		return status;
	names = settings_queue_names(&c->s);
	status = tree_begin(c->s.spool, c->s.user);
	if (status == 0)
		status =
		    tree_open(&c->t, c->s.spool, names, c->s.queue_count, why);
	error = errno;
	free(names);
	c->has_tree = status == 0;
	/* tree.h: what is none of this user's business stays closed */
	if (status == 0 && c->t.inbox.dir[BOX_NEW] != -1)
		return 0;
	if (status == 0) {
		(void)strlcpy(why, c->t.path, sizeof(why));
		error = EACCES;
	}
	ctl_say_path(why[0] != '\0' ? why : c->s.spool, error);
	return CTL_FAILED;
}

int
ctl_open(struct ctl *c)
{
	int status = ctl_open_inbox(c);

	if (status != 0 || (c->t.ids != -1 && c->t.run != -1))
		return status;
	ctl_say("%s: you may hand patches in, but not look or act; "
		"members of group patchflow may look, see approvers in "
		"patchflow.yaml(5)",
	    c->t.path);
	return CTL_FAILED;
}

void
ctl_close(struct ctl *c)
{
	if (c->has_tree)
		tree_close(&c->t);
	c->has_tree = false;
	settings_free(&c->s);
}

const struct queue_settings *
ctl_queue(struct ctl *c, const char *name)
{
	const struct queue_settings *q = settings_queue(&c->s, name);
	struct buf all = {0};
	size_t i;

	if (q != NULL)
		return q;
	for (i = 0; i < c->s.queue_count; i++)
		buf_printf(&all, "%s%s", i > 0 ? ", " : "",
		    c->s.queues[i].name);
	ctl_say("no queue is called \"%s\"; there is %s", name, all.bytes);
	buf_free(&all);
	return NULL;
}
