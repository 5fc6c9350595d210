/* SPDX-License-Identifier: ISC */
/* fts(3) over a tree, and what lstat(2) says. */
#include <sys/stat.h>
#include <sys/xattr.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/digest.h"
#include "tests/inject/image.h"

struct picture {
	struct buf *out;
	size_t root; /* length of the root's path with its slash */
	time_t recent;
	/* hard links: inode and the first name it was seen under */
	struct {
		ino_t ino;
		char *name;
	} * links;
	size_t link_count;
};

static int
compare(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void
add_link(struct picture *p, const FTSENT *e)
{
	const char *name = e->fts_path + p->root;

	for (size_t i = 0; i < p->link_count; i++) {
		if (p->links[i].ino == e->fts_statp->st_ino) {
			buf_printf(p->out, "|same as %s", p->links[i].name);
			return;
		}
	}
	p->links =
	    xreallocarray(p->links, p->link_count + 1, sizeof(*p->links));
	p->links[p->link_count].ino = e->fts_statp->st_ino;
	p->links[p->link_count++].name = xstrdup(name);
	buf_printf(p->out, "|%lu names", (unsigned long)e->fts_statp->st_nlink);
}

static void
add_xattrs(struct picture *p, const char *path)
{
	char names[4096], value[4096];
	ssize_t len = llistxattr(path, names, sizeof(names));

	for (char *n = names; len > 0 && n < names + len; n += strlen(n) + 1) {
		ssize_t got = lgetxattr(path, n, value, sizeof(value));

		if (strncmp(n, "security.", 9) == 0)
			continue;
		buf_printf(p->out, "|%s=", n);
		buf_add(p->out, value, got > 0 ? (size_t)got : 0);
	}
}

static int
add_content(struct picture *p, const char *path)
{
	char digest[DIGEST_SIZE];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int answer = fd == -1 ? -1 : digest_fd(fd, digest);

	if (fd != -1)
		(void)close(fd);
	if (answer == 0)
		buf_printf(p->out, "|%s", digest);
	return answer;
}

static int
add_entry(struct picture *p, const FTSENT *e)
{
	const struct stat *st = e->fts_statp;
	char target[PATH_MAX];
	ssize_t n;
	int answer = 0;

	buf_printf(p->out, "%s|%o|%u:%u",
	    e->fts_level == 0 ? "." : e->fts_path + p->root, st->st_mode,
	    st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode)) {
		if (st->st_mtim.tv_sec >= p->recent)
			buf_puts(p->out, "|recent");
		else
			buf_printf(p->out, "|%lld.%09ld",
			    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
		if (st->st_nlink > 1)
			add_link(p, e);
	}
	if (S_ISLNK(st->st_mode)) {
		n = readlink(e->fts_accpath, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		buf_printf(p->out, "|-> %s", target);
	}
	add_xattrs(p, e->fts_accpath);
	if (S_ISREG(st->st_mode))
		answer = add_content(p, e->fts_accpath);
	buf_putc(p->out, '\n');
	return answer;
}

int
image_take(const char *root, time_t recent, int without_git, struct buf *out)
{
	struct picture p = {.out = out,
	    .root = strlen(root) + 1,
	    .recent = recent};
	char *const paths[] = {(char *)(uintptr_t)root, NULL};
	FTS *f = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, compare);
	int answer = f == NULL ? -1 : 0;
	FTSENT *e;

	buf_clear(out);
	buf_puts(out, "");
	while (answer == 0 && (e = fts_read(f)) != NULL) {
		if (e->fts_info == FTS_DP)
			continue;
		if (without_git && strcmp(e->fts_name, ".git") == 0) {
			(void)fts_set(f, e, FTS_SKIP);
			continue;
		}
		answer = add_entry(&p, e);
	}
	if (f != NULL)
		(void)fts_close(f);
	for (size_t i = 0; i < p.link_count; i++)
		free(p.links[i].name);
	free(p.links);
	return answer;
}

static bool
has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; *at != '\0';) {
		size_t n = strcspn(at, "\n");

		if (n == len && memcmp(at, line, len) == 0)
			return true;
		at += n + (at[n] == '\n');
	}
	return false;
}

static char *
only_in(const char *a, const char *b, char sign)
{
	for (const char *at = a; *at != '\0';) {
		size_t n = strcspn(at, "\n");

		if (!has_line(b, at, n))
			return xasprintf("%c%.*s", sign, (int)n, at);
		at += n + (at[n] == '\n');
	}
	return NULL;
}

char *
image_difference(const char *want, const char *got)
{
	char *line = only_in(got, want, '+');

	if (line == NULL)
		line = only_in(want, got, '-');
	return line != NULL ? line : xstrdup("");
}
