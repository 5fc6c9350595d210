/* SPDX-License-Identifier: ISC */
/*
 * escape OUTSIDE SPOOL EXECUTOR_PID PORT: tries to get at files and sockets
 * outside of a jail, in every way that we know of, and prints "NAME out" or
 * "NAME held", one a line. OUTSIDE is a directory of the caller's user with
 * the files file and secret, the directory dir, and a listening socket named
 * sock2; on PORT of 127.0.0.1 somebody accepts TCP and echoes UDP, and as
 * "\0patchflow-PORT" listens too. Run in the workspace. Nothing here harms a
 * machine on which it succeeds. escape_kernel.c and escape_reach.c have the
 * rest.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <dirent.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "tests/harness/escape.h"

/* --- files outside */
CASE(write_file)
{
	return opens(outside, "file", O_WRONLY);
}
CASE(append_file)
{
	return opens(outside, "file", O_WRONLY | O_APPEND);
}
CASE(create_file)
{
	return opens(outside, "new", O_WRONLY | O_CREAT);
}
CASE(make_temporary)
{
	return opens(outside, ".", O_WRONLY | O_TMPFILE);
}
CASE(truncate_file)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/file", outside_path);
	return truncate(path, 0) == 0;
}
CASE(make_dir)
{
	return mkdirat(outside, "newdir", 0700) == 0;
}
CASE(make_fifo)
{
	return mkfifoat(outside, "newfifo", 0600) == 0;
}
CASE(make_link)
{
	return symlinkat("x", outside, "newlink") == 0;
}
CASE(remove_file)
{
	return unlinkat(outside, "victim", 0) == 0;
}
CASE(remove_dir)
{
	return unlinkat(outside, "dir", AT_REMOVEDIR) == 0;
}
CASE(rename_out)
{
	return opens(AT_FDCWD, "mine", O_WRONLY | O_CREAT) &&
	       renameat(AT_FDCWD, "mine", outside, "moved") == 0;
}
CASE(rename_in)
{
	return renameat(outside, "file", AT_FDCWD, "taken") == 0;
}
CASE(link_out)
{
	return opens(AT_FDCWD, "mine", O_WRONLY | O_CREAT) &&
	       linkat(AT_FDCWD, "mine", outside, "linked", 0) == 0;
}
CASE(link_in)
{
	return linkat(outside, "file", AT_FDCWD, "linked", 0) == 0;
}
CASE(write_by_link)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/file", outside_path);
	return symlink(path, "way") == 0 && opens(AT_FDCWD, "way", O_WRONLY);
}
CASE(chmod_file)
{
	return fchmodat(outside, "file", 0644, 0) == 0;
}
CASE(chown_file)
{
	return fchownat(outside, "file", getuid(), getgid(), 0) == 0;
}
CASE(touch_file)
{
	return utimensat(outside, "file", NULL, 0) == 0;
}
CASE(mark_file)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/file", outside_path);
	return setxattr(path, "user.patchflow", "x", 1, 0) == 0;
}
CASE(write_root)
{
	bool out = opens(AT_FDCWD, "/patchflow-escaped", O_WRONLY | O_CREAT);

	(void)unlink("/patchflow-escaped");
	return out;
}
CASE(write_etc)
{
	return opens(AT_FDCWD, "/etc/passwd", O_WRONLY);
}

/* --- secrets and the suite's own */
CASE(read_secret)
{
	char c;
	int fd = openat(outside, "secret", O_RDONLY);
	bool out = fd != -1 && read(fd, &c, 1) == 1;

	if (fd != -1)
		(void)close(fd);
	return out;
}
CASE(read_config)
{
	char c;
	int fd = openat(outside, "../patchflow.yaml", O_RDONLY);
	bool out = fd != -1 && read(fd, &c, 1) == 1;

	if (fd != -1)
		(void)close(fd);
	return out;
}
CASE(read_spool)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/MAIN", spool);
	return opens(AT_FDCWD, path, O_RDONLY);
}
CASE(write_spool)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/inbox/new/escape", spool);
	return opens(AT_FDCWD, path, O_WRONLY | O_CREAT);
}
CASE(see_staging)
{
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/state", spool);
	return opens(AT_FDCWD, path, O_RDONLY);
}
/* test(1), owned by root: does its user own the root directory? */
CASE(set_uid_program)
{
	char path[4096], name[] = "suid", flag[] = "-O", root[] = "/";
	char *argv[] = {name, flag, root, NULL};

	if (getuid() == 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/suid", outside_path);
	if (fork() == 0) {
		(void)execv(path, argv);
		_exit(127);
	}
	int status = 1;

	return wait(&status) > 0 && status == 0;
}
static int
count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		(void)closedir(d);
	return n - 2;
}
CASE(see_homes)
{
	return count_entries("/home") > 1 || count_entries("/root") > 0 ||
	       opens(AT_FDCWD, "/root/.ssh", O_RDONLY);
}
CASE(see_run)
{
	return count_entries("/run") > 0;
}
CASE(see_environment)
{
	return getenv("HIDDEN") != NULL;
}
CASE(keep_descriptors)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fd != outside && fcntl(fd, F_GETFD) != -1)
			return true;
	return false;
}

