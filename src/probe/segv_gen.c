#include "probe/segv_gen.h"

int
gen_has(const struct gen *g, enum segv_member m)
{
	return g->l->m[m].off != -1;
}

void
gen_read(struct gen *g, struct gen_copy c, int fail, const char *mean)
{
	I(MOV(R3, c.from.reg), "r3 = from");
	if (c.from.off != 0)
		I(ADDI(R3, c.from.off), "r3 += where the member is");
	I(MOV(R1, c.to.reg), "r1 = to");
	if (c.to.off != 0)
		I(ADDI(R1, c.to.off), "r1 += where it goes");
	I(MOVI(R2, c.size), "r2 = bytes");
	I(CALL(c.helper), mean);
	J(JNEI(R0, 0), fail, "if that fails, skip");
}

void
gen_follow(
    struct gen *g, int to, struct gen_at from, int fail, const char *mean)
{
	READ(AT(FP, S_PTR), 8, from, fail, mean);
	I(LD64(to, FP, S_PTR), "the pointer that was read");
	J(JEQI(to, 0), fail, "if it is NULL, skip");
}

void
gen_count(struct gen *g, size_t off, const char *mean)
{
	I(LD64(R1, R9, off), "r1 = the count");
	I(ADDI(R1, 1), "r1++");
	I(ST64(R9, off, R1), mean);
}

void
gen_have(struct gen *g, unsigned bit)
{
	g->have |= bit;
	I(LD32(R1, R7, REC(have)), "r1 = rec->have");
	I(ORI(R1, bit), "r1 |= the bit of this block");
	I(ST32(R7, REC(have), R1), "rec->have = r1");
}

int
gen_has_words(const struct gen *g, const struct gen_words *s)
{
	unsigned size;
	size_t i;

	for (i = 0; i < s->n; i++) {
		size = g->l->m[s->w[i].m].size;
		if (!gen_has(g, s->w[i].m) ||
		    (size != 8 && size != 4 && size != 2))
			return 0;
	}
	return s->n > 0;
}

void
gen_words(struct gen *g, const struct gen_words *s, int fail, const char *mean)
{
	const struct gen_word *w = s->w;
	int lo = INT16_MAX, hi = 0, off, at, size, together;
	size_t i;

	for (i = 0; i < s->n; i++) {
		off = g->l->m[w[i].m].off;
		size = (int)g->l->m[w[i].m].size;
		lo = off < lo ? off : lo;
		hi = off + size > hi ? off + size : hi;
	}
	together = hi - lo <= SPAN_MAX;
	if (together)
		READ(AT(FP, S_SCRATCH), (unsigned)(hi - lo), AT(s->from, lo),
		    fail, mean);
	for (i = 0; i < s->n; i++) {
		off = g->l->m[w[i].m].off;
		size = (int)g->l->m[w[i].m].size;
		at = S_SCRATCH + (together ? off - lo : 0);
		if (!together)
			READ(AT(FP, S_SCRATCH), (unsigned)size,
			    AT(s->from, off), fail, mean);
		if (size == 2)
			I(LD16(R1, FP, at), "r1 = the member");
		else if (size == 4)
			I(LD32(R1, FP, at), "r1 = the member");
		else
			I(LD64(R1, FP, at), "r1 = the member");
		if (w[i].size == 4)
			I(ST32(s->to, w[i].to, R1), "where it goes = r1");
		else
			I(ST64(s->to, w[i].to, R1), "where it goes = r1");
	}
}

int
gen_has_file_name(const struct gen *g)
{
	return gen_has(g, M_FILE_DENTRY) && gen_has(g, M_DENTRY_LEN) &&
	    gen_has(g, M_DENTRY_NAME);
}

void
gen_file_name(struct gen *g, int len, int name, int fail)
{
	gen_follow(g, R6, MEMBER(R6, M_FILE_DENTRY), fail,
	    "dentry = file->f_path.dentry");
	READ(AT(R7, len), 4, MEMBER(R6, M_DENTRY_LEN), fail,
	    "len = dentry->d_name.len");
	gen_follow(
	    g, R6, MEMBER(R6, M_DENTRY_NAME), fail, "s = dentry->d_name.name");
	I(MOV(R1, R7), "r1 = rec");
	I(ADDI(R1, name), "r1 = where the name goes");
	I(MOVI(R2, SEGV_NAME), "r2 = its size");
	I(MOV(R3, R6), "r3 = s");
	I(CALL(BPF_FUNC_probe_read_kernel_str), "copy the string, cut if long");
	J(JSLEI(R0, 0), fail, "if (not copied) skip");
}
