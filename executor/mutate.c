/* SPDX-License-Identifier: ISC */
/* Mutations that make, move and remove; change.c has those of contents. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/spool.h"
#include "common/sys.h"
#include "executor/beneath.h"
#include "executor/mutate_part.h"
#include "executor/subtree.h"

int
mutate_errno(const struct plan_step *s, const char *what, struct fault *f)
{
	int saved = errno;

	if (saved == ELOOP || saved == ENOTDIR) {
		(void)fault_fail(f, OUTCOME_MUTATION,
		    "%s %s: a directory in it is a file or a symbolic link, "
		    "and none is followed",
		    what, s->path);
		fault_hint(f, "name the file that the link points to");
		return -1;
	}
	if (saved == EXDEV)
		fault_hint(f, "another filesystem is mounted in the "
			      "workspace there; patches cannot change it");
	errno = saved;
	return fault_errno(f, OUTCOME_MUTATION, "%s %s", what, s->path);
}

int
mutate_store(int root, const char *path, const struct plan_text *t, int mode)
{
	const char *name;
	int dir = beneath_parent(root, path, &name);
	int fd, answer = -1, saved;

	if (dir == -1)
		return -1;
	fd = sys_openat(dir, name,
	    O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd == -1 && errno == ENOENT)
		fd = sys_openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd == -1)
		goto out;
	if (spool_write(fd, t->bytes, t->len) == 0 &&
	    (mode == -1 || sys_fchmod(fd, (mode_t)mode) == 0))
		answer = 0;
out:
	saved = errno;
	if (fd != -1)
		(void)close(fd);
	(void)close(dir);
	errno = saved;
	return answer;
}

int
mutate_refuse_other(const struct plan_step *s, const struct stat *st,
    struct fault *f)
{
	const char *what = S_ISDIR(st->st_mode)   ? "a directory"
			   : S_ISLNK(st->st_mode) ? "a symbolic link"
						  : "not a regular file";

	(void)fault_fail(f, OUTCOME_MUTATION, "%s is %s", s->path, what);
	if (S_ISLNK(st->st_mode))
		fault_hint(f, "name the file that it points to, or delete the "
			      "link first");
	return -1;
}

int
mutate_size(const struct plan_step *s, size_t len, int64_t max, struct fault *f)
{
	if (len <= (uint64_t)max)
		return 0;
	return fault_fail(f, OUTCOME_LIMIT,
	    "%s would have %zu bytes, the limit is %lld", s->path, len,
	    (long long)max);
}

int
mutate_write(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct stat st;
	int found = beneath_stat(root, s->path, &st);

	if (found == -1)
		return mutate_errno(s, "write", f);
	if (found == 1 && s->create) {
		(void)fault_fail(f, OUTCOME_MUTATION, "%s exists already",
		    s->path);
		fault_hint(f, "create: true is for files that are new; use "
			      "edits, or leave create out to replace it");
		return -1;
	}
	if (found == 1 && !S_ISREG(st.st_mode))
		return mutate_refuse_other(s, &st, f);
	if (mutate_size(s, s->text.len, max, f) == -1)
		return -1;
	if (beneath_make_parents(root, s->path) == -1 ||
	    mutate_store(root, s->path, &s->text, s->mode) == -1)
		return mutate_errno(s, "write", f);
	return 0;
}

int
mutate_delete(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct stat st;
	const char *name;
	int found = beneath_stat(root, s->path, &st);
	int dir, answer;

	(void)max;
	if (found == 0)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s does not exist, so it cannot be deleted", s->path);
	dir = found == 1 ? beneath_parent(root, s->path, &name) : -1;
	if (dir == -1)
		return mutate_errno(s, "delete", f);
	answer = subtree_remove(dir, name);
	if (answer == -1)
		(void)mutate_errno(s, "delete", f);
	(void)close(dir);
	return answer;
}

/* The overlay answers EXDEV for directories that it did not make itself. */
static int
move(int from, const char *a, int to, const char *b)
{
	if (sys_renameat2(from, a, to, b, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EXDEV || subtree_copy(from, a, to, b) == -1)
		return -1;
	return subtree_remove(from, a);
}

static int
step_rename(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	const char *a, *b;
	struct stat st;
	int from, to = -1, answer = -1;

	(void)max;
	if (beneath_stat(root, s->path, &st) == 0)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s does not exist, so it cannot be renamed", s->path);
	if (beneath_stat(root, s->to, &st) == 1)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s exists already, so %s cannot be renamed to it", s->to,
		    s->path);
	if (beneath_make_parents(root, s->to) == -1)
		return mutate_errno(s, "rename", f);
	from = beneath_parent(root, s->path, &a);
	to = from != -1 ? beneath_parent(root, s->to, &b) : -1;
	if (to != -1)
		answer = move(from, a, to, b);
	if (answer == -1)
		(void)mutate_errno(s, "rename", f);
	if (from != -1)
		(void)close(from);
	if (to != -1)
		(void)close(to);
	return answer;
}

