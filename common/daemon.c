/* SPDX-License-Identifier: ISC */
/* The rungs of every daemon's main: options, configuration, entry. The
 * heartbeat is in beat.c. */
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/beat.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/spool.h"
#include "common/version.h"

#define LOCK_WAIT_MS 10000 /* a predecessor that is being killed */
#define LOCK_POLL_MS 5

enum { OPT_ONCE = 256, OPT_INHERIT, OPT_DRY_RUN, OPT_VERSION };

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"foreground", no_argument, NULL, 'f'},
    {"check", no_argument, NULL, 'n'},
    {"verbose", no_argument, NULL, 'v'},
    {"queue", required_argument, NULL, 'q'},
    {"once", no_argument, NULL, OPT_ONCE},
    {"inherit", required_argument, NULL, OPT_INHERIT},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static void
print_usage(const struct daemon_opts *o, FILE *to)
{
	(void)fprintf(to, "usage: %s [-fnv] [--once%s] [-c file]%s\n", o->name,
	    o->stages ? " | --dry-run" : "", o->takes_queue ? " -q queue" : "");
}

static _Noreturn void
usage(const struct daemon_opts *o)
{
	print_usage(o, stderr);
	exit(EXIT_BAD_USAGE);
}

static _Noreturn void
help(const struct daemon_opts *o)
{
	print_usage(o, stdout);
	(void)printf("%s\n\n", o->summary);
	(void)printf("  -c, --config FILE   configuration; else "
		     "$PATCHFLOW_CONFIG, ./patchflow.yaml,\n"
		     "                      %s/patchflow/patchflow.yaml\n",
	    SYSCONFDIR);
	(void)printf("  -f, --foreground    run for a person at a terminal\n"
		     "  -n, --check         check the configuration, try what "
		     "it asks for\n"
		     "  -v, --verbose       debug lines too\n");
	if (o->takes_queue)
		(void)printf("  -q, --queue QUEUE   the queue to work on\n");
	if (o->inherits)
		(void)printf("      --inherit FD    take over from an earlier "
			     "image of this process\n");
	if (o->stages)
		(void)printf("      --dry-run       stage the job on standard "
			     "input, print its outcome\n");
	(void)printf("      --once          recover, do what can be done, "
		     "exit\n"
		     "  -h, --help          this text\n"
		     "      --version       the version\n\nSee %s.\n",
	    o->page);
	exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FATAL);
}

static _Noreturn void
version(const struct daemon_opts *o)
{
	(void)printf("%s (patchflow) %s\n", o->name, PATCHFLOW_VERSION);
	exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_FATAL);
}

static void
take_option(struct daemon_opts *o, int opt, const char *arg)
{
	const char *error = NULL;

	switch (opt) {
	case 'c':
		if (strlcpy(o->config, arg, sizeof o->config) >=
		    sizeof o->config)
			usage(o);
		break;
	case 'q':
		if (!o->takes_queue || !key_queue_valid(arg) ||
		    strlcpy(o->queue, arg, sizeof o->queue) >= sizeof o->queue)
			usage(o);
		break;
	case 'f':
		o->foreground = true;
		break;
	case 'n':
		o->check = true;
		break;
	case 'v':
		o->verbose++;
		break;
	case OPT_ONCE:
		o->once = true;
		break;
	case OPT_DRY_RUN:
		o->dry_run = true;
		if (!o->stages)
			usage(o);
		break;
	case OPT_INHERIT:
		o->inherit_fd =
		    (int)strtonum(arg, STDIN_FILENO, INT_MAX, &error);
		if (!o->inherits || error != NULL)
			usage(o);
		break;
	case 'h':
		help(o);
	case OPT_VERSION:
		version(o);
	default:
		usage(o);
	}
}

static void
name_instance(struct daemon_opts *o)
{
	(void)snprintf(o->instance, sizeof o->instance, "%s%s%s", o->name,
	    o->takes_queue ? "@" : "", o->takes_queue ? o->queue : "");
	log_init(o->instance);
	log_verbose(o->verbose);
}

void
daemon_parse(struct daemon_opts *o, int argc, char **argv)
{
	int opt;

	o->lock_fd = o->inherit_fd = -1;
	while ((opt = getopt_long(argc, argv, "c:fhnq:v", long_options,
		    NULL)) != -1)
		take_option(o, opt, optarg);
	if (o->takes_queue && o->queue[0] == '\0')
		(void)fprintf(stderr, "%s: -q wants the name of a queue\n",
		    o->name);
	if (optind != argc || (o->takes_queue && o->queue[0] == '\0'))
		usage(o);
	name_instance(o);
}

static _Noreturn void
bad_config(struct buf *errs)
{
	if (errs->len > 0 && errs->bytes[errs->len - 1] != '\n')
		buf_putc(errs, '\n');
	(void)fputs(errs->len > 0 ? errs->bytes : "", stderr);
	exit(EXIT_BAD_CONFIG);
}

