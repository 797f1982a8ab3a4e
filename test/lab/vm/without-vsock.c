/*
 * Runs a command as on a kernel with vsock: without-vsock COMMAND [ARGUMENT…].
 *
 * Incus wants three things for a virtual machine that a machine without virtualization, or a container
 * without CAP_SYS_RESOURCE, doesn't have. Here they seem to succeed, for the command and all that it starts:
 * - setting the guest's context id on /dev/vhost-vsock (the guest gets no such device, see qemu.sh),
 * - raising the limit of locked memory,
 * - listening on vsock's address of the host, which becomes any address.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, what)
#define SUCCESS (SECCOMP_RET_ERRNO | 0)

/* Counted from the line after it, each skip ends at the next question, or at the last line. */
static struct sock_filter filter[] = {
	LOAD(nr),
	UNLESS(__NR_bind, 1),
	ANSWER(SECCOMP_RET_USER_NOTIF),
	UNLESS(__NR_ioctl, 3),
	LOAD(args[1]),
	UNLESS(VHOST_VSOCK_SET_GUEST_CID, 9),
	ANSWER(SUCCESS),
	UNLESS(__NR_prlimit64, 3),
	LOAD(args[1]),
	UNLESS(RLIMIT_MEMLOCK, 5),
	ANSWER(SUCCESS),
	UNLESS(__NR_setrlimit, 3),
	LOAD(args[0]),
	UNLESS(RLIMIT_MEMLOCK, 1),
	ANSWER(SUCCESS),
	ANSWER(SECCOMP_RET_ALLOW),
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* A listening socket's address is changed in the memory of the one who asks, and the call goes on. */
static void let_bind(const struct seccomp_notif *asked)
{
	struct sockaddr_vm address;
	struct iovec here = { &address, sizeof(address) };
	struct iovec there = { (void *)asked->data.args[1], sizeof(address) };

	if (asked->data.args[2] != sizeof(address))
		return;
	if (process_vm_readv(asked->pid, &here, 1, &there, 1, 0) != sizeof(address))
		return;
	if (address.svm_family != AF_VSOCK)
		return;
	address.svm_cid = VMADDR_CID_ANY;
	process_vm_writev(asked->pid, &here, 1, &there, 1, 0);
}

/* Until the last process under the filter has ended: the command's children outlive it. */
static void watch(int listener)
{
	struct seccomp_notif_sizes sizes;
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	if (syscall(__NR_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		fail("seccomp");
	struct seccomp_notif *asked = calloc(1, sizes.seccomp_notif);
	struct seccomp_notif_resp *answer = calloc(1, sizes.seccomp_notif_resp);

	while (poll(&ready, 1, -1) >= 0 || errno == EINTR) {
		if (ready.revents & POLLHUP)
			return;
		if (!(ready.revents & POLLIN))
			continue;
		memset(asked, 0, sizes.seccomp_notif);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) < 0)
			continue;
		let_bind(asked);
		memset(answer, 0, sizes.seccomp_notif_resp);
		answer->id = asked->id;
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
	}
}

static void give(int channel, int listener)
{
	char byte = 0;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);

	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &listener, sizeof(int));
	if (sendmsg(channel, &message, 0) < 0)
		fail("sendmsg");
}

static int take(int channel)
{
	char byte;
	int listener;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1,
				  .msg_control = &control, .msg_controllen = sizeof(control) };

	if (recvmsg(channel, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == NULL)
		fail("recvmsg");
	memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return listener;
}

/* The command keeps our process id, so that it can be signalled; a child watches over it. */
int main(int count, char **arguments)
{
	int channel[2];
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (count < 2) {
		fprintf(stderr, "usage: %s COMMAND [ARGUMENT...]\n", arguments[0]);
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		fail("socketpair");
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(channel[1]);
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		watch(take(channel[0]));
		return 0;
	}
	close(channel[0]);
	int listener = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		fail("seccomp");
	give(channel[1], listener);
	close(channel[1]);
	close(listener);
	execv(arguments[1], arguments + 1);
	fail(arguments[1]);
	return 1;
}
