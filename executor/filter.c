/* SPDX-License-Identifier: ISC */
/* The deny list, compiled by libseccomp. */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/tiocl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "executor/filter.h"

#define REFUSE SCMP_ACT_ERRNO(EPERM)
/* Of an int argument the kernel looks at the lower half only. */
#define LOW UINT64_C(0xffffffff)
#define PROGRAM_MAX 4096 /* instructions that the kernel takes */

static struct program {
	unsigned short count; /* 0: not made yet */
	struct sock_filter *code;
} programs[2];

/* Names that this libseccomp does not know, or another architecture does not
 * have, are left out: their numbers are not to be had here either. */
static const char *const refused[] = {
    /* files without the file calls that the other layers watch */
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "pidfd_getfd", "kcmp", "move_pages", "migrate_pages",
    /* mounts and namespaces */
    "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig",
    "fsmount", "fspick", "open_tree", "open_tree_attr", "move_mount",
    "mount_setattr", "unshare", "setns", "swapon", "swapoff",
    /* keys, programs in the kernel, its memory and its modules */
    "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd",
    "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "lookup_dcookie", "iopl", "ioperm", "modify_ldt", "vm86",
    "vm86old", "uselib", "nfsservctl",
    /* the machine as a whole */
    "reboot", "acct", "quotactl", "quotactl_fd", "syslog", "settimeofday",
    "stime", "clock_settime", "clock_settime64", "clock_adjtime",
    "clock_adjtime64", "adjtimex", "sethostname", "setdomainname", "vhangup"};

static int
refuse_names(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int nr = seccomp_syscall_resolve_name(refused[i]);
		int rc = nr == __NR_SCMP_ERROR
			     ? 0
			     : seccomp_rule_add(ctx, REFUSE, nr, 0);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
refuse_namespaces(scmp_filter_ctx ctx)
{
	static const uint64_t flags[] = {CLONE_NEWNS, CLONE_NEWCGROUP,
	    CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
	    CLONE_NEWNET};
	int rc =
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; rc == 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
		rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, flags[i], flags[i]));
	return rc;
}

static bool
is_let_through(unsigned family, bool inet)
{
	return family == AF_UNIX ||
	       (inet && (family == AF_INET || family == AF_INET6 ||
			    family == AF_NETLINK));
}

/* Of netlink the routing family: how the C library lists interfaces. */
static int
refuse_sockets(scmp_filter_ctx ctx, bool inet)
{
	int rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(socket), 1,
	    SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0));

	for (unsigned family = 0; rc == 0 && family <= AF_NETLINK; family++) {
		if (!is_let_through(family, inet))
			rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(socket), 1,
			    SCMP_A0(SCMP_CMP_EQ, family, 0));
	}
	if (rc == 0 && inet)
		rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(socket), 2,
		    SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0),
		    SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE, 0));
	return rc;
}

/* Typing for whoever sits at the terminal. */
static int
refuse_terminals(scmp_filter_ctx ctx)
{
	static const uint64_t requests[] = {TIOCSTI, TIOCLINUX, TIOCCONS,
	    TIOCSETD};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 4; i++)
		rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, LOW, requests[i]));
	return rc;
}

/* Device nodes, and the limits of other processes: their use of disks, too. */
static int
refuse_rest(scmp_filter_ctx ctx)
{
	static const uint64_t kinds[] = {S_IFCHR, S_IFBLK};
	int rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(prlimit64), 2,
	    SCMP_A0(SCMP_CMP_NE, 0, 0), SCMP_A2(SCMP_CMP_NE, 0, 0));

	if (rc == 0)
		rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(ioprio_set), 1,
		    SCMP_A1(SCMP_CMP_NE, 0, 0));
	for (size_t i = 0; rc == 0 && i < 2; i++) {
		rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(mknodat), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, S_IFMT, kinds[i]));
		if (rc == 0)
			rc = seccomp_rule_add(ctx, REFUSE, SCMP_SYS(mknod), 1,
			    SCMP_A1(SCMP_CMP_MASKED_EQ, S_IFMT, kinds[i]));
	}
	return rc;
}

static int
add_rules(scmp_filter_ctx ctx, bool inet)
{
	/* Another architecture's calls have other numbers: none of them. */
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_ERRNO(ENOSYS));

	/* A tree instead of a list: a build makes many calls. */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (rc == 0)
		rc = refuse_names(ctx);
	if (rc == 0)
		rc = refuse_namespaces(ctx);
	if (rc == 0)
		rc = refuse_sockets(ctx, inet);
	if (rc == 0)
		rc = refuse_terminals(ctx);
	return rc == 0 ? refuse_rest(ctx) : rc;
}

/* The program as the kernel takes it, by way of a file in memory. */
static int
compile(scmp_filter_ctx ctx, struct program *p)
{
	struct sock_filter code[PROGRAM_MAX];
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n = -1;

	if (fd == -1)
		return -1;
	if (seccomp_export_bpf(ctx, fd) == 0)
		n = pread(fd, code, sizeof(code), 0);
	(void)close(fd);
	if (n <= 0 || n == (ssize_t)sizeof(code)) {
		errno = ENOTSUP;
		return -1;
	}
	p->count = (unsigned short)((size_t)n / sizeof(code[0]));
	p->code = xreallocarray(NULL, p->count, sizeof(code[0]));
	memcpy(p->code, code, (size_t)n);
	return 0;
}

int
filter_make(bool inet)
{
	struct program *p = &programs[inet];
	scmp_filter_ctx ctx;
	int rc;

	if (p->count > 0)
		return 0;
	ctx = seccomp_init(SCMP_ACT_ALLOW);
	rc = ctx != NULL ? add_rules(ctx, inet) : -ENOMEM;
	if (rc == 0)
		rc = compile(ctx, p) == 0 ? 0 : -errno;
	seccomp_release(ctx);
	errno = -rc;
	return rc == 0 ? 0 : -1;
}

int
filter_enter(bool inet)
{
	struct sock_fprog prog = {programs[inet].count, programs[inet].code};

	if (prog.len == 0) {
		errno = EINVAL;
		return -1;
	}
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0);
}
