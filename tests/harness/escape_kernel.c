/* SPDX-License-Identifier: ISC */
/* As escape.c: other processes, mounts, namespaces, the kernel, rights. */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>

#include "tests/harness/escape.h"

static bool
opens_proc(long pid, const char *what, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, what);
	return opens(AT_FDCWD, path, flags);
}

/* --- other processes */
CASE(see_executor)
{
	return opens_proc(executor, "stat", O_RDONLY);
}
CASE(signal_executor)
{
	return kill(executor, 0) == 0;
}
CASE(hold_executor)
{
	return syscall(SYS_pidfd_open, executor, 0) >= 0;
}
CASE(trace_parent)
{
	return !refused(ptrace(PTRACE_SEIZE, parent, 0, 0));
}
CASE(trace_executor)
{
	return !refused(ptrace(PTRACE_SEIZE, executor, 0, 0));
}
CASE(read_parent)
{
	char c;
	struct iovec to = {&c, 1}, from = {&spool, 1};

	return !refused(process_vm_readv(parent, &to, 1, &from, 1, 0));
}
/* The process that runs the commands: our shell's parent. */
static long
worker(void)
{
	char path[64], text[512];
	const char *at;
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)parent);
	f = fopen(path, "r");
	n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f != NULL)
		(void)fclose(f);
	text[n] = '\0';
	at = strrchr(text, ')');
	return at != NULL ? strtol(at + 4, NULL, 10) : 0;
}
CASE(write_worker)
{
	return opens_proc(worker(), "mem", O_RDWR);
}
CASE(open_worker)
{
	return opens_proc(worker(), "fd", O_RDONLY | O_DIRECTORY);
}
CASE(limit_worker)
{
	struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};

	return !refused(syscall(SYS_prlimit64, parent, RLIMIT_CORE, &l, 0));
}
CASE(enter_init)
{
	return opens(AT_FDCWD, "/proc/1/root/etc", O_RDONLY);
}
CASE(write_init)
{
	return opens(AT_FDCWD, "/proc/1/mem", O_RDWR);
}
CASE(shared_memory)
{
	return shmget(port, 0, 0) != -1;
}

CASE(semaphores)
{
	return semget(port, 0, 0) != -1;
}
CASE(messages)
{
	return msgget(port, 0) != -1;
}
CASE(slow_executor)
{
	int now;

	/* Never up: not everybody may, and a test may run at any. */
	errno = 0;
	now = getpriority(PRIO_PROCESS, (id_t)executor);
	return setpriority(PRIO_PROCESS, (id_t)executor,
		   errno == 0 && now > 5 ? now : 5) == 0;
}
CASE(take_descriptor)
{
	return !refused(syscall(438, -1, 0, 0));
}
CASE(compare)
{
	return !refused(syscall(SYS_kcmp, -1, -1, 0, 0, 0));
}
CASE(advise)
{
	return !refused(syscall(440, -1, NULL, 0, 0, 0));
}

/* --- mounts and namespaces */
CASE(move_mount)
{
	return !refused(syscall(429, -1, "", -1, "", 0));
}
CASE(mount_flags)
{
	return !refused(syscall(442, -1, "", 0, NULL, 0));
}
CASE(mount)
{
	return !refused(mount("x", ".", "tmpfs", 0, NULL));
}
CASE(fsopen)
{
	return !refused(syscall(430, "tmpfs", 0));
}
CASE(open_tree)
{
	return !refused(syscall(428, AT_FDCWD, "/", 1));
}
CASE(umount)
{
	return !refused(umount2("/nowhere", MNT_DETACH));
}
CASE(chroot)
{
	return chroot(".") == 0;
}
CASE(pivot)
{
	return !refused(syscall(SYS_pivot_root, ".", "."));
}
static bool
unshares(int flags)
{
	pid_t pid = fork();
	int status = 1 << 8;

	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	(void)waitpid(pid, &status, 0);
	return status == 0;
}
CASE(unshare_user)
{
	return unshares(CLONE_NEWUSER);
}
CASE(unshare_both)
{
	return unshares(CLONE_NEWUSER | CLONE_NEWNS);
}
static bool
clones(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return pid > 0;
}
CASE(clone_user)
{
	return clones(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}
CASE(clone3_user)
{
	struct clone_args a = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};

	return clones(syscall(SYS_clone3, &a, sizeof a));
}
CASE(enter_namespace)
{
	return !refused(setns(-1, CLONE_NEWNET));
}

