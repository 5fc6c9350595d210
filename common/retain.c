/* SPDX-License-Identifier: ISC */
/* Retention of one directory. */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/retain.h"
#include "common/spool.h"
#include "common/sys.h"

struct aged {
	char *name;
	int64_t changed_ms;
	int64_t bytes;
};

/* The oldest files behind `behind`, at most twice RETAIN_BATCH of them. */
struct oldest {
	struct aged files[2 * RETAIN_BATCH];
	size_t count;
	int64_t total_bytes; /* of all files, these or not */
	struct aged behind;  /* those up to it may not go; name NULL: none */
	bool cut;            /* there are more than these */
};

static int
by_age(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->changed_ms != y->changed_ms)
		return x->changed_ms < y->changed_ms ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Sorts by age and keeps the first RETAIN_BATCH. */
static void
trim(struct oldest *o)
{
	qsort(o->files, o->count, sizeof(o->files[0]), by_age);
	for (; o->count > RETAIN_BATCH; o->cut = true)
		free(o->files[--o->count].name);
}

static void
add(struct oldest *o, const char *name, const struct stat *st)
{
	struct aged *f = &o->files[o->count];
	int64_t blocks = (int64_t)st->st_blocks * 512;

	/* Blocks count holes and slack; not yet allocated data has none. */
	f->bytes = blocks > st->st_size ? blocks : st->st_size;
	f->changed_ms =
	    (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
	o->total_bytes += f->bytes;
	f->name = xstrdup(name);
	if (o->behind.name != NULL && by_age(f, &o->behind) <= 0) {
		free(f->name);
		return;
	}
	if (++o->count == 2 * RETAIN_BATCH)
		trim(o);
}

static int
survey(int dir, struct oldest *o)
{
	DIR *d = spool_opendir(dir);
	const char *name;
	struct stat st;
	int err;

	if (d == NULL)
		return -1;
	while ((name = spool_readdir(d)) != NULL)
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISDIR(st.st_mode))
			add(o, name, &st);
	err = errno;
	(void)closedir(d);
	errno = err;
	trim(o);
	return err == 0 ? 0 : -1;
}

static bool
take_out(int dir, const struct retain *r, const char *name)
{
	if (r->may_remove != NULL && !r->may_remove(r->owner, name))
		return false;
	if (r->move_to == -1)
		return sys_unlinkat(dir, name, 0) == 0;
	return sys_renameat2(dir, name, r->move_to, name, RENAME_NOREPLACE) ==
	       0;
}

/* How many went; *over: what is left may stay, by its age and size. */
static int
remove_oldest(int dir, const struct retain *r, struct oldest *o, bool *over)
{
	int64_t now_ms = clock_wall_us() / 1000;
	int count = 0;

	for (size_t i = 0; i < o->count; i++) {
		const struct aged *f = &o->files[i];
		bool aged = r->age_ms > 0 && now_ms - f->changed_ms > r->age_ms;
		bool full = r->bytes > 0 && o->total_bytes > r->bytes;

		*over = !aged && !full;
		if (*over)
			break;
		if (!take_out(dir, r, f->name))
			continue;
		o->total_bytes -= f->bytes;
		count++;
	}
	return count;
}

/* The next survey begins behind the last of these. */
static void
pass_on(struct oldest *o)
{
	free(o->behind.name);
	o->behind = o->files[--o->count];
	while (o->count > 0)
		free(o->files[--o->count].name);
	o->total_bytes = 0;
	o->cut = false;
}

static int
retain_passes(int dir, const struct retain *r, struct oldest *o)
{
	bool over = false;
	int count = 0;

	for (int pass = 0; pass < RETAIN_PASSES; pass++) {
		if (survey(dir, o) == -1)
			return count > 0 ? count : -1;
		count += remove_oldest(dir, r, o, &over);
		/* What was refused must not hold up what lies behind it. */
		if (over || !o->cut || count >= RETAIN_MORE)
			break;
		pass_on(o);
	}
	return count;
}

int
retain_dir(int dir, const struct retain *r)
{
	struct oldest *o = xcalloc(1, sizeof(*o));
	int count = retain_passes(dir, r, o);

	/* A file that comes back after a power cut only goes again. */
	if (count > 0 && r->move_to != -1)
		(void)sys_fsync(r->move_to);
	if (count > 0)
		(void)sys_fsync(dir);
	while (o->count > 0)
		free(o->files[--o->count].name);
	free(o->behind.name);
	free(o);
	return count;
}
