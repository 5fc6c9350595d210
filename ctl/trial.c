/* SPDX-License-Identifier: ISC */
/* Trials leave nothing behind: a name of ours, made and taken away. */
#include "ctl/trial.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"

static const char *const result_name[] = {"ok", "warning", "error"};

void
trial_note(struct trials *t, enum trial_result result, const char *subject,
    const char *check, char *detail)
{
	json_array_append_new(t->list,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject", subject, "check",
		check, "result", result_name[result], "detail", detail, "fix",
		""));
	t->failed |= result == TRIAL_ERROR;
	free(detail);
}

void
trial_fix(struct trials *t, const char *fix)
{
	size_t n = json_array_size(t->list);

	if (n > 0)
		json_object_set_new(json_array_get(t->list, n - 1), "fix",
		    json_string(fix));
}

static int
open_dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
close_kept(int fd)
{
	int error = errno;

	if (fd != -1)
		(void)close(fd);
	errno = error;
}

static char *
trial_name(void)
{
	return xasprintf(".patchflow-trial-%ld", (long)getpid());
}

static int
make_file(int dir, const char *name)
{
	int fd = sys_openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1)
		return -1;
	(void)close(fd);
	return 0;
}

int
trial_write(const char *path)
{
	char *name = trial_name();
	int dir = open_dir(path), answer = -1;

	if (dir != -1 && make_file(dir, name) == 0)
		answer = sys_unlinkat(dir, name, 0);
	close_kept(dir);
	free(name);
	return answer;
}

/* The nearest directory above path that exists must let us make the rest. */
static int
can_make(const char *path)
{
	char *up = xstrdup(path), *slash;
	struct stat st;
	int answer = -1;

	do {
		slash = strrchr(up, '/');
		if (slash == NULL)
			break;
		slash[slash == up ? 1 : 0] = '\0';
	} while (stat(up, &st) == -1 && errno == ENOENT && slash != up);
	answer = access(up, W_OK | X_OK);
	free(up);
	return answer;
}

int
trial_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT ? can_make(path) : -1;
	if (S_ISDIR(st.st_mode))
		return trial_write(path);
	errno = ENOTDIR;
	return -1;
}

static int
move_trial(int from, int to)
{
	char *name = trial_name();
	int answer = -1, error;

	if (make_file(from, name) == 0) {
		answer = sys_renameat2(from, name, to, name, RENAME_NOREPLACE);
		error = errno;
		if (sys_unlinkat(answer == 0 ? to : from, name, 0) == -1)
			answer = -1;
		else
			errno = error;
	}
	free(name);
	return answer;
}

int
trial_rename(const char *from, const char *to)
{
	bool made = sys_mkdirat(AT_FDCWD, from, 0700) == 0;
	int a = open_dir(from), b = open_dir(to), answer = -1;

	if (a != -1 && b != -1)
		answer = move_trial(a, b);
	close_kept(a);
	close_kept(b);
	if (made) {
		int error = errno;

		(void)sys_unlinkat(AT_FDCWD, from, AT_REMOVEDIR);
		errno = error;
	}
	return answer;
}
