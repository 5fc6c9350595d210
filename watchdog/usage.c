/* SPDX-License-Identifier: ISC */
/* Memory, processor and descriptors of the daemons. */
#include <sys/resource.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "watchdog/watchdog.h"

#define JOURNAL_LOOKS 20 /* one line for so many */
#define HOT_LOOKS 4      /* much of a processor for so long is too much */
#define NEAR_PERCENT 90  /* of a limit */

static int
open_proc(pid_t pid, const char *name, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static bool
read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	int fd = open_proc(pid, name, 0);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, out, size - 1);
	(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* proc(5): utime and stime are the 14th and 15th, num_threads the 20th; the
 * name before them may hold anything, but no ")" behind its own. */
static bool
read_times(struct usage *u)
{
	unsigned long user, system;
	char text[1024];
	const char *rest;
	long threads;

	if (!read_proc(u->pid, "stat", text, sizeof text))
		return false;
	rest = strrchr(text, ')');
	if (rest == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	    sscanf(rest + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu "
		"%*d %*d %*d %*d %ld",
		&user, &system, &threads) != 3)
		return false;
	u->cpu_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
	u->threads = threads;
	return true;
}

static void
read_memory(struct usage *u)
{
	char text[128];
	long pages;

	if (read_proc(u->pid, "statm", text, sizeof text) &&
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
	    sscanf(text, "%*u %ld", &pages) == 1)
		u->memory = (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void
count_files(struct usage *u)
{
	int fd = open_proc(u->pid, "fd", O_DIRECTORY);
	DIR *d = fd != -1 ? fdopendir(fd) : NULL;
	const struct dirent *e;
	struct rlimit r;

	u->files = 0;
	if (d == NULL && fd != -1)
		(void)close(fd);
	while (d != NULL && (e = readdir(d)) != NULL)
		u->files += e->d_name[0] != '.';
	if (d != NULL)
		(void)closedir(d);
	if (prlimit(u->pid, RLIMIT_NOFILE, NULL, &r) == 0)
		u->files_max = (int64_t)r.rlim_cur;
}

static bool
sample(struct service *s)
{
	struct usage *u = &s->usage, before = s->usage;
	int64_t now = clock_mono_ms();

	u->pid = s->pid;
	u->at_ms = now;
	u->percent = -1;
	if (!read_times(u))
		return false;
	read_memory(u);
	count_files(u);
	if (before.pid == u->pid && now > before.at_ms)
		u->percent =
		    (u->cpu_ms - before.cpu_ms) * 100 / (now - before.at_ms);
	return true;
}

static void
note(struct service *s, const char *type, bool holds, const char *text)
{
	struct finding f = {.type = type,
	    .subject = s->name,
	    .queue = s->queue[0] != '\0' ? s->queue : NULL,
	    .text = text,
	    .holds = holds};

	check_note(s->owner, &f);
}

/* Once told, it is over only a tenth below: no back and forth around a limit.
 */
static bool
is_above(const struct service *s, const char *type, int64_t have, int64_t limit)
{
	if (check_holds(&s->owner->check, type, s->name))
		limit -= limit / 10;
	return limit > 0 && have >= limit;
}

static int64_t
much_memory(const struct service *s)
{
	const struct settings *set = s->owner->settings;
	const struct daemon_settings *d = settings_daemon(set, s->name);
	int64_t much = set->watchdog.memory_warning;
	int64_t near = d != NULL ? d->limits.memory * NEAR_PERCENT / 100 : 0;

	return near > 0 && (much == 0 || near < much) ? near : much;
}

static void
judge(struct service *s)
{
	int64_t much_cpu = s->owner->settings->watchdog.cpu_warning;
	int64_t memory = much_memory(s);
	struct usage *u = &s->usage;
	char text[200];

	(void)snprintf(text, sizeof text,
	    "%s uses %" PRId64 " MiB of memory, much is %" PRId64 " MiB",
	    s->name, u->memory >> 20, memory >> 20);
	note(s, "memory-high", is_above(s, "memory-high", u->memory, memory),
	    text);
	(void)snprintf(text, sizeof text,
	    "%s has %" PRId64 " open files of at most %" PRId64, s->name,
	    u->files, u->files_max);
	note(s, "files-high",
	    is_above(s, "files-high", u->files,
		u->files_max * NEAR_PERCENT / 100),
	    text);
	u->hot = is_above(s, "cpu-high", u->percent, much_cpu) ? u->hot + 1 : 0;
	(void)snprintf(text, sizeof text,
	    "%s uses %" PRId64 " %% of a processor, looked at %d times",
	    s->name, u->percent, HOT_LOOKS);
	note(s, "cpu-high",
	    u->hot >= HOT_LOOKS || (u->hot > 0 && check_holds(&s->owner->check,
						      "cpu-high", s->name)),
	    text);
}

/* What it used is no trouble of one that is gone. */
static void
forget(struct service *s)
{
	memset(&s->usage, 0, sizeof s->usage);
	note(s, "memory-high", false, "the process is gone");
	note(s, "files-high", false, "the process is gone");
	note(s, "cpu-high", false, "the process is gone");
}

static void
write_journal(struct watchdog *w)
{
	json_t *all = json_object();
	const struct service *s;

	TAILQ_FOREACH (s, &w->services, link)
		if (s->usage.pid != 0)
			(void)json_object_set_new(all, s->name, usage_json(s));
	writer_journal(w, "usage", json_pack("{s:o}", "daemons", all));
}

void
usage_run(struct watchdog *w)
{
	struct service *s, *next;

	TAILQ_FOREACH_SAFE (s, &w->services, link, next) {
		if (s->fsm.alive && sample(s))
			judge(s);
		else if (s->usage.pid != 0)
			forget(s);
	}
	if (w->check.looks++ % JOURNAL_LOOKS == 0)
		write_journal(w);
}

json_t *
usage_json(const struct service *s)
{
	const struct usage *u = &s->usage;

	if (u->pid == 0 || u->pid != s->pid)
		return json_null();
	return json_pack("{s:I, s:I, s:o, s:I, s:I, s:I}", "memory",
	    (json_int_t)u->memory, "cpu_ms", (json_int_t)u->cpu_ms,
	    "cpu_percent",
	    u->percent < 0 ? json_null() : json_integer(u->percent), "files",
	    (json_int_t)u->files, "files_max", (json_int_t)u->files_max,
	    "threads", (json_int_t)u->threads);
}
