/* SPDX-License-Identifier: ISC */
/*
 * A unified diff's outside: which files it speaks of, and where the hunks of
 * each begin and end. As git, GNU diff and language models write it: with or
 * without "diff --git", with or without file headers, and with hunk headers
 * whose numbers may be wrong or missing. Pure; the text may hold any bytes.
 */
#ifndef COMMON_DIFFTEXT_H
#define COMMON_DIFFTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct diff_file {
	char *old_path; /* as written; NULL where there is none, or /dev/null */
	char *new_path;
	bool prefixed; /* the paths begin with a/ and b/, or the like */
	bool creates;
	bool deletes;
	bool renames;
	bool copies;
	bool binary;
	bool combined;    /* of a merge: has more than one old side */
	int old_mode;     /* with the type bits of git; -1: not said */
	int new_mode;     /* of a new file, too */
	const char *body; /* the hunks, in the text */
	size_t body_len;
};

struct difftext {
	const char *at;
	const char *end;
	bool begun; /* false at the text's start */
};

/*
 * The next file; text before it that is no diff is passed over. False where
 * there is no more. Free with diff_file_free.
 */
bool difftext_next(struct difftext *d, struct diff_file *out);
void diff_file_free(struct diff_file *f);

/* The path without a/ or b/; NULL where the headers name none. */
const char *diff_file_old(const struct diff_file *f);
const char *diff_file_new(const struct diff_file *f);

/* The other way: a prefix as "a/" and path, quoted as git does where a line
 * could not hold it, or where a terminal would obey it. */
void difftext_put_path(struct buf *out, const char *prefix, const char *path);

/* "@@ -1,3 +1,4 @@": false where the numbers are not there. */
struct hunk_range {
	size_t old_line, old_count, new_line, new_count;
};
bool difftext_range(const char *line, size_t len, struct hunk_range *r);

#endif
