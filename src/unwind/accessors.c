/*
 * libunwind's view of a target: nothing but these accessors.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
/* Exported by libunwind-<arch>, in no public header
 * (src/dwarf/Gfind_proc_info-lsb.c): looks up ip in a binary search table that
 * is in the target's memory, reading through the accessors. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t,
    unw_dyn_info_t *, unw_proc_info_t *, int, void *);
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)

/*
 * libunwind blocks all signals around each of its locks, three times a frame:
 * most of the system calls of a report.  Here one thread walks and no handler
 * unwinds, so its calls of sigprocmask(2) and, since 1.8, pthread_sigmask(3),
 * which find these, do nothing meanwhile; everybody else's do what they are
 * for.
 */
static int walking;

int
pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	int saved = errno, err = 0;

	if (walking) {
		if (old != NULL)
			sigemptyset(old);
	} else if (syscall(SYS_rt_sigprocmask, how, set, old, _NSIG / 8) ==
	    -1) {
		err = errno;
		errno = saved;
	}
	return err;
}

int
sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	int err = pthread_sigmask(how, set, old);

	if (err == 0)
		return 0;
	errno = err;
	return -1;
}

void
unwind_alone(int on)
{
	walking = on;
}

/*
 * When it begins libunwind clears 26 KiB for an address space of our own, and
 * makes a pipe to look at our own memory with: neither is looked at.  Its calls
 * of these find those here, where it is linked as archives (Makefile, WRAPS).
 */
#define WRAP(fn) UNW_PASTE(__wrap_, UNW_OBJ(fn))
void WRAP(local_addr_space_init)(void);
void WRAP(init_mem_validate)(void);

void
WRAP(local_addr_space_init)(void)
{
}

void
WRAP(init_mem_validate)(void)
{
}

/* Where access_mem() finds a table made by us: no user address, and not one
 * that the arithmetic of the search can overflow. */
#define OWN_TABLE UINT64_C(0x7f00000000000000)

/*
 * The entry that holds ip in a table of pairs, code and record, of 32 bits from
 * the header.  libunwind halves such a table, of a large library in seven lines
 * of memory.  Functions lie rather evenly in the code, so a guess comes near;
 * from there in steps that double, and what they enclose is halved.  -1: none,
 * or not to be read.
 */
static int64_t
find_entry(struct target *t, const struct module *m, uint64_t ip)
{
	const struct map *code = target_map(t, ip);
	int64_t lo = -1, hi = (int64_t)m->ehcount, at, step;
	int32_t pair[2];

	if (code == NULL || m->ehcount > INT32_MAX)
		return -1;
	at = (int64_t)((double)m->ehcount * (double)(ip - code->start) /
	    (double)(code->end - code->start));
	for (step = 32; hi - lo > 1; step += step < hi ? step : 0) {
		if (at <= lo || at >= hi)
			at = lo + (hi - lo) / 2;
		if (target_read(t, m->ehtable + sizeof(pair) * (uint64_t)at,
			pair, sizeof(pair)) != sizeof(pair))
			return -1;
		if (pair[0] <= (int64_t)(ip - m->ehhdr)) {
			lo = at;
			at += step;
		} else {
			hi = at;
			at -= step;
		}
	}
	return lo;
}

static int
find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi,
    int need, void *arg)
{
	struct unwinder *u = arg;
	struct module *m = target_module(u->t, ip);
	unw_dyn_info_t di;
	int64_t at;
	int r;

	if (m == NULL || !module_unwind_data(u->t, m)) {
		u->noinfo = 1;
		return -UNW_ENOINFO;
	}
	memset(&di, 0, sizeof(di));
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = m->start;
	di.end_ip = m->end;
	/* table_len counts words of 8 bytes, an entry has as many */
	if (m->own != NULL) {
		u->own = m->own;
		di.u.rti.segbase = m->own->segbase;
		di.u.rti.table_data = OWN_TABLE;
		di.u.rti.table_len = m->own->n;
	} else {
		di.u.rti.segbase = m->ehhdr;
		di.u.rti.table_data = m->ehtable;
		di.u.rti.table_len = m->ehcount;
		at = find_entry(u->t, m, ip);
		if (at >= 0) {
			di.u.rti.table_data += 8 * (uint64_t)at;
			di.u.rti.table_len = 1;
		}
	}
	u->searching = 1;
	r = search_unwind_table(as, ip, &di, pi, need, arg);
	u->searching = 0;
	if (r < 0)
		u->noinfo = 1;
	return r;
}

