/* Promises that a role can ask the kernel only for what the table below gives it. Written by hand on
 * seccomp-BPF: no library, one table. Must not know what a role does with it. */
#include "net/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                                   \
    __has_feature(undefined_behavior_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifndef WITH_SANITIZER
#define WITH_SANITIZER 0
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows x86_64 and aarch64"
#endif

enum role_bit { I = 1, C = 2, E = 4, M = 8, F = 16 };
#define ALL (I | C | E | M | F)

/* A condition on the low half of one argument: (value & mask) == want. */
struct call_rule {
	long nr;
	unsigned roles;
	unsigned arg; /* 0: none, else argument number + 1 */
	uint32_t mask, want;
};
#define CALL(name, roles)                                                                                    \
	{                                                                                                    \
		__NR_##name, roles, 0, 0, 0                                                                  \
	}
#define CALL_IF(name, roles, n, mask, want)                                                                  \
	{                                                                                                    \
		__NR_##name, roles, (n) + 1, mask, want                                                      \
	}
/* a descriptor to be written to or a file to be made */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC)

/* The event path first: the filter is read from the top. */
static const struct call_rule allowed[] = {
    CALL(read, ALL),
    CALL(write, ALL),
    CALL(recvmsg, ALL),
    CALL(sendmsg, ALL),
    CALL(recvmmsg, ALL),
    CALL(recvfrom, ALL),
    CALL(sendto, ALL),
    CALL(epoll_pwait, ALL),
    CALL(epoll_ctl, ALL),
    CALL(timerfd_settime, ALL),
    CALL(futex, ALL),
    CALL(clock_gettime, ALL),
    CALL(ppoll, ALL),
    CALL(pwrite64, C),
    CALL(pread64, C | E | M | F),
    CALL(fdatasync, C),
    CALL(fsync, C),
    CALL(readv, ALL),
    CALL(writev, ALL),
    CALL(close, ALL),
    CALL(mmap, ALL),
    CALL(munmap, ALL),
    CALL(mremap, ALL),
    CALL(mprotect, ALL),
    CALL(madvise, ALL),
    CALL(brk, ALL),
    CALL(fstat, ALL),
    CALL(newfstatat, ALL),
    CALL(lseek, ALL),
    CALL(fcntl, ALL),
    CALL(dup, ALL),
    CALL(dup3, ALL),
    CALL(pipe2, ALL),
    CALL(eventfd2, ALL),
    CALL(epoll_create1, ALL),
    CALL(epoll_pwait2, ALL),
    CALL(timerfd_create, ALL),
    CALL(socketpair, ALL),
    CALL(sendmmsg, ALL),
    CALL(shutdown, ALL),
    CALL(getsockopt, ALL),
    CALL(setsockopt, ALL),
    CALL(getsockname, ALL),
    CALL(getpeername, ALL),
    CALL(pselect6, ALL),
    /* process and time */
    CALL(exit, ALL),
    CALL(exit_group, ALL),
    CALL(rt_sigaction, ALL),
    CALL(rt_sigprocmask, ALL),
    CALL(rt_sigreturn, ALL),
    CALL(rt_sigtimedwait, ALL),
    CALL(sigaltstack, ALL),
    CALL(restart_syscall, ALL),
    CALL(getpid, ALL),
    CALL(gettid, ALL),
    CALL(getppid, ALL),
    CALL(getuid, ALL),
    CALL(geteuid, ALL),
    CALL(getgid, ALL),
    CALL(getegid, ALL),
    CALL(getrandom, ALL),
    CALL(getrusage, ALL),
    CALL_IF(prlimit64, ALL, 0, UINT32_MAX, 0 /* ourselves */),
    CALL(uname, ALL),
    CALL(sysinfo, ALL),
    CALL(times, ALL),
    CALL(clock_getres, ALL),
    CALL(clock_nanosleep, ALL),
    CALL(nanosleep, ALL),
    CALL(gettimeofday, ALL),
    CALL(sched_yield, ALL),
    CALL(sched_getaffinity, ALL),
    CALL(set_robust_list, ALL),
    CALL(rseq, ALL),
    CALL_IF(prctl, ALL, 0, UINT32_MAX, PR_SET_NAME),
    CALL_IF(ioctl, ALL, 1, UINT32_MAX, FIONREAD),
    CALL_IF(ioctl, ALL, 1, UINT32_MAX, FIONBIO),
    CALL_IF(ioctl, ALL, 1, UINT32_MAX, TCGETS),
    /* accepting: the listening sockets come from the parent */
    CALL(accept4, I | F),
    CALL(accept, I | F),
    /* connecting; netlink is how getaddrinfo learns which families there are */
    CALL_IF(socket, E | M, 0, UINT32_MAX, 1 /* AF_UNIX */),
    CALL_IF(socket, E | M, 0, UINT32_MAX, 2 /* AF_INET */),
    CALL_IF(socket, E | M, 0, UINT32_MAX, 10 /* AF_INET6 */),
    CALL_IF(socket, E | M, 0, UINT32_MAX, 16 /* AF_NETLINK */),
    CALL(connect, E | M),
    CALL_IF(bind, E | M, 2, UINT32_MAX, 12 /* sizeof(struct sockaddr_nl): no port can be bound */),
    /* threads: the store's writer, curl's resolver; never processes (clone3 is unknown: libc falls back to
       clone) */
    CALL_IF(clone, C | E | M, 0, CLONE_THREAD, CLONE_THREAD),
    /* reading files: only core writes any */
    CALL(openat, C),
    CALL_IF(openat, E | M | F, 2, WRITES, O_RDONLY),
    CALL(faccessat, C | E | M | F),
    CALL(faccessat2, C | E | M | F),
    CALL(readlinkat, C | E | M | F),
    CALL(getdents64, C | E | M | F),
    CALL(statx, C | E | M | F),
    CALL(fstatfs, C | E | M | F),
    CALL(statfs, C | E | M | F),
    CALL(getcwd, C | E | M | F),
    CALL(fadvise64, C | E | M | F),
    /* writing them: the state directory is core's; mapper's map is memory that it seals */
    CALL(memfd_create, C | M),
    CALL(ftruncate, C | M),
    CALL(fallocate, C),
    CALL(unlinkat, C),
    CALL(renameat2, C),
    CALL(mkdirat, C),
    CALL(fchmod, C),
    CALL(fchown, C),
    CALL(umask, C),
    CALL(flock, C),
    CALL(sync_file_range, C),
#ifdef __NR_renameat
    CALL(renameat, C),
#endif
#ifdef __x86_64__ /* the old names of the same */
    CALL(epoll_wait, ALL),
    CALL(poll, ALL),
    CALL(select, ALL),
    CALL(dup2, ALL),
    CALL(pipe, ALL),
    CALL(time, ALL),
    CALL(epoll_create, ALL),
    CALL(arch_prctl, ALL),
    CALL(stat, C | E | M | F),
    CALL(lstat, C | E | M | F),
    CALL(access, C | E | M | F),
    CALL(readlink, C | E | M | F),
    CALL(open, C),
    CALL_IF(open, E | M | F, 1, WRITES, O_RDONLY),
    CALL(unlink, C),
    CALL(rename, C),
    CALL(mkdir, C),
    CALL(rmdir, C),
#endif
};

