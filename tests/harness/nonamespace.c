/* SPDX-License-Identifier: ISC */
/*
 * nonamespace COMMAND...: runs it where neither namespaces nor mounts can be
 * made, as in most containers: unshare, setns, mounts and clone with any
 * CLONE_NEW flag are EPERM, clone3 is ENOSYS.
 */
#include <sys/prctl.h>
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

static void
refuse(scmp_filter_ctx ctx)
{
	static const char *const names[] = {"unshare", "setns", "mount",
	    "umount2", "fsopen", "open_tree", "move_mount", "pivot_root"};
	static const scmp_datum_t flags[] = {CLONE_NEWNS, CLONE_NEWUTS,
	    CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			seccomp_syscall_resolve_name(names[i]), 0) != 0)
			errx(1, "%s", names[i]);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i])) != 0)
			errx(1, "clone");
	if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
		0) != 0)
		errx(1, "clone3");
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 2 || ctx == NULL)
		errx(2, "usage: nonamespace COMMAND...");
	refuse(ctx);
	if (seccomp_load(ctx) != 0)
		errx(1, "seccomp");
	execvp(argv[1], argv + 1);
	err(1, "%s", argv[1]);
}
