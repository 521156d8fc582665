/*
 * Where the return address lies by the function's own code: what it has pushed
 * and reserved from its first instruction to the one it stands at.  For code
 * that has neither unwind data nor a frame pointer.
 *
 * The code is read once, from its start on.  A jump forward tells how deep the
 * stack is where it leads to.  Behind a jump or return that nothing leads to,
 * the stack is taken to be as deep as it was last in the middle of the function
 * (at a call or jump): a guess, which the call before the return address has to
 * bear out.
 */
#include <string.h>

#include "memop/memop.h"
#include "unwind/callsite.h"
#include "unwind/unwind_impl.h"

#if defined(__x86_64__) && UNWIND_SUPPORTED
enum {
	CODE_MAX = 16 << 10, /* of a function that are read */
	HOPS_MAX = 4,	     /* jumps on the way of a call */
	SCAN_MAX = 2048,     /* bytes of a stack that are looked through */
	TARGETS = 64,	     /* of jumps forward, kept */
	INSN_MAX = 16,
	DEPTH_MAX = 1 << 20
};

/* Bytes between the return address and the stack pointer; the same for where
 * rbp points to and where the caller's is kept, 0: not known, not kept.  known
 * 0: rsp got a value. */
struct depth {
	int known, guessed;
	int64_t sp, fp, saved;
};

struct sweep {
	unsigned char code[CODE_MAX + INSN_MAX];
	size_t n;
	struct depth now, middle;
	int dead;  /* behind a jump or return */
	int ended; /* behind what a function may end with */
	struct {
		size_t pos;
		struct depth depth;
	} target[TARGETS];
	size_t ntargets;
};

static int64_t
little(const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return (int64_t)(v << (64 - 8 * n)) >> (64 - 8 * n);
}

static void
jump(struct sweep *s, size_t from, int64_t by)
{
	uint64_t to = from + (uint64_t)by;

	s->middle = s->now;
	if (to < from || to > s->n || s->ntargets == TARGETS)
		return;
	s->target[s->ntargets].pos = (size_t)to;
	s->target[s->ntargets++].depth = s->now;
}

static void
arrive(struct sweep *s, size_t pos)
{
	size_t i;

	for (i = 0; i < s->ntargets; i++)
		if (s->target[i].pos == pos) {
			s->now = s->target[i].depth;
			s->dead = 0;
			return;
		}
}

enum { RSP = 4, RBP = 5 };

/* lea: where a register then points, as bytes below the return address; -1
 * not known. */
static int
lea(const struct depth *d, const unsigned char *p, unsigned rex, int64_t *v)
{
	unsigned mod = p[1] >> 6, sib = (p[1] & 7) == RSP;

	if (sib && p[2] == 0x24 && !(rex & 3))
		*v = d->sp;
	else if ((p[1] & 7) == RBP && d->fp != 0 && mod != 0 && !(rex & 1))
		*v = d->fp;
	else
		return -1;
	if (mod != 0)
		*v -=
		    mod == 1 ? little(p + 2 + sib, 1) : little(p + 2 + sib, 4);
	return 0;
}

/* A 64-bit instruction with a ModRM byte that may change rsp or rbp; the opcode
 * is at p. */
static void
on_register(struct depth *d, const unsigned char *p, size_t len, unsigned rex)
{
	unsigned op = p[0], mod = p[1] >> 6;
	unsigned reg = (p[1] >> 3 & 7) | (rex & 4) << 1;
	unsigned rm = mod == 3 ? (p[1] & 7) | (rex & 1) << 3 : 16;
	unsigned to, from;

	if ((op == 0x83 || op == 0x81) && rm == RSP) {
		int64_t imm = op == 0x83 ? little(p + len - 1, 1)
					 : little(p + len - 4, 4);

		if (reg == 5)
			d->sp += imm; /* sub */
		else if (reg == 0)
			d->sp -= imm; /* add */
		else if (reg != 7)
			d->known = 0;
		return;
	}
	if (op == 0x8d && reg == RBP && lea(d, p, rex, &d->fp) == -1)
		d->fp = 0;
	if (op == 0x8d && reg == RSP && lea(d, p, rex, &d->sp) == -1)
		d->known = 0;
	/* add or and sub xor mov, from and to a register or memory */
	if (op != 0x89 && op != 0x8b && (op & 0xc5) != 0x01)
		return;
	to = op & 2 ? reg : rm;
	from = op & 2 ? rm : reg;
	if (to == RBP)
		d->fp = op >= 0x89 && from == RSP ? d->sp : 0;
	if (to != RSP || (op & 0xf8) == 0x38) /* cmp */
		return;
	d->known &= op >= 0x89 && from == RBP && d->fp != 0;
	d->sp = d->fp;
}

static void
push(struct depth *d, int is_rbp)
{
	d->sp += 8;
	if (is_rbp && d->saved == 0)
		d->saved = d->sp;
}

static void
pop(struct depth *d, int is_rbp)
{
	if (is_rbp && d->saved == d->sp)
		d->saved = d->fp = 0;
	d->sp -= 8;
}

