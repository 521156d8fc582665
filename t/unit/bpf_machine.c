#include "bpf_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
m_wrong(struct machine *m, size_t at, const char *why)
{
	if (m->wrong == NULL) {
		m->wrong = why;
		m->wrong_at = at;
	}
}

void
m_area(struct area *a, size_t *n, const void *p, size_t len)
{
	if (*n == M_AREAS)
		abort();
	a[*n].at = (uint64_t)(uintptr_t)p;
	a[(*n)++].len = len;
}

static int
m_within(const struct area *a, size_t n, uint64_t at, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (at >= a[i].at && len <= a[i].len &&
		    at - a[i].at <= a[i].len - len)
			return 1;
	return 0;
}

void
m_forget(struct machine *m, const void *p)
{
	size_t i;

	for (i = 0; i < m->nmay; i++)
		if (m->may[i].at == (uint64_t)(uintptr_t)p)
			m->may[i].len = 0;
}

static void *
m_ptr(struct machine *m, size_t pc, uint64_t at, size_t len)
{
	static unsigned char nowhere[8192];

	if (m_within(m->may, m->nmay, at, len))
		return (void *)(uintptr_t)at;
	m_wrong(m, pc, "touches what is not its own");
	return nowhere;
}

static uint64_t
m_copy(struct machine *m, size_t pc, uint64_t to, uint64_t n, uint64_t from,
    const struct area *a, size_t na)
{
	void *p = m_ptr(m, pc, to, n);

	if (n > 8192) {
		m_wrong(m, pc, "a copy of too much");
		return (uint64_t)-14;
	}
	if (m_within(a, na, from, n)) {
		memcpy(p, (void *)(uintptr_t)from, n);
		return 0;
	}
	memset(p, 0, n);
	return (uint64_t)-14;
}

static uint64_t
m_string(struct machine *m, size_t pc, uint64_t to, uint64_t n, uint64_t from)
{
	char *p = m_ptr(m, pc, to, n);
	uint64_t i;

	for (i = 0; i < n; i++) {
		if (!m_within(m->kernel, m->nkernel, from + i, 1))
			return (uint64_t)-14;
		p[i] = *(char *)(uintptr_t)(from + i);
		if (p[i] == '\0')
			return i + 1;
	}
	p[n - 1] = '\0';
	return n;
}

static uint64_t
m_reserve(struct machine *m, int ring, uint64_t len)
{
	if ((long)len + 8 > m->room || m->nrec == M_RECORDS)
		return 0;
	m->room -= (long)len + 8;
	m->rec[m->nrec].p = malloc(len);
	memset(m->rec[m->nrec].p, 0x5a, len);
	m->rec[m->nrec].len = len;
	m->rec[m->nrec].state = 1;
	m->rec[m->nrec].ring = ring;
	m_area(m->may, &m->nmay, m->rec[m->nrec].p, len);
	return (uint64_t)(uintptr_t)m->rec[m->nrec++].p;
}

static void
m_finish(struct machine *m, size_t pc, uint64_t at, uint64_t flags, int state)
{
	size_t i;

	for (i = 0; i < m->nrec; i++)
		if ((uint64_t)(uintptr_t)m->rec[i].p == at &&
		    m->rec[i].state == 1)
			break;
	if (i == m->nrec) {
		m_wrong(m, pc, "submits what was not reserved");
		return;
	}
	m->rec[i].state = state;
	m->rec[i].flags = flags;
	m_forget(m, m->rec[i].p);
}

static uint64_t
m_share(struct machine *m, uint32_t key)
{
	unsigned i;

	for (i = 0; i < m->nshares; i++)
		if (m->share[i].key == key)
			return (uint64_t)(uintptr_t)m->share[i].value;
	return 0;
}

static uint64_t
m_call(struct machine *m, size_t pc, int fn, uint64_t *r)
{
	uint64_t vma = 0;
	uint32_t key;
	long e;

	m->used[fn & 255]++;
	switch (fn) {
	case BPF_FUNC_map_lookup_elem:
		key = *(uint32_t *)m_ptr(m, pc, r[2], 4);
		if (r[1] == M_SHAREFD)
			return m_share(m, key);
		if (r[1] == M_COUNTSFD && key == 0)
			return (uint64_t)(uintptr_t)m->counts;
		if (r[1] == M_RATEFD && key < 2)
			return (uint64_t)(uintptr_t)&m->rate[key];
		return 0;
	case BPF_FUNC_map_update_elem:
		key = *(uint32_t *)m_ptr(m, pc, r[2], 4);
		if (r[1] != M_SHAREFD || r[4] != BPF_NOEXIST)
			break;
		if (m_share(m, key) != 0 || m->nshares == 8)
			return (uint64_t)-17;
		m->share[m->nshares].key = key;
		memcpy(m->share[m->nshares].value, m_ptr(m, pc, r[3], 32), 32);
		m_area(m->may, &m->nmay, m->share[m->nshares++].value, 32);
		return 0;
	case BPF_FUNC_ktime_get_ns:
		return m->ktime;
	case BPF_FUNC_get_current_pid_tgid:
		return m->pid_tgid;
	case BPF_FUNC_get_current_uid_gid:
		return m->uid_gid;
	case BPF_FUNC_get_current_cgroup_id:
		return m->cgroup;
	case BPF_FUNC_get_current_comm:
		memcpy(m_ptr(m, pc, r[1], r[2]), m->comm, 16);
		return 0;
	case BPF_FUNC_get_current_task:
	case BPF_FUNC_get_current_task_btf:
		return m->task;
	case BPF_FUNC_task_pt_regs:
		return m->regs;
	case BPF_FUNC_probe_read_kernel:
		return m_copy(m, pc, r[1], r[2], r[3], m->kernel, m->nkernel);
	case BPF_FUNC_probe_read_user:
		return m_copy(m, pc, r[1], r[2], r[3], m->user, m->nuser);
	case BPF_FUNC_probe_read_kernel_str:
		return m_string(m, pc, r[1], r[2], r[3]);
	case BPF_FUNC_ringbuf_reserve:
		if (r[1] == M_RINGFD || r[1] == M_FATALFD)
			return m_reserve(m, (int)r[1], r[2]);
		break;
	case BPF_FUNC_ringbuf_submit:
		m_finish(m, pc, r[1], r[2], 2);
		return 0;
	case BPF_FUNC_ringbuf_discard:
		m_finish(m, pc, r[1], r[2], 3);
		return 0;
	case BPF_FUNC_find_vma:
		if ((e = m->find_vma(m, r[2], &vma)) != 0)
			return (uint64_t)e;
		m_run(m, (size_t)r[3], r[1], vma, r[4]);
		return 0;
	}
	m_wrong(m, pc, "calls a helper it should not");
	return 0;
}

