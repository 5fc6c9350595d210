/* SPDX-License-Identifier: ISC */
/*
 * The parts of tests/crash/power_spool.t that must be a program: it works on
 * a filesystem of its own and cuts its power behind the nth system call
 * (FS_IOC_SHUTDOWN without flushing the log: what was not made durable is
 * gone); after the next mount it looks at what was left.
 *
 *   sweep_power make DIR            an empty spool
 *   sweep_power cut DIR N [lies]    works; prints a letter for each promise;
 *                                   99 when the power went
 *   sweep_power check DIR PROMISES  0 when they were kept
 *   sweep_power durability DIR      what fsinfo says
 */
#include <sys/ioctl.h>
#include <fcntl.h>
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fsinfo.h"
#include "tests/unit/fault.h"
#include "tests/unit/model.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#endif
#define NO_LOG_FLUSH 2

/* Promises: a document accepted (the model), claimed, with an outcome,
 * settled. */
#define ACCEPTED 'a'
#define CLAIMED 'c'
#define OUTCOME 'o'
#define SETTLED 's'

static void
cut_power(void *arg)
{
	uint32_t flags = NO_LOG_FLUSH;

	if (ioctl(*(int *)arg, FS_IOC_SHUTDOWN, &flags) == -1)
		_exit(2);
	_exit(FAULT_KILLED);
}

static int
promise(char c)
{
	return write(STDOUT_FILENO, &c, 1) == 1 ? 0 : -1;
}

/* The queue file of the first document, wherever it is, and its outcome. */
struct first {
	char name[NAME_SIZE];
	struct queue_name parsed;
	enum queue_dir where;
	bool outcome;
	int places;
};

static bool
first_in(struct model *m, enum queue_dir d, struct first *f)
{
	struct spool_names n;
	bool found = false;

	if (spool_list(m->queue->dir[d], 1, &n) == -1)
		err(2, "list");
	found =
	    n.count > 0 && key_parse_queue_file(n.names[0], &f->parsed) == 0;
	if (found) {
		(void)strlcpy(f->name, n.names[0], sizeof(f->name));
		f->where = d;
	}
	spool_names_free(&n);
	return found;
}

/* Claim, outcome, settle of the document that is first in order. */
static int
execute(struct model *m)
{
	struct queue_tree *q = m->queue;
	struct first f;
	char outcome[NAME_SIZE];
	json_t *doc = json_pack("{s:s}", "digest", "an outcome");
	int r = -1;

	if (!first_in(m, Q_PATCHES, &f))
		return -1;
	key_outcome_file(f.parsed.key, f.parsed.attempt, outcome);
	if (spool_move(q->dir[Q_PATCHES], f.name, q->dir[Q_RUNNING], NULL) ==
		SPOOL_DONE &&
	    promise(CLAIMED) == 0 &&
	    spool_put_json(q->outcomes.dir[BOX_TMP], q->outcomes.dir[BOX_NEW],
		outcome, doc) == SPOOL_DONE &&
	    promise(OUTCOME) == 0 &&
	    spool_move(q->dir[Q_RUNNING], f.name, q->dir[Q_COMPLETED], NULL) ==
		SPOOL_DONE)
		r = promise(SETTLED);
	json_decref(doc);
	return r;
}

static int
run_cut(struct model *m, long n, bool lies)
{
	int dir = m->tree.root;

	m->accepted_fd = STDOUT_FILENO;
	fault_hook(cut_power, &dir);
	fault_fsync_lies(lies);
	fault_set(FAULT_CALL, n, 0);
	if (model_bridge(m) != 0)
		return 1;
	return execute(m) == 0 ? 0 : 1;
}

static int
broken(const char *what)
{
	warnx("%s", what);
	return 1;
}

/* The claimed file is in one place, as far on as was promised. */
static int
check_execution(struct model *m, const char *promises)
{
	struct first f = {0}, here;
	char outcome[NAME_SIZE];
	bool has_outcome;

	for (int d = Q_RUNNING; d <= Q_COMPLETED; d++)
		if (first_in(m, (enum queue_dir)d, &here)) {
			f = here;
			f.places++;
		}
	if (f.places == 0)
		return strchr(promises, CLAIMED) != NULL ? broken("claim lost")
							 : 0;
	if (f.places > 1 || spool_exists(m->queue->dir[Q_PATCHES], f.name))
		return broken("a file in two states");
	key_outcome_file(f.parsed.key, f.parsed.attempt, outcome);
	has_outcome = spool_exists(m->queue->outcomes.dir[BOX_NEW], outcome);
	if (!has_outcome &&
	    (strchr(promises, OUTCOME) != NULL || f.where == Q_COMPLETED))
		return broken("outcome lost");
	if (strchr(promises, SETTLED) != NULL && f.where != Q_COMPLETED)
		return broken("settling lost");
	return 0;
}

static int
check(struct model *m, const char *promises)
{
	int count[MODEL_DOCUMENTS];
	size_t accepted = strspn(promises, "a");

	/* Without the source: what was accepted must be here by itself. */
	if (ids_recover(&m->tree) == -1)
		return broken("recovery failed");
	model_count(m, count);
	for (size_t i = 0; i < accepted && i < MODEL_DOCUMENTS; i++)
		if (count[i] == 0)
			return broken("accepted document lost");
	if (!model_holds(m))
		return broken("doubled, or the cursor ran ahead");
	if (check_execution(m, promises) != 0)
		return 1;
	if (model_bridge(m) != 0 || !model_complete(m))
		return broken("not everything once in the end");
	return 0;
}

static int
print_durability(const char *dir)
{
	struct fsinfo info;
	int fd = spool_dir(AT_FDCWD, dir);

	if (fd == -1 || fsinfo_read(fd, &info) == -1)
		err(2, "%s", dir);
	(void)puts(durability_name[info.durability]);
	return 0;
}

int
main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct model m;
	int r = 0;

	if (argc < 3) {
		(void)puts("1..0 # SKIP run by tests/crash/power_spool.t");
		return 0;
	}
	if (strcmp(argv[1], "durability") == 0)
		return print_durability(argv[2]);
	(void)snprintf(path, sizeof(path), "%s/spool", argv[2]);
	if (model_open(&m, path) == -1)
		err(2, "%s", path);
	if (strcmp(argv[1], "cut") == 0 && argc > 3)
		r = run_cut(&m, strtol(argv[3], NULL, 10), argc > 4);
	else if (strcmp(argv[1], "check") == 0)
		r = check(&m, argc > 3 ? argv[3] : "");
	model_close(&m);
	return r;
}
