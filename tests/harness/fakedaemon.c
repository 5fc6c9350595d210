/* SPDX-License-Identifier: ISC */
/*
 * A stand-in for any supervised daemon, to be linked under the daemons' names
 * into a directory that $PATCHFLOW_LIBEXEC names. It climbs the real rungs
 * (lock, readiness, heartbeat) and does what $FAKE_DIR/INSTANCE says, one
 * word a line:
 *
 *   exit N          exit with N before being ready
 *   exit-ready N    ... right behind it
 *   exit-worked N   ... behind its first unit of work
 *   hang            be ready, then neither beat nor read signals
 *   mute            never be ready nor beat
 *   deaf            ignore TERM
 *   idle            report no work
 *   escape          leave a double-forked descendant in a session of its own
 *                   that ignores TERM and forks anew every few milliseconds
 *                   for 20 s; it holds a lock on $FAKE_DIR/escape.PID
 *   swift           ... every millisecond, each time in a session of its own
 *   flood           write log lines without end
 *   burn            use a processor
 *   count           write "count N" twice a millisecond, N from 0
 *
 * Each life is stamped into $FAKE_DIR/lives: "INSTANCE begin PID TIME" under
 * its own exclusive lock on INSTANCE.alive, and an end where there is one; a
 * second copy that finds the lock taken writes "INSTANCE TWIN".
 */
#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/loop.h"

struct fake {
	struct daemon_opts opts;
	struct loop loop;
	struct timer beat;
	struct timer flood;
	struct timer count;
	struct timer burn;
	uint64_t counted;
	const char *dir;
	char script[256];
	bool idle;
	bool deaf;
	uint64_t work;
};

static void
stamp(const struct fake *f, const char *what)
{
	char path[PATH_MAX], line[160];
	int fd, n;

	(void)snprintf(path, sizeof path, "%s/lives", f->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	n = snprintf(line, sizeof line, "%s %s %ld %" PRId64 "\n",
	    f->opts.instance, what, (long)getpid(), clock_mono_ms());
	if (fd == -1 || write(fd, line, (size_t)n) != n)
		fatal("%s: not stamped", path);
	(void)close(fd);
}

/* Held until the process is gone, whatever ends it. */
static void
be_the_only_one(const struct fake *f)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s.alive", f->dir,
	    f->opts.instance);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1)
		fatal("%s", path);
	stamp(f, flock(fd, LOCK_EX | LOCK_NB) == 0 ? "begin" : "TWIN");
}

static void
read_script(struct fake *f)
{
	char path[PATH_MAX];
	ssize_t n = 0;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", f->dir, f->opts.instance);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		n = read(fd, f->script, sizeof f->script - 1);
		(void)close(fd);
	}
	f->script[n > 0 ? n : 0] = '\0';
}

static bool
told(const struct fake *f, const char *word)
{
	return strstr(f->script, word) != NULL;
}

/* Exits where the script has "word N". */
static void
maybe_exit(const struct fake *f, const char *word)
{
	const char *at = strstr(f->script, word);

	if (at == NULL || at[strlen(word)] != ' ')
		return;
	_exit((int)strtol(at + strlen(word), NULL, 10));
}

/* A process group or session of its own every so often: neither parent, nor
 * session, nor group lead to it for long. */
static _Noreturn void
flee(bool swift)
{
	const struct timespec rest = {.tv_nsec = swift ? 1000000 : 5000000};
	int64_t until = clock_mono_ms() + 20000;
	int generation;

	(void)signal(SIGTERM, SIG_IGN);
	for (generation = 0; clock_mono_ms() < until; generation++) {
		(void)nanosleep(&rest, NULL);
		if (fork() != 0)
			_exit(0);
		if (swift)
			(void)setsid();
		else if (generation % 16 == 0)
			(void)setpgid(0, 0);
	}
	_exit(0);
}

