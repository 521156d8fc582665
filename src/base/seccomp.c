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
	LEAF = 4,    /* so many rules are asked one after the other */
	A_RULE = 11, /* instructions, at most, with those that lead to it */
	CODE_MAX = HEAD + SECCOMP_RULES * A_RULE
};

struct code {
	struct sock_filter insn[CODE_MAX];
	unsigned short n;
	unsigned self;
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
 * else on to what follows, with the number in the accumulator again.
 */
static void
add_rule(struct code *c, const struct seccomp_rule *r)
{
	unsigned value = r->test == SC_SELF ? c->self : r->value;
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

/*
 * n rules in the order of their numbers, as a tree.  The kernel tries a filter
 * on every number there is when it is set (seccomp_cache_prepare_bitmap() of
 * kernel/seccomp.c): that would be each time past all rules.
 */
static void
add_rules(struct code *c, const struct seccomp_rule *const r[], size_t n)
{
	size_t i, half = n / 2;
	unsigned short over;

	/* those of one number stay together, in their order */
	while (half > 0 && r[half - 1]->nr == r[half]->nr)
		half--;
	if (n <= LEAF || half == 0) {
		for (i = 0; i < n; i++)
			add_rule(c, r[i]);
		end(c, SECCOMP_RET_KILL_PROCESS);
		return;
	}
	add(c, BPF_JMP | BPF_JGE | BPF_K, (unsigned)r[half]->nr, 0, 1);
	over = c->n;
	add(c, BPF_JMP | BPF_JA, 0, 0, 0);
	add_rules(c, r, half);
	c->insn[over].k = (unsigned)(c->n - over - 1);
	add_rules(c, r + half, n - half);
}

/* The rules of a role, those of one number in the order they were given. */
static size_t
sort_rules(const struct seccomp_rule *rules, size_t n, unsigned role,
    const struct seccomp_rule *r[])
{
	size_t i, at, many = 0;

	for (i = 0; i < n; i++) {
		if ((rules[i].roles & role) == 0)
			continue;
		for (at = many++; at > 0 && r[at - 1]->nr > rules[i].nr; at--)
			r[at] = r[at - 1];
		r[at] = &rules[i];
	}
	return many;
}

int
seccomp_shut(
    const struct seccomp_rule *rules, size_t n, unsigned role, pid_t self)
{
	const struct seccomp_rule *sorted[SECCOMP_RULES];
	struct code c;
	struct sock_fprog prog;

	if (MACHINE == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (n > SECCOMP_RULES) {
		errno = E2BIG;
		return -1;
	}
	c.n = 0;
	c.self = (unsigned)self;
	load(&c, offsetof(struct seccomp_data, arch));
	add(&c, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
	end(&c, SECCOMP_RET_KILL_PROCESS);
	load(&c, offsetof(struct seccomp_data, nr));
	add_rules(&c, sorted, sort_rules(rules, n, role, sorted));
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