/* --- network */
static bool
talks(int family, int type, const void *to, socklen_t len, bool echo)
{
	int fd = socket(family, type, 0);
	struct pollfd p = {fd, POLLIN, 0};
	char c = 'x';
	bool out = fd != -1 && connect(fd, to, len) == 0;

	if (out && echo)
		out = send(fd, &c, 1, 0) == 1 && poll(&p, 1, 300) == 1 &&
		      recv(fd, &c, 1, 0) == 1;
	if (fd != -1)
		(void)close(fd);
	return out;
}
static bool
talks_inet(int type, bool echo)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return talks(AF_INET, type, &to, sizeof to, echo);
}
CASE(tcp)
{
	return talks_inet(SOCK_STREAM, false);
}
CASE(udp)
{
	return talks_inet(SOCK_DGRAM, true);
}
CASE(tcp_mapped)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	    .sin6_port = htons((uint16_t)port)};

	(void)inet_pton(AF_INET6, "::ffff:127.0.0.1", &to.sin6_addr);
	return talks(AF_INET6, SOCK_STREAM, &to, sizeof to, false);
}
CASE(unix_path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	(void)snprintf(to.sun_path, sizeof to.sun_path, "%s/sock2",
	    outside_path);
	return talks(AF_UNIX, SOCK_STREAM, &to, sizeof to, false);
}
CASE(unix_abstract)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int n = snprintf(to.sun_path + 1, sizeof to.sun_path - 1,
	    "patchflow-%d", port);

	return talks(AF_UNIX, SOCK_STREAM, &to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n),
	    false);
}
static bool
sockets(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd != -1)
		(void)close(fd);
	return fd != -1 || !refused(-1);
}
CASE(vsock)
{
	return sockets(AF_VSOCK, SOCK_STREAM, 0);
}
CASE(packets)
{
	return sockets(AF_PACKET, SOCK_RAW, 0);
}
CASE(kernel_crypto)
{
	return sockets(AF_ALG, SOCK_SEQPACKET, 0);
}
CASE(audit)
{
	return sockets(AF_NETLINK, SOCK_RAW, 9);
}
CASE(kernel_events)
{
	return sockets(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}
CASE(raw_socket)
{
	return sockets(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}
CASE(high_bits)
{
	long fd = syscall(SYS_socket, 0x100000000L | AF_VSOCK, SOCK_STREAM, 0);

	if (fd >= 0)
		(void)close((int)fd);
	return !refused(fd);
}

static const struct escape cases[] = {ROW(write_file), ROW(append_file),
    ROW(create_file), ROW(make_temporary), ROW(truncate_file), ROW(make_dir),
    ROW(make_fifo), ROW(make_link), ROW(remove_file), ROW(remove_dir),
    ROW(rename_out), ROW(link_out), ROW(link_in), ROW(write_by_link),
    ROW(chmod_file), ROW(chown_file), ROW(touch_file), ROW(mark_file),
    ROW(rename_in), ROW(write_root), ROW(write_etc), ROW(read_secret),
    ROW(read_config), ROW(read_spool), ROW(write_spool), ROW(see_homes),
    ROW(see_run), ROW(see_environment), ROW(keep_descriptors), ROW(tcp),
    ROW(udp), ROW(tcp_mapped), ROW(unix_path), ROW(unix_abstract), ROW(vsock),
    ROW(packets), ROW(kernel_crypto), ROW(audit), ROW(kernel_events),
    ROW(raw_socket), ROW(high_bits), ROW(see_staging), ROW(set_uid_program)};

int
main(int argc, char **argv)
{
	return escape_main(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
