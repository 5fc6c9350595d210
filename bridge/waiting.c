/* SPDX-License-Identifier: ISC */
/* What lies in inbox/new: whether it is whole, and what it is. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/intake.h"
#include "common/clock.h"

static int
new_of(const struct intake *in)
{
	return in->desk->tree->inbox.dir[BOX_NEW];
}

static int
by_name(const void *name, const void *w)
{
	return strcmp(name, ((const struct waiting *)w)->name);
}

/* The list was made from sorted names. */
static const struct waiting *
known(const struct intake *in, const char *name)
{
	return in->waiting_count == 0
		   ? NULL
		   : bsearch(name, in->waiting, in->waiting_count,
			 sizeof in->waiting[0], by_name);
}

/* What is known of the file now; first: it was not seen before. */
int
waiting_look(const struct intake *in, const char *name, struct waiting *w,
    bool *first)
{
	const struct waiting *old = known(in, name);
	struct stat st;
	int64_t m, c;

	if (fstatat(new_of(in), name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	m = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	c = (int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000;
	memset(w, 0, sizeof *w);
	(void)strlcpy(w->name, name, sizeof w->name);
	w->ino = st.st_ino;
	w->size = st.st_size;
	w->changed_us = m > c ? m : c;
	w->since_ms = clock_mono_ms();
	*first = old == NULL;
	if (old != NULL && old->ino == w->ino) {
		w->told = old->told;
		if (old->size == w->size && old->changed_us == w->changed_us)
			w->since_ms = old->since_ms;
	}
	return 0;
}

/* The monotonic clock decides; the wall clock only spares the wait for a file
 * that lay there before we looked. */
bool
waiting_stable(const struct intake *in, const struct waiting *w)
{
	int64_t age_ms = (clock_wall_us() - w->changed_us) / 1000;

	return age_ms >= in->desk->set->bridge.settle ||
	       clock_mono_ms() - w->since_ms >= in->desk->set->bridge.settle;
}

enum sight
waiting_inspect(const struct intake *in, const char *name)
{
	struct spool_file f;
	json_t *doc;
	int found = spool_read(new_of(in), name, SPOOL_FILE_MAX, true, &f);

	if (found == 0 || (found == -1 && errno == EFBIG))
		return SIGHT_PLAIN;
	if (found == -1)
		return errno == EPERM ? SIGHT_HOSTILE : SIGHT_UNREADABLE;
	doc = spool_check(f.bytes, f.len);
	spool_file_free(&f);
	json_decref(doc);
	return doc != NULL ? SIGHT_CHECKED : SIGHT_PLAIN;
}