/* Nothing of ours asks for these: who does is not us any more. With a sanitizer they are only refused. */
static const long deadly[] = {
    __NR_ptrace,
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_setns,
    __NR_unshare,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_userfaultfd,
    __NR_init_module,
    __NR_finit_module,
    __NR_delete_module,
    __NR_kexec_load,
    __NR_reboot,
    __NR_swapon,
    __NR_swapoff,
    __NR_add_key,
    __NR_request_key,
    __NR_keyctl,
    __NR_execve,
    __NR_execveat,
    __NR_acct,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
};

/* ---- the filter */

enum { PROGRAM_MAX = 1024 };
enum outcome { OUT_ALLOW, OUT_REFUSE, OUT_KILL, OUT_UNKNOWN };

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	BUG_ON(p->n >= PROGRAM_MAX);
	p->code[p->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static uint32_t action(enum outcome o)
{
	switch (o) {
	case OUT_ALLOW: return SECCOMP_RET_ALLOW;
	case OUT_REFUSE: return SECCOMP_RET_ERRNO | EPERM;
	case OUT_KILL: return WITH_SANITIZER ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
	case OUT_UNKNOWN: return SECCOMP_RET_ERRNO | ENOSYS;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static void leave(struct program *p, enum outcome o)
{
	emit(p, BPF_RET | BPF_K, action(o), 0, 0);
}

/* The accumulator holds the number before and after. */
static void on_number(struct program *p, long nr, enum outcome o)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1);
	leave(p, o);
}

static void on_number_if(struct program *p, const struct call_rule *r)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->nr, 0, 5);
	load(p, offsetof(struct seccomp_data, args) + 8 * (r->arg - 1)); /* little-endian: the low half */
	emit(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, r->want, 0, 1);
	leave(p, OUT_ALLOW);
	load(p, offsetof(struct seccomp_data, nr));
}

static void build(struct program *p, unsigned role)
{
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	emit(p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32: the same calls under other numbers */
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		if ((allowed[i].roles & role) == 0)
			continue;
		if (allowed[i].arg == 0)
			on_number(p, allowed[i].nr, OUT_ALLOW);
		else
			on_number_if(p, &allowed[i]);
	}
	/* abort() signals this process; no other can be reached */
	const struct call_rule abort_self = CALL_IF(tgkill, role, 0, UINT32_MAX, (uint32_t)getpid());
	on_number_if(p, &abort_self);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		on_number(p, deadly[i], OUT_KILL);
	on_number(p, __NR_clone3, OUT_UNKNOWN); /* its flags are in memory, where a filter cannot look */
	leave(p, OUT_REFUSE);
}

static unsigned bit_of(enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_INTAKE: return I;
	case SANDBOX_CORE: return C;
	case SANDBOX_EGRESS: return E;
	case SANDBOX_MAPPER: return M;
	case SANDBOX_FRONT: return F;
	}
	return 0;
}

#if WITH_SANITIZER
/* The leak check at the end needs ptrace and a process of its own: not in a sandbox. */
static bool sandboxed;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return sandboxed;
}
#endif

static int apply(const struct program *p, struct error *err)
{
	const struct sock_fprog prog = {p->n, (struct sock_filter *)(uintptr_t)p->code};
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (rc == 0)
		return 0;
	if (rc > 0)
		return error_set(err, "a thread of this process is in another sandbox");
	return error_set(err, "the kernel takes no seccomp filter: %s", strerror(errno));
}

int sandbox_enter(enum sandbox_role role, struct error *err)
{
	const struct rlimit none = {0, 0};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return error_set(err, "cannot give up new privileges: %s", strerror(errno));
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return error_set(err, "cannot switch core dumps off: %s", strerror(errno));
	struct program *p = xcalloc(1, sizeof *p);
	build(p, bit_of(role));
	int rc = apply(p, err);
	free(p);
#if WITH_SANITIZER
	sandboxed = rc == 0;
#endif
	return rc;
}