/* What one instruction, len bytes at pos, does to the stack. */
static void
take(struct sweep *s, size_t pos, size_t len)
{
	const unsigned char *p = s->code + pos, *end = p + len;
	unsigned rex = 0;

	while (p + 1 < end &&
	    (*p == 0x66 || *p == 0xf2 || *p == 0xf3 || *p == 0x2e ||
		*p == 0x3e))
		p++;
	if ((*p & 0xf0) == 0x40 && p + 1 < end)
		rex = *p++;
	if ((*p & 0xf8) == 0x50)
		push(&s->now, *p == 0x55 && !(rex & 1));
	else if ((*p & 0xf8) == 0x58)
		pop(&s->now, *p == 0x5d && !(rex & 1));
	else if (*p == 0x68 || *p == 0x6a || *p == 0x9c ||
	    (*p == 0xff && (p[1] & 0x38) == 0x30))
		push(&s->now, 0);
	else if (*p == 0x9d || *p == 0x8f)
		pop(&s->now, 0);
	else if (*p == 0xc9) { /* leave */
		s->now.sp = s->now.fp;
		s->now.known = s->now.fp != 0;
		pop(&s->now, 1);
	} else if (*p == 0xe8) {
		s->middle = s->now;
		s->now.sp += little(p + 1, 4) == 0 ? 8 : 0;
	} else if (*p == 0xff && (p[1] & 0x38) == 0x10) {
		s->middle = s->now;
	} else if ((*p & 0xf0) == 0x70 || *p == 0xeb) {
		jump(s, pos + len, little(end - 1, 1));
	} else if (*p == 0xe9 || (*p == 0x0f && (p[1] & 0xf0) == 0x80)) {
		jump(s, pos + len, little(end - 4, 4));
	} else if (rex & 8 && end - p >= 2) {
		on_register(&s->now, p, (size_t)(end - p), rex);
	}
	s->ended = *p == 0xc3 || *p == 0xc2 || *p == 0xf4 ||
	    (*p == 0x0f && p[1] == 0x0b);
	s->dead = s->ended || *p == 0xeb || *p == 0xe9 ||
	    (*p == 0xff && (p[1] & 0x38) == 0x20);
	s->ended |= s->dead && s->now.sp == 0; /* a jump for a call */
}

/* From span[0], where a function begins, to the instruction that span[1] is
 * in.  sure: into no other function.  -1 not known. */
static int
depth_at(struct sweep *s, struct target *t, const uint64_t span[2], int sure)
{
	size_t pos, len, at = (size_t)(span[1] - span[0]);

	if (span[1] < span[0] || span[1] - span[0] > CODE_MAX)
		return -1;
	s->n = target_read(t, span[0], s->code, at + INSN_MAX);
	s->now = s->middle = (struct depth){.known = 1};
	s->ntargets = 0;
	s->dead = 0;
	for (pos = 0;; pos += len) {
		arrive(s, pos);
		if (s->dead && !(sure && s->ended)) {
			s->now = s->middle;
			s->dead = 0;
			s->now.guessed = 1;
		}
		len = pos < s->n ? memop_x86_length(s->code + pos, s->n - pos)
				 : 0;
		if (len == 0)
			return -1;
		if (pos + len > at)
			break;
		if (!s->dead)
			take(s, pos, len);
		if (s->now.sp < 0 || s->now.sp > DEPTH_MAX)
			s->now.known = 0;
	}
	return s->now.known && !s->dead ? 0 : -1;
}

static int
go_on(struct walk *w, const struct depth *d, uint64_t ra)
{
	uint64_t top = w->sp + (uint64_t)d->sp;
	struct caller c = {.pc = ra, .sp = top + 8, .fp = w->fp};

	if (d->saved != 0 &&
	    target_word(w->u->t, top - (uint64_t)d->saved, &c.fp) == -1)
		return -1;
	w->flags = FRAME_CALL;
	return walk_restart(w, &c);
}

/* Of a function whose start is known.  Where its code had to be guessed at, the
 * call has to lead to it. */
static int
known_start(struct walk *w, struct sweep *s, const struct function *fn)
{
	uint64_t ra, dest, span[2] = {fn->start, walk_at(w)};
	struct target *t = w->u->t;
	enum callsite call;

	/* a part that is jumped to */
	if (strstr(fn->name, ".cold") != NULL ||
	    depth_at(s, t, span, 0) == -1 ||
	    target_word(t, w->sp + (uint64_t)s->now.sp, &ra) == -1 ||
	    target_code(t, ra - 1) == NULL)
		return -1;
	call = s->now.guessed ? walk_leads(w, fn, ra, 0)
			      : callsite_find(t, ra, &dest);
	if (call == CALL_NONE || (s->now.guessed && call != CALL_DIRECT))
		return -1;
	return go_on(w, &s->now, ra);
}

/* A call that leads to where the code down to here leaves just as much on the
 * stack. */
static int
unknown_start(struct walk *w, struct sweep *s)
{
	uint64_t at, ra, span[2] = {0, walk_at(w)};
	struct target *t = w->u->t;
	int hops;

	for (at = w->sp; at - w->sp < SCAN_MAX; at += 8) {
		if (target_word(t, at, &ra) == -1)
			return -1;
		if (target_code(t, ra - 1) == NULL ||
		    callsite_find(t, ra, &span[0]) != CALL_DIRECT)
			continue;
		hops = 0;
		do
			if (depth_at(s, t, span, 1) == 0 &&
			    w->sp + (uint64_t)s->now.sp == at)
				return go_on(w, &s->now, ra);
		while (hops++ < HOPS_MAX && callsite_follow(t, &span[0]));
	}
	return -1;
}

int
walk_by_code(struct walk *w)
{
	const struct function *fn = function_at(w->u, walk_at(w));
	struct sweep s;

	return fn != NULL && fn->sized ? known_start(w, &s, fn)
				       : unknown_start(w, &s);
}
#endif
