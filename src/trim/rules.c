#include "trim/rules.h"

#include <elf.h>
#include <string.h>

#include "base/bytes.h"
#include "target/linkmap.h"

#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

enum {
	RED_ZONE = 256, /* below the stack pointer, where a leaf keeps data */
	WORDS_CRASHED = 64, /* of the top of a stack that are followed */
	WORDS_OTHERS = 8,
	PHDRS_MAX = 64,
	DYNAMIC_MAX = 64 << 10,
	VDSO_MAX = 64 << 10,
	LIBC_MAX = 64 << 10,
	/* around the thread pointer: what x86-64 has below it of __thread
	 * variables, and libc's descriptor of the thread */
	TLS_BELOW = 1024,
	TLS_ABOVE = 2560
};

struct rules {
	struct target *t;
	const struct trim_rules *want;
	struct pageset *keep;
};

/* len bytes from addr on, within its mapping. */
static void
keep_within(const struct rules *r, uint64_t addr, uint64_t len)
{
	const struct map *m = target_map(r->t, addr);

	if (m == NULL)
		return;
	pageset_add(r->keep, addr, len < m->end - addr ? len : m->end - addr);
}

/* A thread's pointer to what is its own; 0 not known. */
static uint64_t
thread_pointer(const struct rules *r, const struct core_head *h,
    const struct target_thread *th)
{
#if defined(__x86_64__)
	enum { FS_BASE = 21 }; /* struct user_regs_struct (sys/user.h) */

	(void)r;
	(void)h;
	return th->regs.n > FS_BASE ? th->regs.r[FS_BASE] : 0;
#else
	uint64_t v = 0;

	if (th == target_crashed(r->t) && h != NULL && h->tls != NULL)
		memcpy(&v, h->tls, sizeof(v));
	return v;
#endif
}

static void
keep_stack(const struct rules *r, const struct target_thread *th, uint64_t tp,
    size_t words)
{
	struct target *t = r->t;
	uint64_t sp = thread_sp(t, th), len = r->want->stack, v;
	struct map *m = maps_above(t->maps, t->nmaps, sp);
	size_t i;

	/* one that has overflowed points to below its mapping */
	if (m == NULL || (m->start > sp && m->start - sp > r->want->stack))
		return;
	if (sp < m->start)
		sp = m->start;
	/* libc has what is the thread's own at the end of the stack it made;
	 * behind it, perhaps in the same mapping, is another thread's */
	if (tp > sp && tp - sp + TLS_ABOVE < len)
		len = tp - sp + TLS_ABOVE;
	keep_within(r, sp, len);
	keep_within(
	    r, sp - m->start > RED_ZONE ? sp - RED_ZONE : m->start, RED_ZONE);
	for (i = 0; i < words && target_word(t, sp + i * 8, &v) == 0; i++)
		keep_within(r, v, r->want->around);
}

static void
keep_pointers(const struct rules *r, const struct target_thread *th)
{
	const struct arch *a = r->t->arch;
	size_t i;

	for (i = 0; a != NULL && i < a->nreg; i++)
		if ((size_t)a->reg[i].greg < th->regs.n)
			keep_within(
			    r, th->regs.r[a->reg[i].greg], r->want->around);
}

static void
keep_tls(const struct rules *r, const struct target_thread *th, uint64_t tp)
{
	if (tp <= TLS_BELOW)
		return;
	if (th == target_crashed(r->t))
		keep_within(r, tp - TLS_BELOW, TLS_BELOW);
	keep_within(r, tp, TLS_ABOVE);
}

