/* SPDX-License-Identifier: ISC */
/* Trials leave nothing behind: a name of ours, made and taken away. */
#include "common/trial.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/sys.h"
#include "common/text.h"

const char *const trial_result_name[TRIAL__MAX] = {
    [TRIAL_OK] = "ok",
    [TRIAL_WARNING] = "warning",
    [TRIAL_TEMPORARY] = "temporary",
    [TRIAL_ERROR] = "error",
};

static void
add_row(struct trials *t, enum trial_result result, json_t *row)
{
	if (t->list == NULL)
		t->list = json_array();
	json_array_append_new(t->list, row);
	if (result > t->worst)
		t->worst = result;
}

void
trial_note(struct trials *t, enum trial_result result, const char *subject,
    const char *check, char *detail)
{
	/* A path of the machine may be no UTF-8. */
	json_t *text = text_json(detail);

	add_row(t, result,
	    json_pack("{s:s, s:s, s:s, s:o, s:s}", "subject", subject, "check",
		check, "result", trial_result_name[result], "detail", text,
		"fix", ""));
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

int
trial_print(const struct trials *t, FILE *to)
{
	const json_t *row;
	size_t i;

	json_array_foreach (t->list, i, row)
		if (json_dumpf(row, to, JSON_COMPACT) == -1 ||
		    fputc('\n', to) == EOF)
			return -1;
	return fflush(to) == 0 ? 0 : -1;
}

static int
parse_row(struct trials *t, const char *line, size_t len)
{
	json_t *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *subject, *check, *result, *detail, *fix;
	int i;

	if (row == NULL || json_unpack(row, "{s:s, s:s, s:s, s:s, s:s}",
			       "subject", &subject, "check", &check, "result",
			       &result, "detail", &detail, "fix", &fix) == -1) {
		json_decref(row);
		return -1;
	}
	for (i = 0; i < TRIAL__MAX; i++)
		if (strcmp(result, trial_result_name[i]) == 0) {
			add_row(t, (enum trial_result)i, row);
			return 0;
		}
	json_decref(row);
	return -1;
}

int
trial_parse(struct trials *t, const char *text)
{
	size_t len;
	int n;

	for (n = 0; *text != '\0'; n++) {
		len = strcspn(text, "\n");
		if (parse_row(t, text, len) == -1)
			return -1;
		text += len;
		text += *text == '\n';
	}
	return n;
}

void
trial_free(struct trials *t)
{
	json_decref(t->list);
	t->list = NULL;
}

/* Would the same configuration work in a while? Then a start is worth trying
 * again, and the exit status must not say that the file is wrong. */
enum trial_result
trial_judge(int error)
{
	switch (error) {
	case EIO:
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ESTALE:
	case ENODEV:
	case EHOSTDOWN:
	case ETIMEDOUT:
	case EAGAIN:
		return TRIAL_TEMPORARY;
	default:
		return TRIAL_ERROR;
	}
}

char *
trial_explain(const char *path)
{
	return xasprintf("%s: %s", path, strerror(errno));
}

/* Without a change of errno. */
static void
close_kept(int fd)
{
	int error = errno;

	if (fd != -1)
		(void)close(fd);
	errno = error;
}

/* By doing it: access(2) knows nothing of read-only mounts, quotas, full
 * disks, attributes and security modules. */
int
trial_write(const char *path)
{
	char *name = xasprintf(".patchflow-trial-%ld", (long)getpid());
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1, answer = -1;

	if (dir != -1)
		fd = sys_openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd != -1)
		answer = sys_unlinkat(dir, name, 0);
	close_kept(fd);
	close_kept(dir);
	free(name);
	return answer;
}

static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int
write_parent(const char *path)
{
	char *up = parent_of(path);
	int answer = trial_write(up);

	free(up);
	return answer;
}

int
trial_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return errno == ENOENT ? write_parent(path) : -1;
	if (S_ISDIR(st.st_mode))
		return trial_write(path);
	errno = ENOTDIR;
	return -1;
}

int
trial_append(const char *path)
{
	int fd =
	    open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int answer = -1;

	if (fd == -1)
		return errno == ENOENT ? write_parent(path) : -1;
	if (fstat(fd, &st) == 0) {
		answer = S_ISREG(st.st_mode) ? 0 : -1;
		if (answer == -1)
			errno = EINVAL;
	}
	close_kept(fd);
	return answer;
}
