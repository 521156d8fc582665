#include "target/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"
#include "core/corehead.h"
#include "elf/ehframe.h"
#include "elf/elfsym.h"
#include "elf/gopclntab.h"

/*
 * Direct-mapped: a backtrace walks one stack and a few unwind tables.  Less
 * than pages: of most that are looked at some words are wanted, and where a
 * page fault is dear the memory that keeps them costs more than the reading.
 */
enum {
	CACHE_LINE = 1024,
	CACHE_LINES = 256,
	CACHE_NOT = 4096 /* so many bytes at once go by it */
};

struct target_line {
	uint64_t addr; /* of the first byte, | 1 when filled */
	size_t len;    /* readable bytes from its start */
	unsigned char *p;
};

/* Of a target that has no source, as of one that is gone and whose core has no
 * memory either. */
static ssize_t
nothing_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	(void)t;
	(void)addr;
	(void)p;
	(void)len;
	return 0;
}

void
target_init(struct target *t)
{
	memset(t, 0, sizeof(*t));
	t->read = nothing_read;
	t->cache_last = UINT64_MAX;
	t->jitfd = -1;
}

static void
modules_free(struct target *t)
{
	size_t i, k;

	for (i = 0; i < t->nmods; i++) {
		elfsym_drop(t->mods[i].kept);
		io_close(&t->mods[i].fd);
		ehtable_free(t->mods[i].own);
		gopclntab_free(t->mods[i].go);
		for (k = 0; k < t->mods[i].ndebugs; k++)
			close(t->mods[i].debug[k].fd);
	}
	free(t->mods);
	t->mods = NULL;
	t->nmods = 0;
}

void
target_free(struct target *t)
{
	size_t i;

	if (t->close != NULL)
		t->close(t);
	modules_free(t);
	io_close(&t->jitfd);
	for (i = 0; i < t->nthreads; i++)
		free(t->threads[i].trace.f);
	target_drop_cache(t);
	free(t->threads);
	free(t->maps);
	free(t->auxv);
	target_init(t);
}

void
target_drop_cache(struct target *t)
{
	size_t i;

	for (i = 0; t->cache != NULL && i < CACHE_LINES; i++)
		free(t->cache[i].p);
	free(t->cache);
	t->cache = NULL;
	t->cache_last = UINT64_MAX;
}

void
target_watch(
    struct target *t, void (*watch)(void *, uint64_t, size_t), void *watcher)
{
	/* what is there already was read before, and would not be again */
	target_drop_cache(t);
	t->watch = watch;
	t->watcher = watcher;
}

/* The line at addr (aligned), its readable length in *len. */
static const unsigned char *
cache_line(struct target *t, uint64_t addr, size_t *len)
{
	struct target_line *c;
	ssize_t n;

	if (t->cache == NULL) {
		t->cache = calloc(CACHE_LINES, sizeof(*t->cache));
		if (t->cache == NULL)
			return NULL;
	}
	c = &t->cache[addr / CACHE_LINE % CACHE_LINES];
	if (c->addr != (addr | 1)) {
		if (c->p == NULL && (c->p = malloc(CACHE_LINE)) == NULL)
			return NULL;
		if (c->p == t->cache_lastp)
			t->cache_last = UINT64_MAX;
		n = t->read(t, addr, c->p, CACHE_LINE);
		c->len = n > 0 ? (size_t)n : 0;
		if (t->watch != NULL)
			t->watch(t->watcher, addr, c->len);
		c->addr = addr | 1;
	}
	*len = c->len;
	return c->p;
}

size_t
target_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	const unsigned char *line;
	size_t done = 0, have, off, n;
	ssize_t r;

	while (done < len && addr + done >= addr) {
		if (len - done >= CACHE_NOT) {
			r = t->read(
			    t, addr + done, (char *)p + done, len - done);
			if (r <= 0)
				break;
			if (t->watch != NULL)
				t->watch(t->watcher, addr + done, (size_t)r);
			done += (size_t)r;
			continue;
		}
		off = (addr + done) % CACHE_LINE;
		line = cache_line(t, addr + done - off, &have);
		if (line == NULL || have <= off)
			break;
		n = have - off < len - done ? have - off : len - done;
		memcpy((char *)p + done, line + off, n);
		done += n;
		if (have < CACHE_LINE)
			break;
	}
	return done;
}

int
target_word(struct target *t, uint64_t addr, uint64_t *out)
{
	const unsigned char *line;
	uint64_t base = addr - addr % CACHE_LINE;
	size_t have;

	if (addr - base > CACHE_LINE - sizeof(*out))
		return target_read(t, addr, out, sizeof(*out)) == sizeof(*out)
		    ? 0
		    : -1;
	if (base != t->cache_last) {
		line = cache_line(t, base, &have);
		if (line == NULL || have <= addr - base ||
		    have - (addr - base) < sizeof(*out))
			return -1;
		if (have == CACHE_LINE) {
			t->cache_last = base;
			t->cache_lastp = (unsigned char *)line;
		}
	} else
		line = t->cache_lastp;
	memcpy(out, line + (addr - base), sizeof(*out));
	return 0;
}

struct map *
target_map(struct target *t, uint64_t addr)
{
	return maps_find(t->maps, t->nmaps, addr);
}

struct map *
target_code(struct target *t, uint64_t addr)
{
	struct map *m = target_map(t, addr);

	return m != NULL && (m->prot & MAP_X) ? m : NULL;
}

struct module *
target_module(struct target *t, uint64_t addr)
{
	size_t i = ARRAY_ABOVE(t->mods, t->nmods, end, addr);

	return i < t->nmods && addr >= t->mods[i].start ? &t->mods[i] : NULL;
}

uint64_t
target_auxv(struct target *t, uint64_t type, uint64_t dflt)
{
	return core_auxv(t->auxv, t->auxvlen, type, dflt);
}

int
target_keep_thread(struct target *t, pid_t tid)
{
	size_t i;

	for (i = 0; i < t->nthreads; i++)
		if (t->threads[i].tid == tid) {
			t->threads[0] = t->threads[i];
			t->nthreads = 1;
			return 0;
		}
	return fails(ESRCH);
}

const struct target_thread *
target_crashed(const struct target *t)
{
	return t->nthreads > 0 && t->threads[0].regs.n > 0 ? &t->threads[0]
							   : NULL;
}

static uint64_t
role(const struct target *t, const struct target_thread *th, int greg)
{
	if (t->arch == NULL || greg < 0 || th->regs.n <= (size_t)greg)
		return 0;
	return th->regs.r[greg];
}

uint64_t
thread_pc(const struct target *t, const struct target_thread *th)
{
	return t->arch == NULL ? 0 : role(t, th, t->arch->pc);
}

uint64_t
thread_sp(const struct target *t, const struct target_thread *th)
{
	return t->arch == NULL ? 0 : role(t, th, t->arch->sp);
}
