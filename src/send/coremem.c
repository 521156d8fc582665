#include "send/coremem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"
#include "core/corehead.h"
#include "proc/maps.h"
#include "proc/procdir.h"
#include "send/corecopy.h"
#include "send/corepages.h"

enum {
	STATUS_MAX = 2 << 20, /* 65536 groups make 720 KB of it */
	AUXV_MAX = 65536,
	COPY_CHUNK = 16 << 20
};
#define MAPS_MAX ((size_t)1 << 30)

struct coremem {
	int memfd, mapsfd, statusfd, auxvfd;
	struct buf text; /* what the names of maps point into */
	struct map *maps;
	size_t nmaps, page;
	int forced; /* pages without PROT_READ can be read */
	struct corepages pages;
	struct corecopy copy; /* p: of all that there is to read */
};

/* Reads all of an open file of /proc, which may have been read before. */
static int
slurp_again(int fd, size_t max, struct buf *b)
{
	ssize_t r;

	b->len = 0;
	if (lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	for (;;) {
		if (b->cap - b->len < 4096 && buf_reserve(b, 16384) == -1)
			return -1;
		r = io_read_full(fd, b->p + b->len, b->cap - b->len - 1);
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		b->len += (size_t)r;
		if (b->len > max)
			return fails(EFBIG);
	}
	b->p[b->len] = '\0';
	return 0;
}

/*
 * Whether reads through /proc/PID/mem override page protections: a kernel may
 * be told to refuse that (proc_mem.force_override=, Linux 6.12), and then the
 * same holds for our own memory.  Asked while there are privileges: our own
 * /proc/PID/mem is not ours any more without them (PR_SET_DUMPABLE).
 */
static int
reads_are_forced(size_t page)
{
	char *p, c = 0;
	int fd, forced = 0;

	p = mmap(NULL, page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 0;
	*p = 1;
	fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		forced = mprotect(p, page, PROT_NONE) == 0 &&
		    pread(fd, &c, 1, (off_t)(uintptr_t)p) == 1 && c == 1;
		close(fd);
	}
	munmap(p, page);
	return forced;
}

struct coremem *
coremem_open(int procfd)
{
	struct coremem *m = calloc(1, sizeof(*m));
	static const char *const names[] = {
	    "mem", "maps", "status", "auxv", "pagemap"};
	int *fds[5];
	size_t i;

	if (m == NULL)
		return NULL;
	fds[0] = &m->memfd;
	fds[1] = &m->mapsfd;
	fds[2] = &m->statusfd;
	fds[3] = &m->auxvfd;
	fds[4] = &m->pages.fd;
	for (i = 0; i < NELEM(fds); i++)
		*fds[i] = -1;
	for (i = 0; i < NELEM(fds); i++) {
		*fds[i] = openat(procfd, names[i], O_RDONLY | O_CLOEXEC);
		/* all can be had without the last, only more slowly */
		if (*fds[i] == -1 && i < 4) {
			coremem_close(m);
			return NULL;
		}
	}
	m->page = (size_t)sysconf(_SC_PAGESIZE);
	m->forced = reads_are_forced(m->page);
	return m;
}

void
coremem_close(struct coremem *m)
{
	int saved = errno;

	if (m == NULL)
		return;
	io_close(&m->memfd);
	io_close(&m->mapsfd);
	io_close(&m->statusfd);
	io_close(&m->auxvfd);
	corepages_close(&m->pages);
	corecopy_free(&m->copy);
	free(m->maps);
	buf_free(&m->text);
	free(m);
	errno = saved;
}

int
coremem_load(struct coremem *m)
{
	if (slurp_again(m->mapsfd, MAPS_MAX, &m->text) == -1)
		return -1;
	if (m->text.len == 0)
		return fails(ESRCH);
	free(m->maps);
	if (maps_parse(m->text.p, m->text.len, &m->maps, &m->nmaps) == -1)
		return -1;
	return corepages_init(&m->pages, m->page);
}

int
coremem_is(struct coremem *m, const unsigned char *auxv, size_t len, int nspid)
{
	struct buf b = {0};
	int same = 0;

	/* the last of NStgid is what the process calls itself, as its notes do
	 */
	if (len == 0 || slurp_again(m->statusfd, STATUS_MAX, &b) == -1 ||
	    proc_status_number(b.p, b.len, "NStgid", 1) != nspid ||
	    slurp_again(m->auxvfd, AUXV_MAX, &b) == -1)
		goto out;
	same = core_auxv_same(auxv, len, (unsigned char *)b.p, b.len, 8);
out:
	buf_free(&b);
	return same;
}

int
coremem_can(struct coremem *m, uint64_t addr, uint64_t end)
{
	const struct map *p;

	if (m->forced)
		return 1;
	p = maps_above(m->maps, m->nmaps, addr);
	for (; p != NULL && p < m->maps + m->nmaps && p->start < end; p++)
		if (!(p->prot & MAP_R))
			return 0;
	return 1;
}

/*
 * Anonymous and private, so that what has no page is zeros.  A file's pages,
 * or shared memory's, need not be in the page table to hold something.
 */
static int
is_plain(const struct map *p)
{
	return p->ino == 0 && p->dev == 0 && !(p->prot & MAP_S) &&
	    (*p->name == '\0' || strcmp(p->name, "[heap]") == 0 ||
		strncmp(p->name, "[stack", 6) == 0 ||
		strncmp(p->name, "[anon:", 6) == 0);
}

int
coremem_next(
    struct coremem *m, uint64_t *from, uint64_t end, size_t max, uint64_t *to)
{
	const struct map *p;
	uint64_t addr = *from, limit;
	int r;

	if (m->copy.p != NULL)
		return corecopy_next(&m->copy, from, end, max, to);
	max = max / m->page * m->page;
	for (; addr < end; addr = limit) {
		p = maps_above(m->maps, m->nmaps, addr);
		limit = end;
		if (p == NULL || p->start > addr) {
			if (p != NULL && p->start < end)
				limit = p->start;
		} else if (p->end < end)
			limit = p->end;
		*from = addr;
		*to = limit;
		if (p != NULL && p->start <= addr && is_plain(p)) {
			r = corepages_next(&m->pages, addr, limit, from, to);
			if (r == -1)
				return -1;
			if (r == 0)
				continue;
		}
		if (*to - *from > max)
			*to = *from + max - *from % m->page;
		return 1;
	}
	return 0;
}

/*
 * The pages above all processes, [vsyscall]: there for each alike, and so read
 * from ourselves; where the kernel only emulates it there is nothing to read.
 */
static void
read_gate(uint64_t addr, void *p, size_t len)
{
	struct iovec to = {p, len}, from = {(void *)(uintptr_t)addr, len};

	memset(p, 0, len);
	(void)!process_vm_readv(getpid(), &to, 1, &from, 1, 0);
}

int
coremem_read(struct coremem *m, uint64_t addr, void *data, size_t len)
{
	char *p = data;
	size_t skip;
	ssize_t r;

	if (m->copy.p != NULL) {
		corecopy_read(&m->copy, addr, data, len);
		return 0;
	}
	if (addr > (uint64_t)INT64_MAX - len) {
		read_gate(addr, data, len);
		return 0;
	}
	while (len > 0) {
		r = pread(m->memfd, p, len, (off_t)addr);
		if (r == 0) { /* its memory has been given back */
			return fails(ESRCH);
		}
		if (r == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EIO && errno != EFAULT)
				return -1;
			skip = m->page - addr % m->page;
			r = (ssize_t)(skip < len ? skip : len);
			memset(p, 0, (size_t)r);
		}
		p += r;
		addr += (uint64_t)r;
		len -= (size_t)r;
	}
	return 0;
}

