/* SPDX-License-Identifier: ISC */
/* The floor outside its jail: claim, transaction, commit, settle. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fsinfo.h"
#include "common/hierarchy.h"
#include "tests/bench/bench.h"
#include "tests/bench/floor.h"

#define MEMORY "2147483648"
#define PROCESSES "258"
#define PARTS (FLOOR_FILES + 2) /* and the record, and the outcome */
#define WAITED                                                                 \
	(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |                 \
	    SYNC_FILE_RANGE_WAIT_AFTER)

/* One transaction under way. */
struct txn {
	int dir;
	int upper;
	int new;
	int parts[PARTS]; /* what goes to the disk before the record counts */
};

static void
read_all(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
	char bytes[4096];

	if (fd == -1)
		return;
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	(void)close(fd);
}

static void
make_group(const struct cgroup *g)
{
	bool old = g->kind == CGROUP_V1;

	for (size_t i = 0; i < 2; i++)
		if (g->dirs[i][0] != '\0' && mkdir(g->dirs[i], 0755) == -1 &&
		    errno != EEXIST)
			err(1, "%s", g->dirs[i]);
	if (g->kind == CGROUP_NONE)
		return;
	bench_check(hierarchy_write(g->dirs[0],
			old ? "memory.limit_in_bytes" : "memory.max", MEMORY),
	    "memory");
	/* Not everywhere there. */
	(void)hierarchy_write(g->dirs[0],
	    old ? "memory.memsw.limit_in_bytes" : "memory.swap.max",
	    old ? MEMORY : "0");
	bench_check(
	    hierarchy_write(g->dirs[old ? 1 : 0], "pids.max", PROCESSES),
	    "pids");
}

/* Peaks, and whether a limit was met. */
static void
end_group(const struct cgroup *g)
{
	static const char *const files[2][4] = {
	    {"memory.peak", "memory.events", "pids.peak", "pids.events"},
	    {"memory.max_usage_in_bytes", "memory.oom_control", "pids.peak",
		"pids.events"}};
	bool old = g->kind == CGROUP_V1;

	if (g->kind == CGROUP_NONE)
		return;
	for (size_t i = 0; i < 4; i++) {
		char *path = xasprintf("%s/%s", g->dirs[old && i > 1 ? 1 : 0],
		    files[old ? 1 : 0][i]);

		read_all(AT_FDCWD, path);
		free(path);
	}
	for (size_t i = 0; i < 2; i++)
		if (g->dirs[i][0] != '\0' && rmdir(g->dirs[i]) == -1 &&
		    errno != EBUSY)
			err(1, "%s", g->dirs[i]);
}

static void
sync_unordered(const struct floor *f, int fd)
{
	if (!f->ordered)
		bench_sync(fd);
}

static void
begin(const struct floor *f, struct txn *t, pid_t pid)
{
	char name[32];

	(void)snprintf(name, sizeof name, "t%d", f->next);
	t->dir = bench_dir(f->txn, name);
	t->upper = bench_dir(t->dir, "upper");
	t->new = bench_dir(t->dir, "new");
	bench_check(mkdirat(t->dir, "work", 0700), "work");
	(void)snprintf(name, sizeof name, "/proc/%ld/stat", (long)pid);
	read_all(AT_FDCWD, name);
	bench_check(close(bench_create(t->dir, "BEGIN")), "BEGIN");
	sync_unordered(f, f->running);
}

/* What the transaction before has left, but for what an undo needs. */
static void
clear_last(const struct floor *f)
{
	static const char *const parts[] = {"work/work/incompat/volatile/dirty",
	    "work/work/incompat/volatile", "work/work/incompat", "work/work",
	    "work", "BEGIN"};
	char name[64];

	if (f->next == 0)
		return;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		(void)snprintf(name, sizeof name, "t%d/%s", f->next - 1,
		    parts[i]);
		(void)unlinkat(f->kept, name,
		    i == 0 || i == 5 ? 0 : AT_REMOVEDIR);
	}
}

/* Begins to write. Only bytes, where the journal keeps the order. */
static void
start_write(int fd)
{
	bench_check(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE),
	    "sync_file_range");
}