/* Headers, where memory has them, and what they say is the dynamic section. */
static void
keep_module(const struct rules *r, const struct module *m)
{
	Elf64_Phdr ph[PHDRS_MAX];
	uint64_t bias = m->bias;
	Elf64_Ehdr e;
	size_t i, n;

	keep_within(r, m->start, TARGET_PAGE);
	if (target_read(r->t, m->start, &e, sizeof(e)) != sizeof(e) ||
	    memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return;
	n = e.e_phnum < PHDRS_MAX ? e.e_phnum : PHDRS_MAX;
	n = target_read(r->t, m->start + e.e_phoff, ph, n * sizeof(*ph)) /
	    sizeof(*ph);
	for (i = 0; i < n; i++)
		if (ph[i].p_type == PT_DYNAMIC && ph[i].p_memsz < DYNAMIC_MAX)
			keep_within(r, bias + ph[i].p_vaddr, ph[i].p_memsz);
		else if (ph[i].p_type == PT_NOTE && ph[i].p_memsz < TARGET_PAGE)
			keep_within(r, bias + ph[i].p_vaddr, ph[i].p_memsz);
}

static int
open_nothing(void *arg, const char *path)
{
	(void)arg;
	(void)path;
	return fails(ENOENT);
}

static void
seen(void *arg, uint64_t addr, size_t len)
{
	pageset_add(arg, addr, len);
}

/* What the list of objects is made of is what one reads who walks it. */
static void
keep_links(const struct rules *r)
{
	const struct linkmap_from from = {.program = "", .open = open_nothing};
	struct target *t = r->t;
	struct linkmap l;

	target_watch(t, seen, r->keep);
	linkmap_read(t, &from, &l);
	linkmap_free(&l);
	target_watch(t, NULL, NULL);
}

/* The C library and its loader. */
static int
is_libc(const struct module *m)
{
	static const char *const names[] = {
	    "libc.so", "libc-2.", "libpthread", "ld-", "ld.so"};
	size_t i;

	for (i = 0; i < NELEM(names); i++)
		if (strncmp(m->base, names[i], strlen(names[i])) == 0)
			return 1;
	return 0;
}

/* Their data, and what was data until it had been relocated, which stands right
 * before: there libthread_db looks for threads. */
static void
keep_libc(const struct rules *r)
{
	struct target *t = r->t;
	const struct map *m;
	size_t i;

	for (i = 0; i + 1 < t->nmaps; i++) {
		m = &t->maps[i];
		if (m->module < 0 || !is_libc(&t->mods[m->module]) ||
		    (m->prot & MAP_X))
			continue;
		if (m->prot & MAP_W ||
		    (m[1].module == m->module && m[1].prot & MAP_W))
			keep_within(r, m->start, LIBC_MAX);
	}
}

static void
keep_auxv(const struct rules *r)
{
	static const uint64_t strings[] = {AT_EXECFN, AT_RANDOM, AT_PLATFORM};
	uint64_t vdso = target_auxv(r->t, AT_SYSINFO_EHDR, 0);
	size_t i;

	if (vdso != 0)
		keep_within(r, vdso, VDSO_MAX);
	for (i = 0; i < NELEM(strings); i++)
		keep_within(r, target_auxv(r->t, strings[i], 0), 64);
}

/* Its writable mappings, and the one without a file that follows the last. */
static void
keep_data(const struct rules *r)
{
	struct target *t = r->t;
	const struct map *m, *last = NULL;
	size_t i;

	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		if (last != NULL && m->module < 0 && map_is_made(m) &&
		    m->start == last->end)
			pageset_add(r->keep, m->start, m->end - m->start);
		last = NULL;
		if (m->module < 0 || !t->mods[m->module].isexec)
			continue;
		last = m;
		if (m->prot & MAP_W)
			pageset_add(r->keep, m->start, m->end - m->start);
	}
}

void
trim_apply(struct target *t, const struct core_head *h,
    const struct trim_rules *want, struct pageset *keep)
{
	const struct rules r = {t, want, keep};
	const struct target_thread *crashed = target_crashed(t);
	uint64_t tp;
	size_t i;

	for (i = 0; i < t->nthreads; i++) {
		if (t->threads[i].regs.n == 0)
			continue;
		tp = thread_pointer(&r, h, &t->threads[i]);
		keep_stack(&r, &t->threads[i], tp,
		    &t->threads[i] == crashed ? WORDS_CRASHED : WORDS_OTHERS);
		keep_pointers(&r, &t->threads[i]);
		keep_tls(&r, &t->threads[i], tp);
	}
	keep_libc(&r);
	for (i = 0; i < t->nmods; i++)
		keep_module(&r, &t->mods[i]);
	keep_links(&r);
	keep_auxv(&r);
	if (want->data)
		keep_data(&r);
}
