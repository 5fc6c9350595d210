/* SPDX-License-Identifier: ISC */
/* Any request line at the control socket: the first byte says whose it is. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "watchdog/watchdog.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* These act on this process itself; only a stranger may try. */
static int
is_dangerous(const char *line)
{
	static const char *const words[] = {"reload", "upgrade", "down"};
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(line, words[i], strlen(words[i])) == 0)
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct watchdog w;
	static struct settings set;
	static struct daemon_opts opts;
	struct client c = {.owner = &w};
	char line[CONTROL_LINE], *answer;
	size_t n = len > 0 ? len - 1 : 0;

	if (w.settings == NULL) {
		log_init("watchdog");
		TAILQ_INIT(&w.services);
		w.settings = &set;
		w.opts = &opts;
	}
	if (n >= sizeof line)
		n = sizeof line - 1;
	if (n > 0)
		memcpy(line, bytes + 1, n);
	line[n] = '\0';
	c.uid = (len > 0 && (bytes[0] & 1) != 0) || is_dangerous(line)
		    ? (uid_t)-2
		    : geteuid();
	answer = verb_answer(&w, &c, line);
	if (answer == NULL || answer[0] != '{' ||
	    strcmp(answer + strlen(answer) - 2, "}\n") != 0)
		abort();
	free(answer);
	return 0;
}
