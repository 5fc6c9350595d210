/* SPDX-License-Identifier: ISC */
/*
 * Writing into the spool: put, stage, publish, replace, move, remove. The
 * order of the calls is the contract; each fsync says what it makes true.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/spool.h"
#include "common/sys.h"

#define FILE_MODE 0640
#define CREATE_TRIES 4 /* a taken unique name is a foreign pid namespace's */

/* A name that cannot leave its directory and that listings show. */
static bool
name_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX && name[0] != '.' &&
	       strchr(name, '/') == NULL;
}

static enum spool_answer
refuse(int err)
{
	errno = err;
	return SPOOL_REFUSED;
}

int
spool_write(int fd, const void *from, size_t len)
{
	const char *bytes = from;

	while (len > 0) {
		ssize_t n = sys_write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
create(int dir, const char *name)
{
	int fd;

	do
		fd = sys_openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    FILE_MODE);
	while (fd == -1 && errno == EINTR);
	return fd;
}

/* Only a hint, so that the sync that follows has less to wait for. */
static int
start_writing(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

/*
 * Fills, syncs by that call and closes fd. Whatever fails, the file is not to
 * be used. The mode is set again because it must not depend on the caller's
 * umask: a reader of another uid gets at the file through its group.
 */
static int
fill(int fd, const char *bytes, size_t len, int (*sync)(int))
{
	int err = 0;

	if (sys_fchmod(fd, FILE_MODE) == -1 ||
	    spool_write(fd, bytes, len) == -1 || sync(fd) == -1)
		err = errno;
	/* After EINTR the descriptor is gone and the data was synced. */
	if (sys_close(fd) == -1 && errno != EINTR && err == 0)
		err = errno;
	errno = err;
	return err == 0 ? 0 : -1;
}

/* A whole, synced file under a unique name in tmp; 0, or -1 and no file. */
static int
write_unique(int tmp, const void *bytes, size_t len, char *name, size_t size)
{
	int fd = -1, err;

	for (int i = 0; fd == -1 && i < CREATE_TRIES; i++) {
		spool_unique_name("tmp", name, size);
		fd = create(tmp, name);
		if (fd == -1 && errno != EEXIST)
			return -1;
	}
	if (fd == -1)
		return -1;
	if (fill(fd, bytes, len, sys_fsync) == 0)
		return 0;
	err = errno;
	(void)sys_unlinkat(tmp, name, 0);
	errno = err;
	return -1;
}

/*
 * The destination was changed: done when that is durable. A directory whose
 * fsync failed once may lie the next time, so the caller must not
 * acknowledge on account of a later success alone; see spool.h.
 */
static enum spool_answer
synced(int dir, enum spool_answer answer)
{
	return sys_fsync(dir) == 0 ? answer : SPOOL_UNKNOWN;
}

/* After a failed rename of our own file: take it away again. That it is gone
 * already means that the rename happened after all (network filesystems). */
static enum spool_answer
withdraw(int tmp, const char *name, int err)
{
	int gone = sys_unlinkat(tmp, name, 0) == -1 && errno == ENOENT;

	errno = err;
	return gone && err != ENOENT ? SPOOL_UNKNOWN : SPOOL_REFUSED;
}

static int
rename_retry(int from, const char *a, int to, const char *b, unsigned flags)
{
	int r;

	do
		r = sys_renameat2(from, a, to, b, flags);
	while (r == -1 && errno == EINTR);
	return r;
}

enum spool_answer
spool_put(int tmp, int dst, const char *name, const void *bytes, size_t len)
{
	char unique[NAME_MAX];
	enum spool_answer answer;

	if (!name_valid(name))
		return refuse(EINVAL);
	if (write_unique(tmp, bytes, len, unique, sizeof(unique)) == -1)
		return SPOOL_REFUSED;
	if (rename_retry(tmp, unique, dst, name, RENAME_NOREPLACE) == 0)
		return synced(dst, SPOOL_DONE);
	if (errno != EEXIST)
		return withdraw(tmp, unique, errno);
	(void)withdraw(tmp, unique, EEXIST);
	/* The first put may have ended as unknown: what EXISTS says is
	 * durable too. */
	answer = synced(dst, SPOOL_EXISTS);
	if (answer == SPOOL_EXISTS)
		errno = EEXIST;
	return answer;
}

enum spool_answer
spool_put_json(int tmp, int dst, const char *name, const json_t *doc)
{
	size_t len;
	char *bytes = spool_format(doc, &len);
	enum spool_answer answer = SPOOL_REFUSED;

	if (bytes != NULL)
		answer = spool_put(tmp, dst, name, bytes, len);
	free(bytes);
	return answer;
}

static enum spool_answer
stage(int tmp, const char *name, const json_t *doc, int (*sync)(int))
{
	size_t len;
	char *bytes;
	int fd, failed, err;

	if (!name_valid(name))
		return refuse(EINVAL);
	bytes = spool_format(doc, &len);
	if (bytes == NULL)
		return SPOOL_REFUSED;
	fd = create(tmp, name);
	if (fd == -1 && errno == EEXIST && sys_unlinkat(tmp, name, 0) == 0)
		fd = create(tmp, name);
	failed = fd == -1 || fill(fd, bytes, len, sync) == -1;
	err = errno;
	if (fd != -1 && failed)
		(void)sys_unlinkat(tmp, name, 0);
	free(bytes);
	errno = err;
	return failed ? SPOOL_REFUSED : SPOOL_DONE;
}

enum spool_answer
spool_stage_json(int tmp, const char *name, const json_t *doc)
{
	return stage(tmp, name, doc, sys_fsync);
}

enum spool_answer
spool_draft_json(int tmp, const char *name, const json_t *doc)
{
	return stage(tmp, name, doc, start_writing);
}

static int
leave(int fd)
{
	(void)fd;
	return 0;
}

enum spool_answer
spool_note_json(int dir, const char *name, const json_t *doc)
{
	return stage(dir, name, doc, leave);
}

int
spool_flush(int fd)
{
	return sys_sync_file_range(fd, 0, 0,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		SYNC_FILE_RANGE_WAIT_AFTER);
}

static int
sync_name(int dir, const char *name, int (*sync)(int))
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int answer, err;

	if (fd == -1)
		return -1;
	answer = sync(fd);
	err = errno;
	(void)close(fd);
	errno = err;
	return answer;
}

int
spool_sync(int dir, const char *name)
{
	return sync_name(dir, name, sys_fsync);
}

int
spool_flush_name(int dir, const char *name)
{
	return sync_name(dir, name, spool_flush);
}

enum spool_answer
spool_publish(int tmp, int dst, const char *name)
{
	if (rename_retry(tmp, name, dst, name, RENAME_NOREPLACE) == 0)
		return synced(dst, SPOOL_DONE);
	if (errno != EEXIST)
		return SPOOL_REFUSED;
	if (synced(dst, SPOOL_EXISTS) == SPOOL_UNKNOWN)
		return SPOOL_UNKNOWN;
	errno = EEXIST;
	return SPOOL_EXISTS;
}

enum spool_answer
spool_replace_json(int tmp, int dst, const char *name, const json_t *doc)
{
	char unique[NAME_MAX];
	size_t len;
	char *bytes;
	int failed;

	if (!name_valid(name))
		return refuse(EINVAL);
	bytes = spool_format(doc, &len);
	if (bytes == NULL)
		return SPOOL_REFUSED;
	failed = write_unique(tmp, bytes, len, unique, sizeof(unique)) == -1;
	free(bytes);
	if (failed)
		return SPOOL_REFUSED;
	if (rename_retry(tmp, unique, dst, name, 0) == -1)
		return withdraw(tmp, unique, errno);
	return synced(dst, SPOOL_DONE);
}

enum spool_answer
spool_shift(int src, const char *name, int dst, const char *to)
{
	if (to == NULL)
		to = name;
	if (!name_valid(name) || !name_valid(to))
		return refuse(EINVAL);
	if (rename_retry(src, name, dst, to, RENAME_NOREPLACE) == -1)
		return errno == EEXIST ? SPOOL_EXISTS : SPOOL_REFUSED;
	return SPOOL_DONE;
}

enum spool_answer
spool_move(int src, const char *name, int dst, const char *to)
{
	enum spool_answer answer = spool_shift(src, name, dst, to);

	if (answer != SPOOL_DONE)
		return answer;
	/* The new place first: where a rename is not atomic on the disk, a
	 * name twice can be sorted out, a name nowhere cannot. */
	if (synced(dst, SPOOL_DONE) == SPOOL_UNKNOWN)
		return SPOOL_UNKNOWN;
	return src == dst ? SPOOL_DONE : synced(src, SPOOL_DONE);
}

enum spool_answer
spool_remove(int dir, const char *name)
{
	if (!name_valid(name))
		return refuse(EINVAL);
	if (sys_unlinkat(dir, name, 0) == -1 && errno != ENOENT)
		return SPOOL_REFUSED;
	return synced(dir, SPOOL_DONE);
}

char *
spool_format(const json_t *doc, size_t *len)
{
	char digest[DIGEST_SIZE];
	struct buf b = {0};
	char *line = json_dumps(doc, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_t *check;

	if (line == NULL) {
		errno = EINVAL;
		return NULL;
	}
	buf_puts(&b, line);
	free(line);
	digest_bytes(b.bytes, b.len, digest);
	check = json_pack("{s:I,s:s}", "bytes", (json_int_t)b.len, "sha256",
	    digest);
	line = json_dumps(check, JSON_COMPACT);
	json_decref(check);
	if (line == NULL || b.len + NAME_MAX > SPOOL_FILE_MAX) {
		errno = line == NULL ? ENOMEM : EFBIG;
		free(line);
		buf_free(&b);
		return NULL;
	}
	buf_putc(&b, '\n');
	buf_puts(&b, line);
	buf_putc(&b, '\n');
	free(line);
	*len = b.len;
	return buf_take(&b);
}

void
spool_unique_name(const char *ext, char *out, size_t size)
{
	/* Random, not counted: two pid namespaces may share a spool. */
	(void)snprintf(out, size, "%016" PRId64 "-%d-%08x.%s", clock_wall_us(),
	    (int)getpid(), arc4random(), ext);
}
