#include "segv/segv_print.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>

#include "base/num.h"
#include "report/signals.h"

static const char redacted[] = "(redacted)";

/* --- values ----------------------------------------------------------------
 */

/* An address: null where it is not to be told, or not known; unknown is what
 * the text has then, NULL where it is. */
static void
address(const struct segv_resolved *l, struct out *o, const char *key,
    uint64_t v, const char *unknown)
{
	if (unknown == NULL && !l->opts->redact) {
		out_hex(o, key, "0x", v, 0);
		return;
	}
	out_str(o, key, OUT_HIDE, NULL);
	out_text(o, "%s", unknown == NULL ? redacted : unknown);
}

/* "main+0x10", "??" where there is no name; null then in JSON.  Without
 * printf(3): it is the dearest part of a plain event. */
static void
symbol(const struct segv_place *p, const char *key, struct out *o)
{
	char text[ELFSYM_NAME_MAX + 32], *end = text + sizeof(text), *at = end;
	size_t len;

	if (p->function == NULL) {
		out_str(o, key, OUT_HIDE, NULL);
		out_text(o, "??");
		return;
	}
	at = num_digits(at, p->off, 16, 1);
	at -= 3;
	memcpy(at, "+0x", 3);
	len = strnlen(p->function, (size_t)(at - text));
	at -= len;
	memcpy(at, p->function, len);
	out_bytes(o, key, "", at, (size_t)(end - at));
}

/* --- the first lines -------------------------------------------------------
 */

/* "2024-02-15 10:30:45" and, for JSON, "2024-02-15T10:30:45.123Z". */
static void
timestamp(const char *stamp, const struct timespec *t, struct out *o)
{
	unsigned ms = (unsigned)(t->tv_nsec / 1000000) % 1000;
	char iso[SEGV_STAMP + 8];
	size_t n = strlen(stamp);

	out_text(o, "[");
	out_text(o, "%s", stamp);
	out_text(o, "] ");
	if (out_is_text(o))
		return;
	memcpy(iso, stamp, n);
	if (n > 10 && iso[10] == ' ')
		iso[10] = 'T';
	iso[n] = '.';
	iso[n + 1] = (char)('0' + ms / 100);
	iso[n + 2] = (char)('0' + ms / 10 % 10);
	iso[n + 3] = (char)('0' + ms % 10);
	iso[n + 4] = 'Z';
	out_bytes(o, "timestamp", OUT_HIDE, iso, n + 5);
}

static void
head(const struct segv_resolved *l, struct out *o)
{
	const struct segv_event *ev = l->ev;
	const char *name = signal_name(ev->signo);

	timestamp(l->stamp, &l->time, o);
	out_i64(o, "pid", OUT_HIDE, ev->pid);
	out_i64(o, "tid", OUT_HIDE, ev->tid);
	if (ev->signo == SIGSEGV)
		out_text(o, "SEGFAULT in process ");
	else if (name != NULL)
		out_text(o, "%s in process ", name);
	else
		out_text(o, "signal %d in process ", ev->signo);
	out_str(
	    o, "comm", "", ev->have & SEGV_HAVE_LEADER ? ev->leader : ev->comm);
	if (out_is_text(o)) {
		out_i64(o, NULL, " (PID: ", ev->pid);
		out_i64(o, NULL, ", TID: ", ev->tid);
		out_text(o, ")\n");
	}
	out_text(o, "  Fault Address: ");
	address(l, o, "fault_address", l->addr,
	    l->have_addr		       ? NULL
		: ev->origin == SEGV_FROM_USER ? "none"
					       : "unknown");
	out_text(o, "\n  Instruction:   ");
	address(l, o, "instruction_pointer", l->at.addr,
	    ev->have & SEGV_HAVE_REGS ? NULL : "unknown");
	out_text(o, " (");
	symbol(&l->at, "instruction_symbol", o);
	out_text(o, ")\n");
	segv_fault_type(l, o);
}

/* --- registers and stack ---------------------------------------------------
 */

/* As the document has it: a zero shows all its digits. */
static void
reg(struct out *o, const struct arch_reg *r, uint64_t v, unsigned nth)
{
	char name[16];
	size_t i;

	for (i = 0; r->name[i] != '\0' && i + 1 < sizeof(name); i++)
		name[i] = (char)toupper((unsigned char)r->name[i]);
	name[i] = '\0';
	out_text(o, "    ");
	out_text(o, "%s", name);
	out_text(o, ": ");
	out_hex(o, r->name, "0x", v, v == 0 ? 16 : 0);
	if (nth % 2 == 1)
		out_text(o, "\n");
}

