/* SPDX-License-Identifier: ISC */
/* The table of calls, and the filter that stops at nothing else. */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tests/inject/calls.h"

#define IO (FAULT_EIO)
#define MAKE (FAULT_EIO | FAULT_ENOSPC)
#define OPEN (FAULT_EIO | FAULT_ENOSPC | FAULT_EMFILE | FAULT_EINTR)
#define NEWFD (FAULT_EMFILE)
#define WRITE (FAULT_EIO | FAULT_ENOSPC | FAULT_EINTR | FAULT_SHORT)
#define WAIT (FAULT_EINTR)
#define FORK (FAULT_EAGAIN)
#define CHANGING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

#define CHANGES(name, faults)                                                  \
	{                                                                      \
#name, SYS_##name, true, -1, faults                            \
	}
#define OPENS(name, arg)                                                       \
	{                                                                      \
#name, SYS_##name, true, arg, OPEN                             \
	}
#define READS(name, faults)                                                    \
	{                                                                      \
#name, SYS_##name, false, -1, faults                           \
	}

/* Those of other architectures have the newer ones of the list only. */
const struct call calls[] = {
    OPENS(openat, 2),
    CHANGES(openat2, OPEN),
    CHANGES(write, WRITE),
    CHANGES(pwrite64, WRITE),
    CHANGES(writev, FAULT_EIO | FAULT_ENOSPC | FAULT_EINTR),
    CHANGES(sendto, IO | FAULT_EAGAIN | FAULT_EINTR),
    CHANGES(sendfile, FAULT_EIO | FAULT_ENOSPC),
    CHANGES(copy_file_range, FAULT_EIO | FAULT_ENOSPC),
    CHANGES(ftruncate, MAKE),
    CHANGES(truncate, MAKE),
    CHANGES(fallocate, MAKE),
    CHANGES(fsync, MAKE),
    CHANGES(fdatasync, MAKE),
    CHANGES(syncfs, MAKE),
    CHANGES(sync_file_range, IO),
    CHANGES(renameat, MAKE),
    CHANGES(renameat2, MAKE | FAULT_EINTR),
    CHANGES(linkat, MAKE),
    CHANGES(symlinkat, MAKE),
    CHANGES(unlinkat, MAKE),
    CHANGES(mkdirat, MAKE),
    CHANGES(mknodat, MAKE),
    CHANGES(fchmod, IO),
    CHANGES(fchmodat, IO),
    CHANGES(fchown, IO),
    CHANGES(fchownat, IO),
    CHANGES(utimensat, IO),
    CHANGES(setxattr, MAKE),
    CHANGES(lsetxattr, MAKE),
    CHANGES(fsetxattr, MAKE),
    CHANGES(removexattr, IO),
    CHANGES(lremovexattr, IO),
    CHANGES(fremovexattr, IO),
    CHANGES(flock, FAULT_EINTR),
    CHANGES(clone, FORK),
    CHANGES(clone3, FORK | FAULT_EMFILE | FAULT_ENOSPC),
    CHANGES(execve, IO | FAULT_EAGAIN),
    CHANGES(mount, MAKE),
    CHANGES(umount2, IO),
    CHANGES(fsopen, FAULT_EMFILE),
    CHANGES(fsconfig, MAKE),
    CHANGES(fsmount, FAULT_EMFILE | FAULT_ENOSPC),
    CHANGES(move_mount, MAKE),
    CHANGES(open_tree, FAULT_EMFILE | FAULT_ENOSPC),
    CHANGES(mount_setattr, IO),
    CHANGES(pivot_root, IO),
    CHANGES(setns, IO),
    CHANGES(unshare, FAULT_ENOSPC),
    CHANGES(sethostname, IO),
    CHANGES(setgroups, IO),
    CHANGES(setresuid, FAULT_EAGAIN),
    CHANGES(setresgid, IO),
    CHANGES(setuid, FAULT_EAGAIN),
    CHANGES(setsid, 0),
    CHANGES(capset, IO),
    CHANGES(prlimit64, 0),
    CHANGES(seccomp, 0),
    CHANGES(landlock_restrict_self, 0),
    CHANGES(kill, 0),
    CHANGES(tgkill, 0),
    CHANGES(pidfd_send_signal, IO),
    CHANGES(wait4, WAIT),
    CHANGES(waitid, WAIT),
    CHANGES(close_range, IO),
#ifdef SYS_open
    OPENS(open, 1),
    CHANGES(creat, OPEN),
    CHANGES(rename, MAKE),
    CHANGES(link, MAKE),
    CHANGES(symlink, MAKE),
    CHANGES(unlink, MAKE),
    CHANGES(mkdir, MAKE),
    CHANGES(rmdir, MAKE),
    CHANGES(mknod, MAKE),
    CHANGES(chmod, IO),
    CHANGES(chown, IO),
    CHANGES(lchown, IO),
    CHANGES(utime, IO),
    CHANGES(utimes, IO),
    CHANGES(fork, FORK),
    CHANGES(vfork, FORK),
    READS(pipe, NEWFD),
    READS(dup2, NEWFD),
    READS(poll, WAIT),
    READS(stat, IO),
    READS(lstat, IO),
    READS(readlink, IO),
    READS(access, IO),
#endif
    READS(read, IO | FAULT_EINTR),
    READS(pread64, IO),
    READS(close, IO | FAULT_EINTR),
    READS(fcntl, NEWFD),
    READS(dup, NEWFD),
    READS(dup3, NEWFD),
    READS(pipe2, NEWFD),
    READS(recvfrom, IO),
    READS(memfd_create, NEWFD | FAULT_ENOSPC),
    READS(socket, NEWFD),
    READS(socketpair, NEWFD),
    READS(ppoll, WAIT),
    READS(pidfd_open, NEWFD),
    READS(signalfd4, NEWFD),
    READS(inotify_init1, NEWFD),
    READS(inotify_add_watch, FAULT_ENOSPC),
    READS(newfstatat, IO),
    READS(statx, IO),
    READS(fstatfs, IO),
    READS(getdents64, IO),
    READS(readlinkat, IO),
    READS(lseek, IO),
    READS(fgetxattr, IO),
    READS(lgetxattr, IO),
    READS(flistxattr, IO),
    READS(llistxattr, IO),
    READS(landlock_create_ruleset, NEWFD),
    READS(fchdir, IO),
    READS(chdir, IO),
    READS(exit_group, 0),
};
const size_t call_count = sizeof(calls) / sizeof(calls[0]);

