#include "base/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

/* AUDIT_ARCH_* of linux/audit.h: whose numbers the calls of a machine have.
 * Not s390x: there mmap(2) has its arguments in memory, where no filter sees
 * them. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__arm__) && defined(__ARMEL__)
#define MACHINE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define MACHINE AUDIT_ARCH_PPC64LE
#else
#define MACHINE 0 /* none: no filter */
#endif

/* The low half of a 64-bit argument. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
enum { LOW = 4, HIGH = 0 };
#else
enum { LOW = 0, HIGH = 4 };
#endif

enum {
	HEAD = 4,
	A_RULE = 8, /* instructions, at most */
	CODE_MAX = HEAD + SECCOMP_RULES * A_RULE + 1
};

struct code {
	struct sock_filter insn[CODE_MAX];
	unsigned short n;
};

static void
add(struct code *c, unsigned op, unsigned k, unsigned jt, unsigned jf)
{
	c->insn[c->n++] = (struct sock_filter){
	    (unsigned short)op, (unsigned char)jt, (unsigned char)jf, k};
}

/* The word of struct seccomp_data at that offset becomes the accumulator. */
static void
load(struct code *c, size_t offset)
{
	add(c, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void
end(struct code *c, unsigned verdict)
{
	add(c, BPF_RET | BPF_K, verdict, 0, 0);
}

/*
 * if (nr == rule's && its argument passes) return its verdict;
 * else on to the next rule, with the number in the accumulator again.
 */
static void
add_rule(struct code *c, const struct seccomp_rule *r)
{
	unsigned value = r->value;
	unsigned op = BPF_JMP | BPF_JEQ | BPF_K, yes = 0, no = 1;
	size_t at = offsetof(struct seccomp_data, args) + r->arg * 8;
	unsigned verdict = r->deny == 0
	    ? SECCOMP_RET_ALLOW
	    : SECCOMP_RET_ERRNO | ((unsigned)r->deny & SECCOMP_RET_DATA);

	if (r->test == SC_ANY) {
		add(c, op, (unsigned)r->nr, 0, 1);
		end(c, verdict);
		return;
	}
	/* over: argument, test, verdict, number */
	add(c, op, (unsigned)r->nr, 0,
	    4 + (r->test == SC_ALL) + 2 * (r->test == SC_NULL));
	if (r->test == SC_NULL) { /* its other half, or over the first */
		load(c, at + HIGH);
		add(c, op, 0, 0, 3);
	}
	load(c, at + LOW);
	if (r->test == SC_SELF)
		value = (unsigned)getpid();
	if (r->test == SC_NONE) {
		op = BPF_JMP | BPF_JSET | BPF_K;
		yes = 1;
		no = 0;
	}
	if (r->test == SC_ALL)
		add(c, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
	add(c, op, value, yes, no);
	end(c, verdict);
	load(c, offsetof(struct seccomp_data, nr));
}

int
seccomp_shut(const struct seccomp_rule *rules, size_t n, unsigned role)
{
	struct code c = {.n = 0};
	struct sock_fprog prog;
	size_t i;

	if (MACHINE == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (n > SECCOMP_RULES) {
		errno = E2BIG;
		return -1;
	}
	load(&c, offsetof(struct seccomp_data, arch));
	add(&c, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	end(&c, SECCOMP_RET_KILL_PROCESS);
	load(&c, offsetof(struct seccomp_data, nr));
	for (i = 0; i < n; i++)
		if (rules[i].roles & role)
			add_rule(&c, &rules[i]);
	end(&c, SECCOMP_RET_KILL_PROCESS);
	prog.len = c.n;
	prog.filter = c.insn;
	/* what is parsed is data: no speculation need be slowed for it */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) == 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0)
		return 0;
	/* EINVAL: a kernel without filters (seccomp(2)) */
	if (errno == EINVAL)
		errno = ENOSYS;
	return -1;
}
