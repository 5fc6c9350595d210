/* SPDX-License-Identifier: ISC */
/*
 * Reading the spool: files that anybody in a group may have planted, and
 * directories that change while they are read.
 */
#include <sys/stat.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/digest.h"
#include "common/spool.h"
#include "common/sys.h"

/* A writer named by a live pid is believed for this long; a pid may have been
 * given to somebody else. */
#define WRITER_MAX_MS (36ll * 3600 * 1000)

int
spool_dir(int base, const char *path)
{
	int fd;

	do
		fd = sys_openat(base, path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	while (fd == -1 && errno == EINTR);
	return fd;
}

/* One level: made, its mode independent of the umask, and durable. */
static int
make_level(int base, const char *path, mode_t mode)
{
	char parent[PATH_MAX];
	char *slash;
	int fd, r;

	if (sys_mkdirat(base, path, mode) == -1)
		return errno == EEXIST ? 0 : -1;
	if (sys_fchmodat(base, path, mode) == -1)
		return -1;
	(void)strlcpy(parent, path, sizeof(parent));
	slash = strrchr(parent, '/');
	if (slash == NULL)
		(void)strlcpy(parent, ".", sizeof(parent));
	else
		slash[slash == parent] = '\0';
	fd = openat(base, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	r = sys_fsync(fd);
	(void)close(fd);
	return r;
}

int
spool_make(int base, const char *path, mode_t mode)
{
	char level[PATH_MAX];
	struct stat st;

	if (strlcpy(level, path, sizeof(level)) >= sizeof(level)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *s = level + 1; *s != '\0'; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (fstatat(base, level, &st, 0) == -1 &&
		    make_level(base, level, mode) == -1)
			return -1;
		*s = '/';
	}
	return make_level(base, level, mode);
}

bool
spool_exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
owner_trusted(int dir, uid_t uid)
{
	struct stat st;

	return uid == geteuid() || uid == 0 ||
	       (fstat(dir, &st) == 0 && st.st_uid == uid);
}

/*
 * 1 when fd is a file to read, 0 when it went away after it was opened. A
 * second link would let somebody change the file after it was looked at, or
 * show us another one's.
 */
static int
file_usable(int dir, int fd, bool any_owner, struct stat *st)
{
	if (fstat(fd, st) == -1)
		return -1;
	if (st->st_nlink == 0)
		return 0;
	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 ||
	    (!any_owner && !owner_trusted(dir, st->st_uid))) {
		errno = EPERM;
		return -1;
	}
	return 1;
}

/* Until the end, and one byte more than max at most: it may be growing. */
static int
read_all(int fd, size_t max, struct buf *b)
{
	for (;;) {
		ssize_t n;

		buf_reserve(b, 65536);
		n = read(fd, b->bytes + b->len, 65536);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		b->len += (size_t)n;
		b->bytes[b->len] = '\0';
		if (b->len > max) {
			errno = EFBIG;
			return -1;
		}
	}
}

static int
read_open(int dir, const char *name)
{
	int fd;

	if (name[0] == '\0' || strchr(name, '/') != NULL) {
		errno = EINVAL;
		return -1;
	}
	do
		fd = sys_openat(dir, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0);
	while (fd == -1 && errno == EINTR);
	/* A symlink, a socket: as good as any other thing that is no file.
	 * Only that is EPERM; what a security module says is about rights. */
	if (fd == -1 && errno == EPERM)
		errno = EACCES;
	else if (fd == -1 && (errno == ELOOP || errno == ENXIO))
		errno = EPERM;
	return fd;
}

int
spool_read(int dir, const char *name, size_t max, bool any_owner,
    struct spool_file *f)
{
	struct buf b = {0};
	struct stat st;
	int fd, found, err;

	*f = (struct spool_file){0};
	fd = read_open(dir, name);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	found = file_usable(dir, fd, any_owner, &st);
	if (found == 1 && (uintmax_t)st.st_size > max) {
		errno = EFBIG;
		found = -1;
	}
	if (found == 1 && read_all(fd, max, &b) == -1)
		found = -1;
	err = errno;
	(void)close(fd);
	errno = err;
	if (found != 1) {
		buf_free(&b);
		return found;
	}
	f->len = b.len;
	f->bytes = buf_take(&b);
	f->uid = st.st_uid;
	f->ino = st.st_ino;
	f->mtime_us =
	    (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	return 1;
}

void
spool_file_free(struct spool_file *f)
{
	free(f->bytes);
	*f = (struct spool_file){0};
}

/* Is line a check at all, and which? */
static bool
check_line(const char *line, size_t len, json_int_t *bytes, char *hex)
{
	json_t *check = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *sha256;
	bool is = json_unpack_ex(check, NULL, JSON_STRICT, "{s:I,s:s}", "bytes",
		      bytes, "sha256", &sha256) == 0 &&
		  strlcpy(hex, sha256, DIGEST_SIZE) == DIGEST_SIZE - 1;

	json_decref(check);
	return is;
}

json_t *
spool_check(const char *bytes, size_t len)
{
	const char *end = len == 0 ? NULL : memchr(bytes, '\n', len);
	char want[DIGEST_SIZE], have[DIGEST_SIZE];
	json_int_t want_len;
	json_t *doc = NULL;
	size_t line;

	errno = ENOMSG;
	if (end == NULL || bytes[len - 1] != '\n')
		return NULL;
	line = (size_t)(end - bytes);
	if (!check_line(end + 1, len - line - 1, &want_len, want)) {
		errno = ENOMSG;
		return NULL;
	}
	digest_bytes(bytes, line, have);
	if ((json_int_t)line == want_len && strcmp(have, want) == 0)
		doc = json_loadb(bytes, line,
		    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (doc == NULL)
		errno = EBADMSG;
	return doc;
}

json_t *
spool_take_json(struct spool_file *f)
{
	json_t *doc = spool_check(f->bytes, f->len);

	spool_file_free(f);
	if (doc == NULL)
		errno = EBADMSG;
	return doc;
}

int
spool_read_json(int dir, const char *name, json_t **doc)
{
	struct spool_file f;
	int found = spool_read(dir, name, SPOOL_FILE_MAX, false, &f);

	*doc = NULL;
	if (found != 1)
		return found;
	*doc = spool_take_json(&f);
	return *doc != NULL ? 1 : -1;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts, and keeps the first limit of them. */
static void
names_trim(struct spool_names *n, size_t limit)
{
	if (n->count > 1)
		qsort(n->names, n->count, sizeof(n->names[0]), by_name);
	if (limit == 0 || n->count <= limit)
		return;
	for (size_t i = limit; i < n->count; i++)
		free(n->names[i]);
	n->count = limit;
	n->cut = true;
}

/*
 * With a limit at most twice as many names are held: a full array is sorted
 * and halved, and from then on what comes after its last name is passed over.
 */
static void
names_add(struct spool_names *n, size_t *room, size_t limit, const char *name)
{
	if (n->cut && strcmp(name, n->names[limit - 1]) > 0)
		return;
	if (n->count == *room) {
		*room = *room == 0 ? 64 : *room * 2;
		n->names = xreallocarray(n->names, *room, sizeof(n->names[0]));
	}
	n->names[n->count++] = xstrdup(name);
	if (limit != 0 && n->count == limit * 2)
		names_trim(n, limit);
}

/* A stream of its own over dir, whose offset is everybody's. */
DIR *
spool_opendir(int dir)
{
	int fd = spool_dir(dir, ".");
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL && fd != -1)
		(void)close(fd);
	return d;
}

const char *
spool_readdir(DIR *d)
{
	struct dirent *e;

	do {
		errno = 0; /* the end and an error look alike */
		e = readdir(d);
	} while (e != NULL && e->d_name[0] == '.');
	return e == NULL ? NULL : e->d_name;
}

int
spool_list(int dir, size_t limit, struct spool_names *out)
{
	DIR *d = spool_opendir(dir);
	const char *name;
	size_t room = 0;
	int err;

	*out = (struct spool_names){0};
	if (d == NULL)
		return -1;
	while ((name = spool_readdir(d)) != NULL)
		names_add(out, &room, limit, name);
	err = errno;
	(void)closedir(d);
	names_trim(out, limit);
	errno = err;
	if (err == 0)
		return 0;
	spool_names_free(out);
	errno = err;
	return -1;
}

void
spool_names_free(struct spool_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
	*n = (struct spool_names){0};
}

/* The pid in a put's temporary name, or 0: staged files have other names. */
static pid_t
writer_of(const char *name)
{
	const char *end = strrchr(name, '.');
	int64_t at;
	int pid;

	if (end == NULL || strcmp(end, ".tmp") != 0)
		return 0;
	/* NOLINTNEXTLINE(cert-err34-c): a wrong number only delays */
	if (sscanf(name, "%16" SCNd64 "-%d-", &at, &pid) != 2 || pid < 1)
		return 0;
	return pid;
}

/* A killed process keeps its number until it is reaped, which may be never in
 * a container; but it has no program any more, like the kernel's own. */
static bool
is_gone(pid_t pid)
{
	char path[48], program[8];

	if (kill(pid, 0) == -1 && errno == ESRCH)
		return true;
	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	return readlink(path, program, sizeof(program)) == -1 &&
	       errno == ENOENT && access("/proc/self/exe", F_OK) == 0;
}

static bool
abandoned(int tmp, const char *name, int64_t older_than_ms)
{
	struct stat st;
	int64_t age_ms;
	pid_t pid = writer_of(name);

	if (fstatat(tmp, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    S_ISDIR(st.st_mode))
		return false;
	if (older_than_ms == SPOOL_DEAD_WRITERS)
		return pid != 0 && is_gone(pid);
	age_ms = clock_wall_us() / 1000 - (int64_t)st.st_ctim.tv_sec * 1000;
	if (age_ms < older_than_ms)
		return false;
	return pid == 0 || age_ms >= WRITER_MAX_MS || is_gone(pid);
}

int
spool_sweep_tmp(int tmp, int64_t older_than_ms)
{
	DIR *d = spool_opendir(tmp);
	const char *name;
	int count = 0, err;

	if (d == NULL)
		return -1;
	while ((name = spool_readdir(d)) != NULL)
		if (abandoned(tmp, name, older_than_ms) &&
		    sys_unlinkat(tmp, name, 0) == 0)
			count++;
	err = errno;
	(void)closedir(d);
	errno = err;
	return err == 0 ? count : -1;
}
