/* SPDX-License-Identifier: ISC */
/* The index as it was, as git reads another one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/sys.h"
#include "executor/gitask.h"
#include "executor/gitindex.h"
#include "executor/gitstaged.h"
#include "executor/subtree.h"

#define STAGED_PATH ".git/patchflow-staged"

int
gitstaged_keep(struct worker *w, struct fault *f)
{
	int in = openat(w->root, GITINDEX_PATH, O_RDONLY | O_CLOEXEC);
	int out = -1, answer = -1;

	if (in != -1)
		out = sys_openat(w->root, STAGED_PATH,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out != -1)
		answer = subtree_copy_bytes(in, out);
	if (answer == -1)
		answer = fault_errno(f, OUTCOME_COMMAND,
		    "cannot copy " GITINDEX_PATH " to " STAGED_PATH);
	if (out != -1)
		(void)close(out);
	if (in != -1)
		(void)close(in);
	return answer;
}

/* The worker's environment with one more variable. */
static char **
with_index(char *const *envp, char *setting)
{
	size_t n = 0;
	char **longer;

	while (envp[n] != NULL)
		n++;
	longer = xcalloc(n + 2, sizeof(*longer));
	longer[0] = setting;
	for (size_t i = 0; i < n; i++)
		longer[i + 1] = envp[i];
	return longer;
}

static int
ask(struct worker *w, const struct gitpaths *p, int *code, struct fault *f)
{
	static const char *const words[] = {GIT, "diff", "--cached", "--quiet",
	    "--no-renames", "--ignore-submodules=dirty", "--diff-filter=A",
	    NULL};
	struct gitargs a = {NULL, 0};
	char setting[] = "GIT_INDEX_FILE=" STAGED_PATH;
	char **own = w->envp;
	struct buf out = {0};
	int answer;

	gitargs_push_all(&a, words);
	gitargs_push_paths(&a, p);
	w->envp = with_index(own, setting);
	answer = gitargs_ask(w, &a, code, &out, f);
	free(w->envp);
	w->envp = own;
	if (answer == 0 && *code > 1)
		answer = git_no_answer("git diff", *code, &out, f);
	buf_free(&out);
	return answer;
}

int
gitstaged_lost(struct worker *w, const struct gitpaths *p, struct fault *f)
{
	int code = 1, answer = 0;

	/* Where it cannot read HEAD, HEAD has nothing: for a moment. */
	for (int i = 0; i < 2 && answer == 0 && code == 1; i++)
		answer = ask(w, p, &code, f);
	if (sys_unlinkat(w->root, STAGED_PATH, 0) == -1 && answer == 0)
		answer = fault_errno(f, OUTCOME_COMMAND,
		    "cannot remove " STAGED_PATH);
	return answer == -1 ? -1 : code;
}