/* Is signal signo in the set that the status file shows as name? */
static int
has_signal(const struct buf *b, const char *name, int signo)
{
	const char *p, *rest;
	uint64_t set;
	size_t len;

	p = proc_status_field(b->p, b->len, name, &len);
	if (p == NULL || num_scan(p, p + len, 16, &set, &rest) == -1)
		return 1; /* cannot be told: the worse */
	return (set >> (signo - 1) & 1) != 0;
}

int
coremem_intact(struct coremem *m)
{
	struct buf b = {0};
	int r = 0;

	if (m->copy.p != NULL)
		return 1; /* it was when all had been copied */
	if (slurp_again(m->statusfd, STATUS_MAX, &b) == 0)
		r = proc_status_number(b.p, b.len, "CoreDumping", 0) == 1 &&
		    !has_signal(&b, "SigPnd", SIGKILL) &&
		    !has_signal(&b, "ShdPnd", SIGKILL);
	buf_free(&b);
	return r;
}

static int
plan(struct coremem *m, struct corecopy *c, const struct core_head *h,
    uint64_t max)
{
	uint64_t at, end, from, to;
	size_t i;
	int r;

	for (i = 0; i < h->nsegs; i++) {
		at = h->segs[i].vaddr;
		end = at + h->segs[i].filesz;
		for (;; at = to) {
			from = at;
			r = coremem_next(m, &from, end, SIZE_MAX, &to);
			if (r == -1)
				return -1;
			if (r == 0)
				break;
			if (corecopy_plan(c, from, to) == -1)
				return -1;
			if (c->len > max)
				return fails(EFBIG);
		}
	}
	return corecopy_room(c);
}

static int
fill(struct coremem *m, const struct corecopy *c, const struct corecopy_run *r,
    const struct coremem_beat *b)
{
	uint64_t at, n;

	for (at = r->addr; at < r->end; at += n) {
		n = r->end - at < COPY_CHUNK ? r->end - at : COPY_CHUNK;
		if (coremem_read(
			m, at, c->p + r->at + (at - r->addr), (size_t)n) == -1)
			return -1;
		b->beat(b->arg);
	}
	return 0;
}

int
coremem_copy(struct coremem *m, const struct core_head *h, uint64_t max,
    const struct coremem_beat *b)
{
	struct corecopy c = {.run = NULL};
	size_t i;
	int r = plan(m, &c, h, max);

	for (i = 0; i < c.n && r == 0; i++)
		r = fill(m, &c, &c.run[i], b);
	if (r == 0 && !coremem_intact(m))
		r = fails(ESRCH);
	if (r == -1) {
		corecopy_free(&c);
		return -1;
	}
	m->copy = c;
	return 0;
}
