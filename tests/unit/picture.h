/* SPDX-License-Identifier: ISC */
/* A tree as text, to compare before-images and after-images. */
#ifndef TESTS_UNIT_PICTURE_H
#define TESTS_UNIT_PICTURE_H

#include <sys/stat.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/subtree.h"

static inline int
picture_print(struct subtree_walk *w, const struct subtree_at *at)
{
	struct buf *out = w->owner;
	char bytes[256];
	ssize_t n = 0;
	int fd;

	buf_printf(out, "%s %o ", at->path, at->st->st_mode);
	if (S_ISREG(at->st->st_mode)) {
		fd = openat(at->dir, at->name, O_RDONLY | O_CLOEXEC);
		n = read(fd, bytes, sizeof(bytes));
		(void)close(fd);
	} else if (S_ISLNK(at->st->st_mode)) {
		n = readlinkat(at->dir, at->name, bytes, sizeof(bytes));
	}
	buf_add(out, bytes, n > 0 ? (size_t)n : 0);
	buf_putc(out, '\n');
	return 0;
}

static inline int
picture_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The whole tree as one sorted text: a rename changes readdir's order. */
static inline char *
picture(const char *path)
{
	struct buf out = {0}, sorted = {0};
	struct subtree_walk w = {.visit = picture_print, .owner = &out};
	char *lines[200] = {NULL}, *save = NULL;
	size_t n = 0;

	assert_int_equal(subtree_walk(&w, AT_FDCWD, path, ""), 0);
	for (char *l = strtok_r(out.bytes, "\n", &save); l != NULL;
	     l = strtok_r(NULL, "\n", &save)) {
		assert_true(n < sizeof(lines) / sizeof(lines[0]));
		lines[n++] = l;
	}
	qsort(lines, n, sizeof(*lines), picture_compare);
	for (size_t i = 0; i < n; i++)
		buf_printf(&sorted, "%s\n", lines[i]);
	buf_free(&out);
	return buf_take(&sorted);
}

#endif