/* --- the kernel */
CASE(io_uring)
{
	return !refused(syscall(425, 1, NULL));
}
CASE(keys)
{
	return !refused(syscall(SYS_keyctl, 0, -3, 0));
}
CASE(add_key)
{
	return !refused(syscall(SYS_add_key, "user", "x", "x", 1, -2));
}
CASE(bpf)
{
	return !refused(syscall(SYS_bpf, 99, NULL, 0));
}
CASE(perf)
{
	return !refused(syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0));
}
CASE(page_faults)
{
	return !refused(syscall(SYS_userfaultfd, ~0));
}
CASE(kexec)
{
	return !refused(syscall(SYS_kexec_load, 0, 0, NULL, ~0L));
}
CASE(modules)
{
	return !refused(syscall(SYS_finit_module, -1, "", 0));
}
CASE(handles)
{
	return !refused(syscall(SYS_open_by_handle_at, -1, NULL, 0));
}
CASE(name_handle)
{
	int id;
	struct file_handle none = {0};

	return !refused(name_to_handle_at(outside, "file", &none, &id, 0));
}
CASE(reboot)
{
	/* Not the magic numbers. */
	return !refused(syscall(SYS_reboot, 0, 0, 0, NULL));
}
CASE(accounting)
{
	return !refused(syscall(SYS_acct, "/nowhere"));
}
CASE(quota)
{
	return !refused(syscall(SYS_quotactl, -1, NULL, 0, NULL));
}
CASE(unload)
{
	return !refused(syscall(SYS_delete_module, "patchflow_none", 0));
}
CASE(kernel_memory)
{
	return opens(AT_FDCWD, "/proc/kcore", O_RDONLY);
}
CASE(fanotify)
{
	return !refused(syscall(SYS_fanotify_init, ~0, 0));
}
CASE(kernel_log)
{
	return !refused(syscall(SYS_syslog, 10, NULL, 0));
}
CASE(clock)
{
	return !refused(syscall(SYS_clock_settime, 99, NULL));
}
CASE(hostname)
{
	return !refused(syscall(SYS_sethostname, NULL, 99999));
}
CASE(swap)
{
	return !refused(syscall(SYS_swapoff, "/nowhere"));
}
CASE(type_terminal)
{
	return !refused(ioctl(0, TIOCSTI, "x"));
}
CASE(type_high_bits)
{
	return !refused(syscall(SYS_ioctl, 0, 0x100000000L | TIOCSTI, "x"));
}
CASE(paste_console)
{
	return !refused(ioctl(0, TIOCLINUX, "\3"));
}
CASE(core_pattern)
{
	return opens(AT_FDCWD, "/proc/sys/kernel/core_pattern", O_WRONLY);
}
CASE(sysctl)
{
	return opens(AT_FDCWD, "/proc/sys/vm/overcommit_memory", O_WRONLY);
}
CASE(sysrq)
{
	return opens(AT_FDCWD, "/proc/sysrq-trigger", O_WRONLY);
}
CASE(sys)
{
	return opens(AT_FDCWD, "/sys/power/state", O_WRONLY);
}
CASE(cgroups)
{
	return opens(AT_FDCWD, "/sys/fs/cgroup/cgroup.procs", O_WRONLY) ||
	       opens(AT_FDCWD, "/sys/fs/cgroup/memory/cgroup.procs",
		   O_WRONLY) ||
	       opens(AT_FDCWD, "/sys/fs/cgroup/pids/cgroup.procs", O_WRONLY);
}
CASE(memory_device)
{
	return opens(AT_FDCWD, "/dev/mem", O_RDONLY);
}
CASE(kernel_messages)
{
	return opens(AT_FDCWD, "/dev/kmsg", O_WRONLY);
}
CASE(disks)
{
	return opens(AT_FDCWD, "/dev/sda", O_RDONLY) ||
	       opens(AT_FDCWD, "/dev/vda", O_RDONLY) ||
	       opens(AT_FDCWD, "/dev/loop-control", O_RDWR);
}
CASE(write_dev)
{
	bool out = opens(AT_FDCWD, "/dev/patchflow-new", O_WRONLY | O_CREAT);

	(void)unlink("/dev/patchflow-new");
	return out;
}
CASE(make_device)
{
	return mknod("node", S_IFCHR | 0600, (dev_t)((1 << 8) | 3)) == 0;
}

/* --- rights */
CASE(become_root)
{
	return getuid() != 0 && setresuid(0, 0, 0) == 0;
}
CASE(change_groups)
{
	gid_t none = 0;

	return setgroups(1, &none) == 0;
}
CASE(new_privileges)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}
CASE(bounding_set)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap) == 1)
			return true;
	return false;
}

static const struct escape cases[] = {ROW(see_executor), ROW(signal_executor),
    ROW(hold_executor), ROW(trace_parent), ROW(trace_executor),
    ROW(read_parent), ROW(write_worker), ROW(open_worker), ROW(limit_worker),
    ROW(enter_init), ROW(write_init), ROW(shared_memory), ROW(semaphores),
    ROW(messages), ROW(slow_executor), ROW(take_descriptor), ROW(compare),
    ROW(advise), ROW(move_mount), ROW(mount_flags), ROW(name_handle),
    ROW(reboot), ROW(accounting), ROW(quota), ROW(unload), ROW(kernel_memory),
    ROW(mount), ROW(fsopen), ROW(open_tree), ROW(umount), ROW(chroot),
    ROW(pivot), ROW(unshare_user), ROW(unshare_both), ROW(clone_user),
    ROW(clone3_user), ROW(enter_namespace), ROW(io_uring), ROW(keys),
    ROW(add_key), ROW(bpf), ROW(perf), ROW(page_faults), ROW(kexec),
    ROW(modules), ROW(handles), ROW(fanotify), ROW(kernel_log), ROW(clock),
    ROW(hostname), ROW(swap), ROW(type_terminal), ROW(type_high_bits),
    ROW(paste_console), ROW(core_pattern), ROW(sysctl), ROW(sysrq), ROW(sys),
    ROW(cgroups), ROW(memory_device), ROW(kernel_messages), ROW(disks),
    ROW(write_dev), ROW(make_device), ROW(become_root), ROW(change_groups),
    ROW(new_privileges), ROW(bounding_set)};

int
main(int argc, char **argv)
{
	return escape_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