int
unwind_begins(struct unwinder *u, uint64_t addr)
{
	unw_proc_info_t pi;
	int noinfo = u->noinfo, begins;

	memset(&pi, 0, sizeof(pi));
	begins =
	    find_proc_info(u->as, addr, &pi, 0, u) >= 0 && pi.start_ip == addr;
	u->noinfo = noinfo;
	return begins;
}

static void
put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as;
	(void)pi;
	(void)arg;
}

static int
get_dyn_info_list_addr(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as;
	(void)addr;
	(void)arg;
	return -UNW_ENOINFO;
}

static int
access_mem(
    unw_addr_space_t as, unw_word_t addr, unw_word_t *val, int write, void *arg)
{
	struct unwinder *u = arg;
	const struct map *m;
	uint64_t v, off;

	(void)as;
	if (write)
		return -UNW_EREADONLYREG;
	if (addr >= OWN_TABLE && u->own != NULL) {
		off = addr - OWN_TABLE;
		/* DWARF may ask for a word at any address */
		if (off > (u->own->n - 1) * sizeof(*u->own->e))
			return -UNW_EINVAL;
		memcpy(val, (const char *)u->own->e + off, sizeof(*val));
		return 0;
	}
	if (target_word(u->t, addr, &v) == -1) {
		m = u->searching ? target_map(u->t, addr) : NULL;
		if (m == NULL || !(m->prot & MAP_W)) {
			u->unreadable = 1;
			u->missing = addr;
			return -UNW_EINVAL;
		}
		/* where unwind data of C++ keeps the address of a personality
		 * routine: no walk needs it, and of a process that has gone no
		 * writable memory is left but a piece of stack */
		v = 0;
	}
	*val = v;
	return 0;
}

static int
access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *val, int write,
    void *arg)
{
	struct unwinder *u = arg;

	(void)as;
	if (write)
		return -UNW_EREADONLYREG;
	if (reg < 0 || reg >= UNW_REGS || !(u->have >> reg & 1))
		return -UNW_EBADREG;
	*val = u->reg[reg];
	return 0;
}

static int
access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *val, int write,
    void *arg)
{
	(void)as;
	(void)reg;
	(void)val;
	(void)write;
	(void)arg;
	return -UNW_EBADREG; /* no caller's frame hangs on one */
}

static int
resume(unw_addr_space_t as, unw_cursor_t *c, void *arg)
{
	(void)as;
	(void)c;
	(void)arg;
	return -UNW_EINVAL;
}

/* Six parameters: libunwind has it so. */
static int
get_proc_name(unw_addr_space_t as, unw_word_t ip, char *p, size_t n,
    unw_word_t *off, void *arg)
{
	(void)as;
	(void)ip;
	(void)p;
	(void)n;
	(void)off;
	(void)arg;
	return -UNW_ENOINFO; /* symbols come later, all in one pass */
}

struct unwinder *
unwind_new(struct target *t)
{
	static unw_accessors_t accessors = {.find_proc_info = find_proc_info,
	    .put_unwind_info = put_unwind_info,
	    .get_dyn_info_list_addr = get_dyn_info_list_addr,
	    .access_mem = access_mem,
	    .access_reg = access_reg,
	    .access_fpreg = access_fpreg,
	    .resume = resume,
	    .get_proc_name = get_proc_name};
	struct unwinder *u;

	if (t->arch == NULL || t->arch != arch_native) {
		errno = ENOTSUP;
		return NULL;
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->t = t;
	unwind_alone(1);
	u->as = unw_create_addr_space(&accessors, 0);
	/* threads share code: 3 times faster over 200 of them */
	if (u->as != NULL)
		unw_set_caching_policy(u->as, UNW_CACHE_GLOBAL);
	unwind_alone(0);
	if (u->as == NULL) {
		free(u);
		errno = ENOMEM;
		return NULL;
	}
	return u;
}

void
unwind_free(struct unwinder *u)
{
	size_t i;

	if (u == NULL)
		return;
	for (i = 0; i < FUNCTIONS; i++)
		function_forget(&u->fn[i]);
	unw_destroy_addr_space(u->as);
	free(u);
}

#else /* no libunwind recipe for this machine: reports go without */

struct unwinder *
unwind_new(struct target *t)
{
	(void)t;
	errno = ENOTSUP;
	return NULL;
}

void
unwind_free(struct unwinder *u)
{
	(void)u;
}

int
unwind_thread(struct unwinder *u, struct target_thread *th,
    const struct unwind_limits *lim)
{
	(void)u;
	(void)th;
	(void)lim;
	return fails(ENOTSUP);
}
#endif
