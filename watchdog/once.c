/* SPDX-License-Identifier: ISC */
/* One pass over the suite. */
#include <sys/wait.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "watchdog/once.h"
#include "watchdog/spawn.h"
#include "watchdog/watchdog.h"

extern char **environ;

static int
wait_for(const struct spawned *made, const char *program)
{
	struct spawn_error e;
	siginfo_t si = {0};

	while (waitid(P_PIDFD, (id_t)made->pidfd, &si, WEXITED) == -1)
		if (errno != EINTR)
			break;
	if (spawn_error_read(made->error_fd, &e) == 1)
		log_warnx("%s: not started, %s: %s", program,
		    spawn_stage_name[e.stage], strerror(e.number));
	(void)close(made->pidfd);
	(void)close(made->error_fd);
	return si.si_code == CLD_EXITED ? si.si_status : EXIT_FATAL;
}

/* As under the supervisor; limits are for those that stay. */
static int
become_user(const struct settings *s, const char *program, struct spawn *sp,
    struct identity *id)
{
	const struct daemon_settings *d = settings_daemon(s, program);
	bool own = d != NULL && d->user[0] != '\0';
	const char *user = own ? d->user : s->user, *who;

	if (!own && strcmp(program, "executor") == 0)
		return 0;
	if (user[0] == '\0' || geteuid() != 0)
		return 0;
	sp->who = id;
	return identity_find(id, user, d != NULL ? d->group : "", &who);
}

static int
run(const struct settings *s, const char *program, const char *queue)
{
	char path[PATH_MAX], c[] = "-c", once[] = "--once", q[] = "-q";
	char *name = xstrdup(program), *config = xstrdup(s->path);
	char *for_queue = xstrdup(queue);
	char *argv[7] = {name, c, config, once};
	struct spawn sp = {.path = path,
	    .argv = argv,
	    .envp = environ,
	    .out_fd = STDERR_FILENO};
	struct identity id = {0};
	struct spawned made;
	int status = EXIT_TEMPORARY;

	roster_find_binary(program, path);
	if (queue[0] != '\0') {
		argv[4] = q;
		argv[5] = for_queue;
	}
	if (become_user(s, program, &sp, &id) == -1 ||
	    spawn_start(&sp, &made) == -1)
		log_warn("%s: not started", program);
	else
		status = wait_for(&made, program);
	if (status != EXIT_DONE)
		log_warnx("%s%s%s: ended with %d", program,
		    queue[0] != '\0' ? "@" : "", queue, status);
	free(name);
	free(config);
	free(for_queue);
	return status;
}

static int
worse(int a, int b)
{
	if (a == EXIT_DONE)
		return b == EXIT_DONE || b == EXIT_TEMPORARY ? b : EXIT_FATAL;
	return b == EXIT_DONE || b == EXIT_TEMPORARY ? a : EXIT_FATAL;
}

int
once_run(struct settings *s, struct tree *t)
{
	int status = EXIT_DONE;
	size_t i;

	status = worse(status, run(s, "ghost-bridge", ""));
	for (i = 0; i < s->queue_count; i++)
		status = worse(status, run(s, "executor", s->queues[i].name));
	status = worse(status, run(s, "summarizer", ""));
	status = worse(status, run(s, "alertd", ""));
	tree_close(t);
	settings_free(s);
	return status;
}
