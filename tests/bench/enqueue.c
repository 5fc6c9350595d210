/* SPDX-License-Identifier: ISC */
/*
 * enqueue [DIR [COUNT]]: durable enqueues a second, of spool_put and of
 * ids_accept, each against a bare loop of the same system calls in the same
 * run on the same directory. The four take turns, so that a busy disk or
 * machine slows all of them.
 */
#include <sys/param.h>
#include <sys/stat.h>
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/fsinfo.h"
#include "common/ids.h"

#define COUNT 1000
#define ROUND 25 /* enqueues before the next one's turn */
#define DOCUMENT 2048

struct bench {
	struct tree tree;
	struct queue_tree *queue;
	char path[PATH_MAX];
	json_t *doc;
	char *bytes; /* the same document, as written */
	size_t len;
	int bare_tmp, bare_new, bare_pending, bare_ids;
};

static int64_t
now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock");
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
must(int ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void
bare_write(const struct bench *b, const char *name)
{
	int fd = openat(b->bare_tmp, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

	must(fd != -1 && fchmod(fd, 0640) == 0 &&
		 write(fd, b->bytes, b->len) == (ssize_t)b->len &&
		 fsync(fd) == 0 && close(fd) == 0,
	    "bare write");
}

static void
bare_rename(int from, const char *name, int to)
{
	must(renameat2(from, name, to, name, RENAME_NOREPLACE) == 0 &&
		 fsync(to) == 0,
	    "bare rename");
}

static void
bare_put(struct bench *b, int n)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "put-%d", n);
	bare_write(b, name);
	bare_rename(b->bare_tmp, name, b->bare_new);
}

static void
suite_put(struct bench *b, int n)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "put-%d", n);
	must(spool_put_json(b->tree.inbox.dir[BOX_TMP],
		 b->tree.inbox.dir[BOX_NEW], name, b->doc) == SPOOL_DONE,
	    "spool_put_json");
}

/* The document, the entry, publish, the entry to its place. */
static void
bare_accept(struct bench *b, int n)
{
	char name[NAME_SIZE], split[3], target[NAME_SIZE];
	int dir;

	(void)snprintf(name, sizeof(name), "%02x-accept-%d", n % 256, n);
	(void)snprintf(split, sizeof(split), "%02x", (unsigned)n % 256);
	(void)snprintf(target, sizeof(target), "MAIN/%0100d", n);
	bare_write(b, name);
	must(symlinkat(target, b->bare_pending, name) == 0 &&
		 fsync(b->bare_pending) == 0,
	    "bare entry");
	bare_rename(b->bare_tmp, name, b->bare_new);
	if (mkdirat(b->bare_ids, split, 0750) == 0)
		must(fsync(b->bare_ids) == 0, "bare split");
	dir = openat(b->bare_ids, split, O_RDONLY | O_DIRECTORY);
	must(dir != -1, "bare split");
	bare_rename(b->bare_pending, name, dir);
	(void)close(dir);
}

static void
suite_accept(struct bench *b, int n)
{
	struct ids_entry e = {.queue = "MAIN", .attempt = 1, .rev = 1};
	struct ids_accept a = {.tree = &b->tree, .entry = &e, .doc = b->doc};
	char id[32];

	(void)snprintf(id, sizeof(id), "patch-%d", n);
	a.id = id;
	key_make(1764000000000000 + n, id, e.key);
	digest_bytes(id, strlen(id), e.digest);
	must(ids_accept(&a) == SPOOL_DONE, "ids_accept");
}

static const struct {
	const char *name;
	void (*run)(struct bench *, int n);
	int floor; /* index of the bare loop; -1: it is one */
} loops[] = {
    {"bare put", bare_put, -1},
    {"spool_put", suite_put, 0},
    {"bare accept", bare_accept, -1},
    {"ids_accept", suite_accept, 2},
};
#define LOOPS (sizeof(loops) / sizeof(loops[0]))

static int
bare_dir(const struct bench *b, const char *name)
{
	int fd;

	must(mkdirat(b->tree.root, name, 0750) == 0, name);
	fd = openat(b->tree.root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd != -1, name);
	return fd;
}

static void
open_bench(struct bench *b, const char *dir)
{
	static const char *const queues[] = {"MAIN"};
	char why[PATH_MAX], text[DOCUMENT];

	(void)snprintf(b->path, sizeof(b->path), "%s/patchflow-bench.XXXXXX",
	    dir);
	must(mkdtemp(b->path) != NULL, dir);
	must(tree_open(&b->tree, b->path, queues, 1, why) == 0, why);
	b->queue = tree_queue(&b->tree, "MAIN");
	b->bare_tmp = bare_dir(b, "bare-tmp");
	b->bare_new = bare_dir(b, "bare-new");
	b->bare_pending = bare_dir(b, "bare-pending");
	b->bare_ids = bare_dir(b, "bare-ids");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	b->doc = json_pack("{s:s,s:s}", "digest", "x", "text", text);
	b->bytes = spool_format(b->doc, &b->len);
	must(b->bytes != NULL, "document");
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
close_bench(struct bench *b)
{
	free(b->bytes);
	json_decref(b->doc);
	(void)close(b->bare_tmp);
	(void)close(b->bare_new);
	(void)close(b->bare_pending);
	(void)close(b->bare_ids);
	tree_close(&b->tree);
	(void)nftw(b->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
report(const struct bench *b, int count, const int64_t spent_ns[LOOPS])
{
	struct fsinfo info;

	must(fsinfo_read(b->tree.root, &info) == 0, "fsinfo");
	(void)printf("durability: %s\n%d documents of %zu bytes each\n",
	    durability_name[info.durability], count, b->len);
	for (size_t i = 0; i < LOOPS; i++) {
		double rate = count * 1e9 / (double)spent_ns[i];

		(void)printf("%-12s %8.0f /s", loops[i].name, rate);
		if (loops[i].floor != -1)
			(void)printf("  %3.0f %% of its system calls alone",
			    100.0 * (double)spent_ns[loops[i].floor] /
				(double)spent_ns[i]);
		(void)putchar('\n');
	}
}

static int64_t
run_round(struct bench *b, size_t loop, int from, int end)
{
	int64_t start_ns = now_ns();

	for (int n = from; n < end; n++)
		loops[loop].run(b, n);
	return now_ns() - start_ns;
}

int
main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	const char *dir = argc > 1 ? argv[1] : tmp != NULL ? tmp : "/tmp";
	int count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : COUNT;
	int64_t spent_ns[LOOPS] = {0};
	struct bench b = {0};

	if (count < 1)
		errx(2, "usage: enqueue [directory [count]]");
	open_bench(&b, dir);
	for (int n = 0; n < count; n += ROUND)
		for (size_t i = 0; i < LOOPS; i++) {
			/* Nobody always comes behind the same neighbour. */
			size_t turn = (i + (size_t)(n / ROUND)) % LOOPS;

			spent_ns[turn] +=
			    run_round(&b, turn, n, MIN(n + ROUND, count));
		}
	report(&b, count, spent_ns);
	close_bench(&b);
	return 0;
}