static void
take_queue(struct daemon_opts *o, const struct settings *s)
{
	const struct queue_settings *q = settings_queue(s, o->queue);
	struct buf errs = {0};

	if (q == NULL) {
		buf_printf(&errs, "%s: no queue is called %s", s->path,
		    o->queue);
		bad_config(&errs);
	}
	(void)strlcpy(o->queue, q->name, sizeof o->queue);
	name_instance(o);
}

void
daemon_config(struct daemon_opts *o, struct settings *s)
{
	struct buf errs = {0};
	char path[PATH_MAX];

	if (settings_find(o->config[0] != '\0' ? o->config : NULL, path) ==
	    -1) {
		buf_printf(&errs, "%s: no configuration: %s",
		    o->config[0] != '\0' ? o->config : o->name,
		    strerror(errno));
		bad_config(&errs);
	}
	if (settings_load(s, path, &errs) == -1)
		bad_config(&errs);
	/* Absolute from here on: daemon_enter leaves the directory. */
	(void)strlcpy(o->config, s->path, sizeof o->config);
	buf_free(&errs);
	if (o->takes_queue)
		take_queue(o, s);
}

/* Standard descriptors exist, and no other was inherited: a leaked one would
 * keep a lock, a pipe or a deleted file alive for as long as we run. */
static void
tidy_descriptors(bool inherits)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	if (!inherits)
		closefrom(STDERR_FILENO + 1);
}

void
daemon_tree(const struct settings *s, struct tree *t)
{
	const char **queues = settings_queue_names(s);
	char why[PATH_MAX] = "";

	if (tree_begin(s->spool, s->user) == -1 ||
	    tree_open(t, s->spool, queues, s->queue_count, why) == -1) {
		log_warn("%s: not opened", why[0] != '\0' ? why : s->spool);
		exit(EXIT_TEMPORARY);
	}
	free(queues);
}

static int
try_lock(int run, const char *name)
{
	return flopenat(run, name,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
}

/*
 * The kernel drops a flock with the last descriptor of it, so a predecessor
 * that was killed a moment ago may still hold it while it is torn down.
 */
static int
wait_lock(int run, const char *name)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000};
	int64_t until = clock_mono_ms() + LOCK_WAIT_MS;
	int fd;

	while ((fd = try_lock(run, name)) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			break;
		if (clock_mono_ms() >= until) {
			errno = EWOULDBLOCK;
			break;
		}
		(void)nanosleep(&pause, NULL);
	}
	return fd;
}

static bool
is_our_lock(int fd, int run, const char *name)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && fstatat(run, name, &there, 0) == 0 &&
	       ours.st_ino == there.st_ino && ours.st_dev == there.st_dev &&
	       (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
}

static void
take_lock(struct daemon_opts *o, const struct tree *t)
{
	char name[80];

	(void)snprintf(name, sizeof name, "%s.lock", o->instance);
	/* Our own past holds it, and a second descriptor would wait for it. */
	if (o->lock_fd == -1 || !is_our_lock(o->lock_fd, t->run, name))
		o->lock_fd = wait_lock(t->run, name);
	if (o->lock_fd == -1 && errno == EWOULDBLOCK) {
		log_warnx("%s/run/%s: held by another process for %d s",
		    t->path, name, LOCK_WAIT_MS / 1000);
		exit(EXIT_TEMPORARY);
	}
	if (o->lock_fd == -1) {
		log_warn("%s/run/%s: not locked", t->path, name);
		exit(EXIT_TEMPORARY);
	}
	/* The pid is for people; the lock is what counts. */
	if (ftruncate(o->lock_fd, 0) == -1 ||
	    dprintf(o->lock_fd, "%ld\n", (long)getpid()) < 0)
		log_warn("%s/run/%s: pid not written", t->path, name);
}

void
daemon_enter(struct daemon_opts *o, const struct settings *s, struct tree *t)
{
	(void)umask((mode_t)settings_umask(settings_daemon(s, o->instance)));
	tidy_descriptors(o->inherit_fd != -1);
	if (chdir("/") == -1)
		fatal("/: directory not entered");
	beat_open();
	if (o->patience != NULL && !o->once && o->inherit_fd == -1)
		o->patience(s);
	daemon_tree(s, t);
	take_lock(o, t);
	log_info("%s: started, version %s, spool %s", o->instance,
	    PATCHFLOW_VERSION, t->path);
}

int
daemon_report(struct trials *t, struct settings *s)
{
	static const int status[TRIAL__MAX] = {
	    [TRIAL_OK] = EXIT_DONE,
	    [TRIAL_WARNING] = EXIT_DONE,
	    [TRIAL_TEMPORARY] = EXIT_TEMPORARY,
	    [TRIAL_ERROR] = EXIT_BAD_CONFIG,
	};
	int answer = status[t->worst];

	if (trial_print(t, stdout) == -1)
		answer = EXIT_FATAL;
	trial_free(t);
	settings_free(s);
	return answer;
}