static void
escape(const struct fake *f)
{
	char path[PATH_MAX];
	int fd;

	if (fork() != 0)
		return;
	(void)setsid();
	if (fork() != 0)
		_exit(0);
	closefrom(3);
	(void)snprintf(path, sizeof path, "%s/escape.%ld", f->dir,
	    (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT, 0666);
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1)
		fatal("%s", path);
	stamp(f, "escaped");
	flee(told(f, "swift"));
}

static void
hang(void)
{
	for (;;)
		(void)pause();
}

static void
on_beat(struct loop *l, struct timer *t)
{
	struct fake *f = t->owner;

	if (!f->idle)
		f->work++;
	daemon_beat(f->work, 0, f->idle ? "idle" : "busy with nothing");
	if (f->work > 0)
		maybe_exit(f, "exit-worked");
	loop_after(l, t, daemon_beat_interval());
}

static void
on_flood(struct loop *l, struct timer *t)
{
	struct fake *f = t->owner;
	int i;

	for (i = 0; i < 100; i++)
		log_info("flood of lines from pid %ld", (long)getpid());
	loop_after(l, &f->flood, 1);
}

static void
on_burn(struct loop *l, struct timer *t)
{
	int64_t until = clock_mono_ms() + 20;

	while (clock_mono_ms() < until)
		continue;
	loop_after(l, t, 1);
}

/* Unlike a log line it waits for room: not a byte is to be lost. */
static void
on_count(struct loop *l, struct timer *t)
{
	struct fake *f = t->owner;
	int i;

	for (i = 0; i < 2; i++)
		if (dprintf(STDERR_FILENO, "count %" PRIu64 "\n",
			f->counted++) < 0)
			fatal("not counted");
	loop_after(l, &f->count, 1);
}

static void
on_signal(struct loop *l, const struct signalfd_siginfo *si)
{
	const struct fake *f = l->owner;

	if (si->ssi_signo == SIGTERM && !f->deaf)
		loop_stop(l);
}

static void
climb(struct fake *f, int argc, char **argv)
{
	struct settings conf;
	struct tree tree;
	const char *slash = strrchr(argv[0], '/');

	f->opts.name = slash != NULL ? slash + 1 : argv[0];
	f->opts.page = "nothing(8)";
	f->opts.summary = "Pretend.";
	f->opts.takes_queue = strcmp(f->opts.name, "executor") == 0;
	f->dir = getenv("FAKE_DIR");
	if (f->dir == NULL)
		fatalx("FAKE_DIR is not set");
	log_init(f->opts.name);
	daemon_parse(&f->opts, argc, argv);
	daemon_config(&f->opts, &conf);
	read_script(f);
	maybe_exit(f, "exit");
	daemon_enter(&f->opts, &conf, &tree);
	be_the_only_one(f);
	settings_free(&conf);
	tree_close(&tree);
}

int
main(int argc, char **argv)
{
	static struct fake f;

	climb(&f, argc, argv);
	if (f.opts.once)
		return EXIT_DONE;
	if (loop_open(&f.loop, &f, on_signal) == -1)
		fatal("no loop");
	f.idle = told(&f, "idle");
	f.deaf = told(&f, "deaf");
	f.beat = (struct timer){.on = on_beat, .owner = &f};
	f.count = (struct timer){.on = on_count, .owner = &f};
	f.flood = (struct timer){.on = on_flood, .owner = &f};
	if (told(&f, "escape"))
		escape(&f);
	if (!told(&f, "mute"))
		daemon_ready(&f.opts);
	maybe_exit(&f, "exit-ready");
	if (told(&f, "hang"))
		hang();
	if (told(&f, "flood"))
		loop_after(&f.loop, &f.flood, 0);
	f.burn = (struct timer){.on = on_burn, .owner = &f};
	if (told(&f, "burn"))
		loop_after(&f.loop, &f.burn, 0);
	if (told(&f, "count"))
		loop_after(&f.loop, &f.count, 0);
	if (!told(&f, "mute"))
		loop_after(&f.loop, &f.beat, 0);
	loop_run(&f.loop);
	daemon_stopping();
	stamp(&f, "end");
	return EXIT_DONE;
}
