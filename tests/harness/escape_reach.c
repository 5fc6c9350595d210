/* SPDX-License-Identifier: ISC */
/* As escape.c: ways past the obvious call, to others' processes, sockets,
 * devices and the handlers that the kernel runs as root. */
#include <sys/io.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>

#include "tests/harness/escape.h"

#define MULTIPATH 262 /* IPPROTO_MPTCP, which older headers lack */
#define WHO_PROCESS 1 /* of ioprio_set(2) */

static bool
opens_proc(long pid, const char *what, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, what);
	return opens(AT_FDCWD, path, flags);
}

/* --- signals, by every other call; none is sent, or one that is ignored */
CASE(signal_thread)
{
	return syscall(SYS_tgkill, executor, executor, 0) == 0;
}
CASE(signal_any_thread)
{
	return syscall(SYS_tkill, executor, 0) == 0;
}
CASE(queue_signal)
{
	siginfo_t info = {.si_code = SI_QUEUE};

	return syscall(SYS_rt_sigqueueinfo, executor, 0, &info) == 0;
}
CASE(signal_by_pidfd)
{
	int fd = (int)syscall(SYS_pidfd_open, executor, 0);

	return fd != -1 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
}
/* The kernel sends it when the pipe can be read: the listener notes SIGURG in
 * a file outside. */
CASE(signal_by_owner)
{
	int p[2];

	if (pipe(p) == -1 || fcntl(p[0], F_SETOWN, executor) == -1 ||
	    fcntl(p[0], F_SETSIG, SIGURG) == -1 ||
	    fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK) == -1 ||
	    write(p[1], "x", 1) != 1)
		return false;
	for (int i = 0; i < 30; i++) {
		if (faccessat(outside, "signalled", F_OK, 0) == 0)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

/* --- what belongs to other processes */
CASE(trace_init)
{
	return !refused(ptrace(PTRACE_SEIZE, 1, 0, 0));
}
CASE(enter_executor)
{
	return opens_proc(executor, "root/etc", O_RDONLY);
}
CASE(executor_files)
{
	char path[64], where[256];

	(void)snprintf(path, sizeof path, "/proc/%ld/fd/0", (long)executor);
	return readlink(path, where, sizeof where) > 0 ||
	       opens(AT_FDCWD, path, O_RDONLY);
}
CASE(executor_memory)
{
	return opens_proc(executor, "mem", O_RDWR);
}
CASE(executor_program)
{
	return opens_proc(executor, "exe", O_RDONLY);
}
CASE(executor_namespace)
{
	return opens_proc(executor, "ns/net", O_RDONLY);
}
CASE(init_namespace)
{
	return opens_proc(1, "ns/mnt", O_RDONLY);
}
CASE(init_program)
{
	return opens_proc(1, "exe", O_RDONLY);
}
CASE(favour_executor)
{
	return opens_proc(executor, "oom_score_adj", O_WRONLY);
}
CASE(pin_executor)
{
	unsigned long all[16];

	memset(all, 0xff, sizeof all);
	return syscall(SYS_sched_setaffinity, executor, sizeof all, all) == 0;
}
CASE(limit_executor)
{
	struct rlimit own;

	/* To what it has already. */
	return syscall(SYS_prlimit64, executor, RLIMIT_CORE, NULL, &own) == 0 &&
	       syscall(SYS_prlimit64, executor, RLIMIT_CORE, &own, NULL) == 0;
}
CASE(starve_executor)
{
	/* best effort, the last of its classes */
	return syscall(SYS_ioprio_set, WHO_PROCESS, executor, 2 << 13 | 7) == 0;
}
CASE(message_queue)
{
	char name[64];

	(void)snprintf(name, sizeof name, "/patchflow-%d", port);
	return mq_open(name, O_WRONLY | O_NONBLOCK) != (mqd_t)-1;
}

/* --- sockets, without connect(2) or of another protocol */
static bool
sends(int type, int protocol, int flags, bool echo)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, type, protocol);
	struct pollfd p = {fd, POLLIN, 0};
	char c = 'x';
	bool out = fd != -1 && sendto(fd, &c, 1, flags, (struct sockaddr *)&to,
				   sizeof to) == 1;

	if (out && echo)
		out = poll(&p, 1, 300) == 1 && recv(fd, &c, 1, 0) == 1;
	if (fd != -1)
		(void)close(fd);
	return out;
}
CASE(udp_unconnected)
{
	return sends(SOCK_DGRAM, 0, 0, true);
}
CASE(tcp_fast_open)
{
	return sends(SOCK_STREAM, 0, MSG_FASTOPEN, false);
}
CASE(tcp_multipath)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, MULTIPATH);

	return fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}
/* A name server: of UDP connect(2) asks for a way there, and sends nothing. The
 * address is one for documentation. */
CASE(dns)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(0xc0000235)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
}
static bool
netlink(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, protocol);

	if (fd != -1)
		(void)close(fd);
	return fd != -1 || !refused(-1);
}
CASE(netlink_filter)
{
	return netlink(NETLINK_NETFILTER);
}
CASE(netlink_generic)
{
	return netlink(NETLINK_GENERIC);
}
CASE(netlink_transform)
{
	return netlink(NETLINK_XFRM);
}
static bool
connects(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool out;

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	out = fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
	if (fd != -1)
		(void)close(fd);
	return out;
}
CASE(name_service)
{
	return connects("/run/nscd/socket") ||
	       connects("/run/systemd/resolve/io.systemd.Resolve");
}
CASE(system_bus)
{
	return connects("/run/dbus/system_bus_socket") ||
	       connects("/run/systemd/private");
}
CASE(containers)
{
	return connects("/run/docker.sock") ||
	       connects("/run/containerd/containerd.sock");
}