static int
m_jumps(unsigned op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_JA:
		return 1;
	case BPF_JEQ:
		return a == b;
	case BPF_JNE:
		return a != b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	case BPF_JSLE:
		return (int64_t)a <= (int64_t)b;
	}
	return -1;
}

static int
m_alu(unsigned op, uint64_t *d, uint64_t s)
{
	switch (op) {
	case BPF_MOV:
		*d = s;
		return 0;
	case BPF_ADD:
		*d += s;
		return 0;
	case BPF_SUB:
		*d -= s;
		return 0;
	case BPF_AND:
		*d &= s;
		return 0;
	case BPF_OR:
		*d |= s;
		return 0;
	case BPF_XOR:
		*d ^= s;
		return 0;
	case BPF_MUL:
		*d *= s;
		return 0;
	case BPF_LSH:
		*d <<= s & 63;
		return 0;
	case BPF_RSH:
		*d >>= s & 63;
		return 0;
	}
	return -1;
}

static const size_t m_sizes[4] = {4, 2, 1, 8}; /* W H B DW */

static void
m_memory(struct machine *m, size_t pc, const struct bpf_insn *i, uint64_t *r)
{
	size_t n = m_sizes[i->code >> 3 & 3];
	int class = i->code & 7;
	uint64_t v = 0, sum;
	void *p;

	if (class == BPF_LDX) {
		p = m_ptr(m, pc, r[i->src_reg] + (uint64_t)(int64_t)i->off, n);
		memcpy(&v, p, n); /* little-endian hosts */
		r[i->dst_reg] = v;
		return;
	}
	p = m_ptr(m, pc, r[i->dst_reg] + (uint64_t)(int64_t)i->off, n);
	v = class == BPF_ST ? (uint64_t)(int64_t)i->imm : r[i->src_reg];
	if ((i->code & 0xe0) == BPF_ATOMIC) {
		memcpy(&sum, p, sizeof(sum));
		v += sum;
	}
	memcpy(p, &v, n);
}

uint64_t
m_run(struct machine *m, size_t pc, uint64_t r1, uint64_t r2, uint64_t r3)
{
	unsigned char stack[512];
	uint64_t r[11] = {0, r1, r2, r3, 0, 0, 0, 0, 0, 0, 0}, s;
	const struct bpf_insn *i;
	int take;

	memset(stack, 0x77, sizeof(stack));
	r[FP] = (uint64_t)(uintptr_t)(stack + sizeof(stack));
	m_area(m->may, &m->nmay, stack, sizeof(stack));
	for (; m->wrong == NULL; pc++) {
		if (pc >= m->p->n || m->steps++ > M_STEPS) {
			m_wrong(m, pc, "does not end");
			break;
		}
		i = &m->p->insn[pc];
		s = i->code & BPF_X ? r[i->src_reg] : (uint64_t)(int64_t)i->imm;
		switch (i->code & 7) {
		case BPF_ALU64:
			if (m_alu(i->code & 0xf0, &r[i->dst_reg], s) == -1)
				m_wrong(m, pc, "unknown arithmetic");
			break;
		case BPF_LDX:
		case BPF_ST:
		case BPF_STX:
			m_memory(m, pc, i, r);
			break;
		case BPF_LD:
			r[i->dst_reg] = i->src_reg == BPF_PSEUDO_FUNC
			    ? pc + 1 + (uint64_t)(int64_t)i->imm
			    : (uint32_t)i->imm |
				(uint64_t)(uint32_t)i[1].imm << 32;
			pc++;
			break;
		case BPF_JMP:
			if ((i->code & 0xf0) == BPF_EXIT) {
				m_forget(m, stack);
				return r[0];
			}
			if ((i->code & 0xf0) == BPF_CALL) {
				r[0] = m_call(m, pc, i->imm, r);
				memset(r + 1, 0xee, 5 * sizeof(*r));
				break;
			}
			take = m_jumps(i->code & 0xf0, r[i->dst_reg], s);
			if (take == -1)
				m_wrong(m, pc, "unknown jump");
			else if (take)
				pc += (size_t)(ptrdiff_t)i->off;
			break;
		default:
			m_wrong(m, pc, "unknown class");
		}
	}
	m_forget(m, stack);
	return (uint64_t)-1;
}
