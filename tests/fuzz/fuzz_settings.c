/* SPDX-License-Identifier: ISC */
/* Any bytes as patchflow.yaml: settings or errors, and nothing is left. */
#include <sys/mman.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct settings s;
	struct buf errs = {0};
	char path[64];
	int fd = memfd_create("settings", MFD_CLOEXEC);

	if (fd == -1 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (settings_load(&s, path, &errs) == 0) {
		if (settings_default_queue(&s) == NULL || errs.len > 0)
			abort();
		settings_free(&s);
	} else if (errs.len == 0) /* refused without a reason */
		abort();
	buf_free(&errs);
	(void)close(fd);
	return 0;
}
