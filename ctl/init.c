/* SPDX-License-Identifier: ISC */
/*
 * init: a configuration for a directory, ready to run. Directories directly
 * below it that are git work trees become a queue each; without one the
 * directory itself is the workspace where it is a work tree, and else a new
 * ./workspace is.
 */
#include <sys/stat.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/spool.h"
#include "common/text.h"
#include "ctl/out.h"
#include "ctl/verbs.h"

#define FILE_NAME "patchflow.yaml"
#define QUEUES_MOST 16 /* more work trees than that are no set of targets */

struct plan {
	const char *where;
	int dir;
	struct buf text;
	json_t *queues; /* names */
};

static bool
is_work_tree(int dir, const char *name)
{
	char *git = xasprintf("%s/.git", name);
	struct stat st;
	bool yes = fstatat(dir, git, &st, 0) == 0;

	free(git);
	return yes;
}

/* A queue's name from a directory's: its letters, digits, _ and -. */
static bool
queue_name(const char *from, char out[QUEUE_MAX + 1])
{
	size_t n = 0;

	for (; *from != '\0' && n < QUEUE_MAX; from++)
		out[n++] = isalnum((unsigned char)*from) || *from == '-'
			       ? (char)toupper((unsigned char)*from)
			       : '_';
	out[n] = '\0';
	return key_queue_valid(out) && strcmp(out, "BOTH") != 0 &&
	       strcmp(out, "ALL") != 0;
}

static bool
has_queue(const struct plan *p, const char *name)
{
	const json_t *q;
	size_t i;

	json_array_foreach (p->queues, i, q)
		if (strcmp(json_string_value(q), name) == 0)
			return true;
	return false;
}

static void
add_queue(struct plan *p, const char *name, const char *workspace)
{
	/* A JSON text is a YAML one, whatever the directory is called. */
	json_t *path = json_string(workspace);
	char *quoted = path != NULL ? json_dumps(path, JSON_ENCODE_ANY) : NULL;

	if (quoted != NULL) {
		buf_printf(&p->text, "  - name: %s\n    workspace: %s\n%s",
		    name, quoted,
		    json_array_size(p->queues) == 0 ? "    default: true\n"
						    : "");
		json_array_append_new(p->queues, json_string(name));
	}
	free(quoted);
	json_decref(path);
}

static void
add_work_trees(struct plan *p)
{
	struct spool_names names;
	char queue[QUEUE_MAX + 1];
	size_t i;

	if (spool_list(p->dir, 0, &names) == -1)
		return;
	for (i = 0; i < names.count; i++)
		if (is_work_tree(p->dir, names.names[i]) &&
		    queue_name(names.names[i], queue) && !has_queue(p, queue) &&
		    json_array_size(p->queues) < QUEUES_MOST)
			add_queue(p, queue, names.names[i]);
	spool_names_free(&names);
}

/* Made, or there already and usable. */
static int
make_dir(const struct plan *p, const char *path)
{
	int error = 0;
	char *whole;

	if (spool_make(p->dir, path, 0755) == -1 ||
	    faccessat(p->dir, path, W_OK | X_OK, AT_EACCESS) == -1)
		error = errno;
	if (error == 0)
		return 0;
	whole = xasprintf("%s/%s", p->where, path);
	ctl_say_path(whole, error);
	free(whole);
	return -1;
}

static int
add_queues(struct plan *p)
{
	buf_puts(&p->text, "queues:\n");
	if (is_work_tree(p->dir, "."))
		add_queue(p, "MAIN", ".");
	else
		add_work_trees(p);
	if (json_array_size(p->queues) > 0)
		return 0;
	add_queue(p, "MAIN", "workspace");
	return make_dir(p, "workspace");
}

static void
compose_rest(struct buf *text)
{
	buf_puts(text,
	    "\nbridge:\n"
	    "  sources:\n"
	    "    # a chat that is appended to this file is watched\n"
	    "    - {type: transcript, path: var/chat.md}\n"
	    "\nsummaries:\n"
	    "  destinations:\n"
	    "    - {name: replies, type: directory, path: var/replies}\n"
	    "\nalerts:\n"
	    "  channels:\n"
	    "    - {name: log, type: file, path: var/log/alerts.log}\n"
	    "\nlogs:\n"
	    "  directory: var/log\n");
}

static int
write_new(int dir, const char *name, const char *text, size_t len)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool whole;

	if (fd == -1)
		return -1;
	whole = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (close(fd) == 0 && whole)
		return 0;
	(void)unlinkat(dir, name, 0);
	return -1;
}

/* What the suite can do without, and may be there already. */
static void
write_extra(const struct plan *p, const char *name, const char *text)
{
	if (write_new(p->dir, name, text, strlen(text)) == -1 &&
	    errno != EEXIST)
		ctl_say("%s/%s: %s", p->where, name, strerror(errno));
}

static void
print_next(const struct plan *p)
{
	const json_t *q;
	size_t i;

	(void)printf("%s/%s: written, with", p->where, FILE_NAME);
	json_array_foreach (p->queues, i, q)
		(void)printf("%s %s", i > 0 ? "," : " queue",
		    json_string_value(q));
	(void)printf("\n\nNext:\n"
		     "  patchflow check-config   tries it out\n"
		     "  patchflow up             starts the suite\n"
		     "  patchflow submit FILE    hands a patch in; or append "
		     "a chat to var/chat.md\n"
		     "  patchflow status         tells what it does\n");
}

static int
write_plan(struct ctl *c, struct plan *p)
{
	static const char ignore[] = "*\n";

	buf_puts(&p->text, "# patchflow: see patchflow.yaml(5) for every key\n"
			   "spool: var/spool\n\n");
	if (add_queues(p) == -1)
		return CTL_FAILED;
	compose_rest(&p->text);
	if (make_dir(p, "var") == -1 || make_dir(p, "var/log") == -1)
		return CTL_FAILED;
	/* so that no commit of a work tree takes the spool along */
	write_extra(p, "var/.gitignore", ignore);
	write_extra(p, "var/chat.md", "");
	if (write_new(p->dir, FILE_NAME, p->text.bytes, p->text.len) == -1) {
		ctl_say("%s/%s: %s", p->where, FILE_NAME, strerror(errno));
		return CTL_FAILED;
	}
	if (c->json)
		out_json(json_pack("{s:o, s:s, s:O}", "directory",
		    text_json(p->where), "file", FILE_NAME, "queues",
		    p->queues));
	else
		print_next(p);
	return CTL_DONE;
}

int
run_init(struct ctl *c)
{
	struct plan p = {.dir = -1};
	struct stat st;
	int status = CTL_FAILED;

	while (ctl_option(c, "", NULL) != -1)
		return CTL_USAGE;
	if (c->argc > 1)
		return CTL_USAGE;
	p.where = c->argc == 1 ? c->argv[0] : ".";
	p.dir = open(p.where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p.dir == -1) {
		ctl_say("%s: %s", p.where, strerror(errno));
		return CTL_FAILED;
	}
	p.queues = json_array();
	if (fstatat(p.dir, FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		ctl_say("%s/%s is there already, and stays as it is", p.where,
		    FILE_NAME);
	else
		status = write_plan(c, &p);
	json_decref(p.queues);
	buf_free(&p.text);
	(void)close(p.dir);
	return status;
}