/* --- what the kernel runs as root, outside */
CASE(module_loader)
{
	return opens(AT_FDCWD, "/proc/sys/kernel/modprobe", O_WRONLY);
}
CASE(event_helper)
{
	return opens(AT_FDCWD, "/sys/kernel/uevent_helper", O_WRONLY);
}
CASE(binary_formats)
{
	return opens(AT_FDCWD, "/proc/sys/fs/binfmt_misc/register", O_WRONLY);
}
CASE(release_agent)
{
	return opens(AT_FDCWD, "/sys/fs/cgroup/memory/release_agent",
		   O_WRONLY) ||
	       opens(AT_FDCWD, "/sys/fs/cgroup/release_agent", O_WRONLY);
}
CASE(release_notice)
{
	return opens(AT_FDCWD, "/sys/fs/cgroup/memory/notify_on_release",
		   O_WRONLY) ||
	       opens(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control",
		   O_WRONLY);
}
CASE(new_group)
{
	return mkdir("/sys/fs/cgroup/memory/patchflow-escaped", 0700) == 0
		   ? rmdir("/sys/fs/cgroup/memory/patchflow-escaped") == 0
		   : false;
}
CASE(event_handler)
{
	return opens(AT_FDCWD, "/sys/fs/cgroup/memory/cgroup.event_control",
	    O_WRONLY);
}
CASE(tracing)
{
	return opens(AT_FDCWD, "/sys/kernel/tracing/trace_marker", O_WRONLY) ||
	       opens(AT_FDCWD, "/sys/kernel/debug/tracing/trace_marker",
		   O_WRONLY);
}

/* --- devices and calls that reach further than they look */
CASE(page_fault_device)
{
	return opens(AT_FDCWD, "/dev/userfaultfd", O_RDWR);
}
CASE(filesystem_device)
{
	return opens(AT_FDCWD, "/dev/fuse", O_RDWR);
}
CASE(network_device)
{
	return opens(AT_FDCWD, "/dev/net/tun", O_RDWR);
}
CASE(machine_device)
{
	return opens(AT_FDCWD, "/dev/kvm", O_RDWR) ||
	       opens(AT_FDCWD, "/dev/vhost-vsock", O_RDWR);
}
CASE(ports)
{
	return !refused(ioperm(0x80, 1, 1));
}
CASE(request_key)
{
	return !refused(syscall(SYS_request_key, "user", "patchflow", NULL, 0));
}
CASE(pick_mount)
{
	return !refused(syscall(433, AT_FDCWD, "/nowhere", 0));
}
CASE(move_pages)
{
	return !refused(syscall(SYS_migrate_pages, executor, 0, NULL, NULL));
}
CASE(new_keyring)
{
	return !refused(syscall(SYS_keyctl, 1, "patchflow"));
}
/* A program of nobody's file system: what holds for commands must hold for it
 * too, which a file outside shows. */
CASE(memory_program)
{
	char path[4096], name[] = "truncate", size[] = "-s0";
	char *argv[] = {name, size, path, NULL}, *none[] = {NULL};
	char block[65536];
	int from = open("/usr/bin/truncate", O_RDONLY | O_CLOEXEC);
	int fd = (int)syscall(SYS_memfd_create, "patchflow", 0);
	int status = 1;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/file", outside_path);
	while (from != -1 && (n = read(from, block, sizeof block)) > 0)
		if (write(fd, block, (size_t)n) != n)
			return false;
	if (fork() == 0) {
		(void)close(STDERR_FILENO);
		(void)fexecve(fd, argv, none);
		_exit(127);
	}
	return wait(&status) > 0 && status == 0;
}

static const struct escape cases[] = {ROW(signal_thread),
    ROW(signal_any_thread), ROW(queue_signal), ROW(signal_by_pidfd),
    ROW(signal_by_owner), ROW(trace_init), ROW(enter_executor),
    ROW(executor_files), ROW(executor_memory), ROW(executor_program),
    ROW(executor_namespace), ROW(init_namespace), ROW(init_program),
    ROW(favour_executor), ROW(pin_executor), ROW(limit_executor),
    ROW(starve_executor), ROW(message_queue), ROW(udp_unconnected),
    ROW(tcp_fast_open), ROW(tcp_multipath), ROW(dns), ROW(netlink_filter),
    ROW(netlink_generic), ROW(netlink_transform), ROW(name_service),
    ROW(system_bus), ROW(containers), ROW(module_loader), ROW(event_helper),
    ROW(binary_formats), ROW(release_agent), ROW(release_notice),
    ROW(new_group), ROW(event_handler), ROW(tracing), ROW(page_fault_device),
    ROW(filesystem_device), ROW(network_device), ROW(machine_device),
    ROW(ports), ROW(request_key), ROW(pick_mount), ROW(move_pages),
    ROW(new_keyring), ROW(memory_program)};

int
main(int argc, char **argv)
{
	return escape_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