_Static_assert(sizeof(calls) / sizeof(calls[0]) < CALLS_MAX, "counters");

static const struct {
	const char *name;
	unsigned fault;
	int error;
} kinds[] = {
    {"EIO", FAULT_EIO, EIO},
    {"ENOSPC", FAULT_ENOSPC, ENOSPC},
    {"EMFILE", FAULT_EMFILE, EMFILE},
    {"EINTR", FAULT_EINTR, EINTR},
    {"EAGAIN", FAULT_EAGAIN, EAGAIN},
    {"short", FAULT_SHORT, 0},
    {"lie", FAULT_LIE, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct call *
call_find(long nr)
{
	for (size_t i = 0; i < call_count; i++) {
		if (calls[i].nr == nr)
			return &calls[i];
	}
	return NULL;
}

const struct call *
call_named(const char *name)
{
	for (size_t i = 0; i < call_count; i++) {
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	}
	return NULL;
}

const char *
fault_kind_name(unsigned fault)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].fault == fault)
			return kinds[i].name;
	}
	return "kill";
}

unsigned
fault_kind_named(const char *name)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].fault;
	}
	return 0;
}

int
fault_kind_errno(unsigned fault)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].fault == fault)
			return kinds[i].error;
	}
	return 0;
}

bool
call_only_looks(const struct call *c, int flags)
{
	return c->flags_arg != -1 && (flags & CHANGING) == 0;
}

/* Of a 64-bit argument the lower half, on a little-endian machine. */
#define ARG(n) (offsetof(struct seccomp_data, args) + 8 * (size_t)(n))
#define TRACE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(at))

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH 0 /* not supported: the tracer says so */
#endif

static size_t
add_call(struct sock_filter *f, const struct call *c, bool all)
{
	const struct sock_filter plain[] = {
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, 1),
	    TRACE,
	};
	const struct sock_filter open[] = {
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 0, 4),
	    LOAD(ARG(c->flags_arg)),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CHANGING, 0, 1),
	    TRACE,
	    ALLOW,
	};

	if (c->flags_arg == -1 || all) {
		memcpy(f, plain, sizeof(plain));
		return sizeof(plain) / sizeof(plain[0]);
	}
	memcpy(f, open, sizeof(open));
	return sizeof(open) / sizeof(open[0]);
}

int
calls_filter(const bool stops[CALLS_MAX], bool all)
{
	const struct sock_filter head[] = {
	    LOAD(offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	    ALLOW,
	    LOAD(offsetof(struct seccomp_data, nr)),
	};
	struct sock_filter f[CALLS_MAX * 5 + 8];
	size_t n = sizeof(head) / sizeof(head[0]);
	struct sock_fprog program = {0, f};

	memcpy(f, head, sizeof(head));
	for (size_t i = 0; i < call_count; i++) {
		if (stops[i])
			n += add_call(f + n, &calls[i], all);
	}
	f[n++] = (struct sock_filter)ALLOW;
	program.len = (unsigned short)n;
	/* An ordinary user must give up setuid programs for it. */
	if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
