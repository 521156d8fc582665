#include "bpf/insn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
insns_init(struct insns *p)
{
	memset(p, 0, sizeof(*p));
}

void
insns_free(struct insns *p)
{
	free(p->insn);
	free(p->mean);
	free(p->jump);
	insns_init(p);
}

static int
grow(struct insns *p)
{
	size_t cap = p->cap ? p->cap * 2 : 512;
	void *a, *b, *c;

	if (p->n < p->cap)
		return 0;
	if (cap > INSN_MAX) {
		p->err = E2BIG;
		return -1;
	}
	/* each is kept as soon as it is there: all three are freed together */
	if ((a = realloc(p->insn, cap * sizeof(*p->insn))) != NULL)
		p->insn = a;
	if ((b = realloc(p->mean, cap * sizeof(*p->mean))) != NULL)
		p->mean = b;
	if ((c = realloc(p->jump, cap * sizeof(*p->jump))) != NULL)
		p->jump = c;
	if (a == NULL || b == NULL || c == NULL) {
		p->err = ENOMEM;
		return -1;
	}
	p->cap = cap;
	return 0;
}

static void
put(struct insns *p, struct bpf_insn i, int label, const char *mean)
{
	if (p->err || grow(p) == -1)
		return;
	p->insn[p->n] = i;
	p->mean[p->n] = mean;
	p->jump[p->n++] = label;
}

void
insn_add(struct insns *p, struct bpf_insn i, const char *mean)
{
	put(p, i, -1, mean);
}

void
insn_jump(struct insns *p, struct bpf_insn i, int label, const char *mean)
{
	put(p, i, label, mean);
}

static void
pair(struct insns *p, struct bpf_insn low, uint32_t high, int label,
    const char *mean)
{
	low.code = BPF_LD | BPF_IMM | BPF_DW;
	put(p, low, label, mean);
	put(p, INSN(0, 0, 0, 0, high), -1, "");
}

void
insn_imm64(struct insns *p, int d, uint64_t v, const char *mean)
{
	pair(p, INSN(0, d, 0, 0, v), v >> 32, -1, mean);
}

void
insn_map(struct insns *p, int d, int fd, const char *mean)
{
	pair(p, INSN(0, d, BPF_PSEUDO_MAP_FD, 0, fd), 0, -1, mean);
}

void
insn_func(struct insns *p, int d, int label, const char *mean)
{
	pair(p, INSN(0, d, BPF_PSEUDO_FUNC, 0, 0), 0, label, mean);
}

int
insn_label(struct insns *p)
{
	if (p->nlabels == INSN_LABELS) {
		p->err = p->err ? p->err : E2BIG;
		return 0;
	}
	p->label[p->nlabels] = -1;
	return p->nlabels++;
}

void
insn_here(struct insns *p, int label)
{
	if (label < 0 || label >= p->nlabels || p->label[label] != -1)
		p->err = p->err ? p->err : EINVAL;
	else
		p->label[label] = (int)p->n;
}

int
insns_finish(struct insns *p)
{
	size_t i;
	long to;

	for (i = 0; i < p->n && !p->err; i++) {
		if (p->jump[i] == -1)
			continue;
		to = p->jump[i] >= 0 && p->jump[i] < p->nlabels
		    ? p->label[p->jump[i]]
		    : -1;
		if (to == -1) {
			p->err = EINVAL;
			break;
		}
		to -= (long)i + 1;
		if ((p->insn[i].code & 7) == BPF_LD)
			p->insn[i].imm = (int32_t)to;
		else if (to < INT16_MIN || to > INT16_MAX)
			p->err = ERANGE;
		else
			p->insn[i].off = (int16_t)to;
	}
	if (p->err == 0)
		return 0;
	errno = p->err;
	return -1;
}
