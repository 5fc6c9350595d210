/* SPDX-License-Identifier: ISC */
/* patchflow(1): one command for people and scripts. */
#include "ctl/ctl.h"

int
main(int argc, char **argv)
{
	struct ctl c = {0};

	return ctl_run(&c, argc, argv);
}