static void
registers(const struct segv_resolved *l, struct out *o)
{
	const struct regs *regs = &l->ev->regs;
	const struct arch *a = arch_find(l->ev->machine);
	unsigned nth = 0;
	size_t i;
	int pass, first;

	out_text(o, "\n  Registers:\n");
	if (l->opts->redact || a == NULL || regs->n == 0) {
		out_str(o, "registers", OUT_HIDE, NULL);
		out_text(o, "    %s\n", regs->n > 0 ? redacted : "unavailable");
		return;
	}
	out_obj(o, "registers");
	/* pc and sp come first */
	for (pass = 0; pass < 3; pass++)
		for (i = 0; i < a->nreg; i++) {
			first = a->reg[i].greg == a->pc ? 0
			    : a->reg[i].greg == a->sp	? 1
							: 2;
			if (first == pass && (size_t)a->reg[i].greg < regs->n)
				reg(o, &a->reg[i], regs->r[a->reg[i].greg],
				    nth++);
		}
	out_end(o);
	if (nth % 2 == 1)
		out_text(o, "\n");
	out_str(o, "architecture", OUT_HIDE, a->name);
}

static const char *
frame_kind(unsigned flags)
{
	if (flags & FRAME_SIGNAL)
		return "signal frame";
	if (flags & FRAME_BADPC)
		return "not code";
	if (flags & FRAME_FP)
		return "by frame pointer";
	if (flags & FRAME_CALL)
		return "by its call";
	if (flags & FRAME_POPPED)
		return "return address popped";
	return NULL;
}

static void
frame(const struct segv_resolved *l, size_t i, struct out *o)
{
	const struct segv_place *p = &l->frame[i];
	const char *kind = frame_kind(p->flags);

	out_obj(o, NULL);
	if (out_is_text(o)) {
		out_u64(o, NULL, "    #", i);
		out_text(o, i < 10 ? "  " : " ");
	}
	address(l, o, "address", p->addr, NULL);
	out_text(o, " ");
	symbol(p, "symbol", o);
	if (p->module != NULL)
		out_str(o, "module", " (", p->module);
	else
		out_str(o, "module", OUT_HIDE, NULL);
	if (p->have_vaddr)
		out_hex(o, "module_offset",
		    p->function == NULL ? "+0x" : OUT_HIDE, p->vaddr, 0);
	if (p->module != NULL)
		out_text(o, ")");
	segv_build_id(p, o);
	if (kind != NULL) {
		out_str(o, "kind", " <", kind);
		out_text(o, ">");
	}
	out_text(o, "\n");
	out_end(o);
}

static void
stack(const struct segv_resolved *l, struct out *o)
{
	static const char *const status[] = {[SEGV_STACK_RELIABLE] = "reliable",
	    [SEGV_STACK_TRUNCATED] = "truncated",
	    [SEGV_STACK_DOUBTFUL] = "doubtful"};
	size_t i;

	out_text(o, "\n  Stack Trace:\n");
	out_arr(o, "stack_trace");
	for (i = 0; i < l->nframes; i++)
		frame(l, i, o);
	out_end(o);
	out_str(o, "stack_status", "    ", status[l->stack]);
	if (*l->why != '\0')
		segv_words(l, o, "stack_reason", ": ", l->why);
	out_text(o, "\n");
}

int
segv_print(const struct segv_resolved *l, struct out *o)
{
	head(l, o);
	segv_details(l, o);
	if (l->opts->registers)
		registers(l, o);
	if (l->opts->stack)
		stack(l, o);
	if (l->opts->registers || l->opts->stack)
		out_text(o, "\n");
	return out_record(o);
}

/* --- what is not shown -----------------------------------------------------
 */

/* "3,950" */
static void
grouped(struct out *o, uint64_t n)
{
	char digits[32], *at = num_digits(digits + sizeof(digits), n, 10, 1);
	size_t left = (size_t)(digits + sizeof(digits) - at);

	for (; left > 0; left--, at++)
		out_text(o, "%c%s", *at, left % 3 == 1 && left > 1 ? "," : "");
}

int
segv_print_limited(
    struct out *o, const struct segv_moment *when, const struct segv_told *t)
{
	timestamp(when->stamp, &when->time, o);
	if (t->pid != 0) {
		out_i64(o, "pid", "pid ", t->pid);
		out_str(o, "comm", " ", t->comm);
	} else
		out_text(o, "other processes");
	out_text(o, ": ");
	grouped(o, t->more);
	out_text(o, " handled fault%s not shown\n", t->more == 1 ? "" : "s");
	out_u64(o, "not_shown", OUT_HIDE, t->more);
	return out_record(o);
}

int
segv_print_counts(
    struct out *o, const struct segv_moment *when, const struct segv_sum *s)
{
	if (out_is_text(o))
		return 0;
	timestamp(when->stamp, &when->time, o);
	out_u64(o, "seen", OUT_HIDE, s->seen);
	out_u64(o, "written", OUT_HIDE, s->written);
	out_u64(o, "limited", OUT_HIDE, s->limited);
	out_u64(o, "dropped", OUT_HIDE, s->dropped);
	return out_record(o);
}