/* Begun while init ends; what came in between the wait writes, too. */
static void
stage(const struct floor *f, struct txn *t)
{
	char name[16];

	for (int i = 0; i < FLOOR_FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		t->parts[i] = openat(t->upper, name, O_RDONLY | O_CLOEXEC);
		bench_check(t->parts[i], name);
		bench_check(fremovexattr(t->parts[i], "trusted.overlay.origin"),
		    name);
		bench_check(renameat(t->upper, name, t->new, name), name);
	}
	t->parts[FLOOR_FILES] = bench_create(t->dir, "record");
	t->parts[FLOOR_FILES + 1] = bench_create(f->spool, "draft");
	for (int i = 0; i < PARTS; i++)
		start_write(t->parts[i]);
}

static void
await_parts(const struct floor *f, const struct txn *t)
{
	for (int i = 0; i < PARTS; i++) {
		bench_check(f->ordered
				? sync_file_range(t->parts[i], 0, 0, WAITED)
				: fsync(t->parts[i]),
		    "sync");
		(void)close(t->parts[i]);
	}
}

/* The record's name makes it so; the workspace and the outcome follow, and
 * are synced where the first does not bring the rest along. */
static void
commit(const struct floor *f, struct txn *t)
{
	char name[16];

	sync_unordered(f, t->new);
	bench_check(renameat(t->dir, "record", t->dir, "COMMIT"), "COMMIT");
	bench_sync(t->dir);
	for (int i = 0; i < FLOOR_FILES; i++) {
		(void)snprintf(name, sizeof name, "f%d", i);
		bench_check(
		    renameat2(t->new, name, f->ws, name, RENAME_EXCHANGE),
		    name);
	}
	(void)snprintf(name, sizeof name, "o%d", f->next);
	bench_check(renameat(f->spool, "draft", f->spool, name), "draft");
	sync_unordered(f, f->ws);
	sync_unordered(f, f->spool);
	bench_check(renameat(t->dir, "COMMIT", t->dir, "DONE"), "DONE");
}

static void
settle(const struct floor *f, struct txn *t)
{
	char name[16];

	bench_check(renameat(f->running, "job", f->spool, "job"), "settle");
	(void)snprintf(name, sizeof name, "t%d", f->next);
	bench_check(renameat(f->txn, name, f->kept, name), name);
	(void)close(t->new);
	(void)close(t->upper);
	(void)close(t->dir);
	end_group(&f->group);
}

static int
run_one(struct floor *f, bool last)
{
	struct floor_jail j;
	struct txn t;
	bool done;

	read_all(f->spool, "job");
	bench_check(renameat(f->spool, "job", f->running, "job"), "claim");
	make_group(&f->group);
	if (floor_jail_take(f, &j) == -1)
		return -1;
	begin(f, &t, j.pid);
	floor_jail_release(f, &j);
	if (!last)
		floor_jail_ahead(f);
	clear_last(f);
	done = floor_jail_hear(&j) == 0;
	if (done)
		stage(f, &t);
	if (floor_jail_end(&j) == -1 || !done)
		return -1;
	await_parts(f, &t);
	commit(f, &t);
	settle(f, &t);
	return 0;
}

int64_t
floor_run(struct floor *f, int n)
{
	int64_t began;
	bool well;

	if (floor_jail_open(f) == -1)
		return -1;
	began = bench_now_us();
	well = true;
	for (int i = 0; well && i < n; i++) {
		well = run_one(f, i == n - 1) == 0;
		f->next++;
	}
	began = bench_now_us() - began;
	floor_jail_close(f);
	return well ? began : -1;
}

void
floor_open(struct floor *f, int place, const char *path, int ws)
{
	int dir = bench_dir(place, "floor");
	struct fsinfo info;

	*f = (struct floor){.ws = ws};
	bench_check(fsinfo_read(dir, &info), "fsinfo");
	f->ordered = info.ordered;
	f->spool = bench_dir(dir, "spool");
	f->running = bench_dir(dir, "running");
	f->txn = bench_dir(dir, "txn");
	f->kept = bench_dir(f->txn, "kept");
	f->ws_path = xasprintf("%s/ws", path);
	f->txn_path = xasprintf("%s/floor/txn", path);
	bench_check(close(bench_create(f->spool, "job")), "job");
	(void)close(dir);
}

void
floor_close(struct floor *f)
{
	int *fds[] = {&f->spool, &f->running, &f->txn, &f->kept};

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		(void)close(*fds[i]);
	free(f->ws_path);
	free(f->txn_path);
}
