/* SPDX-License-Identifier: ISC */
/* Hand-dropped files on their way to the inbox. */
#include <sys/stat.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/spool.h"
#include "executor/stray.h"

static int64_t
mtime_ns(const struct stat *st)
{
	return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

void
strays_note(struct strays *s, int dir, const char *name)
{
	struct stat st;
	struct stray *n;

	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->items[i].name, name) == 0)
			return;
	}
	if (s->count == STRAYS_MAX ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    S_ISDIR(st.st_mode))
		return;
	n = &s->items[s->count++];
	strlcpy(n->name, name, sizeof(n->name));
	n->size = st.st_size;
	n->mtime_ns = mtime_ns(&st);
	n->since_ms = clock_mono_ms();
}

/* The inbox may have one of that name already. */
static int
move(int patches, const char *name, const struct box *inbox)
{
	char unique[NAME_SIZE], to[NAME_MAX + 1];
	enum spool_answer a =
	    spool_move(patches, name, inbox->dir[BOX_NEW], NULL);

	if (a == SPOOL_EXISTS) {
		spool_unique_name("dropped", unique, sizeof(unique));
		if (snprintf(to, sizeof(to), "%.100s.%.100s", name, unique) < 0)
			return -1;
		a = spool_move(patches, name, inbox->dir[BOX_NEW], to);
	}
	return a == SPOOL_DONE ? 0 : -1;
}

static bool
is_stable(struct stray *n, int patches, int64_t now, bool *gone)
{
	struct stat st;

	*gone = fstatat(patches, n->name, &st, AT_SYMLINK_NOFOLLOW) == -1;
	if (*gone)
		return false;
	if (st.st_size != n->size || mtime_ns(&st) != n->mtime_ns) {
		n->size = st.st_size;
		n->mtime_ns = mtime_ns(&st);
		n->since_ms = now;
		return false;
	}
	return now - n->since_ms >= STRAY_STABLE_MS;
}

int
strays_adopt(struct strays *s, int patches, const struct box *inbox,
    size_t *moved)
{
	int64_t now = clock_mono_ms();
	int answer = 0;

	*moved = 0;
	for (size_t i = 0; i < s->count;) {
		bool gone;
		bool stable = is_stable(&s->items[i], patches, now, &gone);

		if (!stable && !gone) {
			i++;
			continue;
		}
		if (stable && move(patches, s->items[i].name, inbox) == -1)
			answer = -1;
		else if (stable)
			(*moved)++;
		s->items[i] = s->items[--s->count];
	}
	return answer;
}