static int
step_mkdir(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	const char *name;
	struct stat st;
	int dir, answer;

	(void)max;
	if (beneath_stat(root, s->path, &st) == 1) {
		if (S_ISDIR(st.st_mode))
			return 0; /* as mkdir -p */
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s exists and is not a directory", s->path);
	}
	if (beneath_make_parents(root, s->path) == -1)
		return mutate_errno(s, "mkdir", f);
	dir = beneath_parent(root, s->path, &name);
	if (dir == -1)
		return mutate_errno(s, "mkdir", f);
	answer = sys_mkdirat(dir, name, 0777);
	if (answer == 0 && s->mode != -1)
		answer = sys_fchmodat(dir, name, (mode_t)s->mode);
	if (answer == -1)
		(void)mutate_errno(s, "mkdir", f);
	(void)close(dir);
	return answer;
}

static int
step_chmod(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	struct stat st;
	int found = beneath_stat(root, s->path, &st);
	int fd, answer;

	(void)max;
	if (found == 0)
		return fault_fail(f, OUTCOME_MUTATION,
		    "%s does not exist, so its mode cannot be changed",
		    s->path);
	if (found == 1 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return mutate_refuse_other(s, &st, f);
	fd = beneath_open(root, s->path, O_RDONLY);
	/* Unreadable to its owner, but the mode may still be his to change. */
	if (fd == -1 && errno == EACCES) {
		const char *name;
		int dir = beneath_parent(root, s->path, &name);

		answer =
		    dir == -1 ? -1 : sys_fchmodat(dir, name, (mode_t)s->mode);
		if (dir != -1)
			(void)close(dir);
	} else {
		answer = fd == -1 ? -1 : sys_fchmod(fd, (mode_t)s->mode);
	}
	if (answer == -1)
		(void)mutate_errno(s, "chmod", f);
	if (fd != -1)
		(void)close(fd);
	return answer;
}

static int
step_symlink(int root, const struct plan_step *s, int64_t max, struct fault *f)
{
	const char *name;
	struct stat st;
	int dir, answer;

	(void)max;
	if (beneath_stat(root, s->path, &st) == 1)
		return fault_fail(f, OUTCOME_MUTATION, "%s exists already",
		    s->path);
	if (beneath_make_parents(root, s->path) == -1)
		return mutate_errno(s, "symlink", f);
	dir = beneath_parent(root, s->path, &name);
	if (dir == -1)
		return mutate_errno(s, "symlink", f);
	answer = sys_symlinkat(s->to, dir, name);
	if (answer == -1)
		(void)mutate_errno(s, "symlink", f);
	(void)close(dir);
	return answer;
}

static int (*const steps[])(int, const struct plan_step *, int64_t,
    struct fault *) = {
    [PLAN_WRITE] = mutate_write,
    [PLAN_EDIT] = change_file,
    [PLAN_INSERT] = change_insert,
    [PLAN_PATTERN] = change_file,
    [PLAN_DIFF] = change_diff,
    [PLAN_MERGE] = change_merge,
    [PLAN_DELETE] = mutate_delete,
    [PLAN_RENAME] = step_rename,
    [PLAN_MKDIR] = step_mkdir,
    [PLAN_CHMOD] = step_chmod,
    [PLAN_SYMLINK] = step_symlink,
};

int
mutate_step(int root, const struct plan_step *s, int64_t file_max,
    struct fault *f)
{
	int answer = steps[s->kind](root, s, file_max, f);

	if (answer == -1)
		fault_place(f, "mutations[%zu]", s->index);
	return answer;
}
