#include "track/perfring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "proc/cpus.h"

/* perf_event_attr grew its build_id bit with Linux 5.12 (bit 34 of the flags
 * that begin with "disabled"): headers of distributions may be older. */
#define ATTR_FLAGS_AT 40
#define ATTR_BUILD_ID (UINT64_C(1) << 34)

enum {
	RECORD_MAX = 65536, /* its size is 16 bits */
	ROOM_MIN = 8192	    /* a name of PATH_MAX and all around it */
};

struct cpu_ring {
	unsigned cpu;
	int fd;
	int gone; /* the CPU is */
	struct perf_event_mmap_page *head;
	unsigned char *data;
	size_t size, maplen;
};

struct perfring {
	struct perfring_opts o;
	struct cpu_ring *ring;
	unsigned n;
	int epollfd;
	int build_id; /* the kernel knows it */
	unsigned char record[RECORD_MAX];
};

static int
online(const struct perfring *r, struct cpus *c)
{
	return cpus_read(r->o.cpus != NULL ? r->o.cpus : CPUS_ONLINE, c);
}

static int
event_open(struct perfring *r, unsigned cpu)
{
	struct perf_event_attr a;
	uint64_t flags;
	int fd;

	memset(&a, 0, sizeof(a));
	a.size = sizeof(a);
	a.type = PERF_TYPE_SOFTWARE;
	a.config = PERF_COUNT_SW_DUMMY;
	a.sample_type = PERF_SAMPLE_TIME;
	a.sample_id_all = 1;
	a.mmap = a.mmap2 = a.comm = a.comm_exec = a.task = 1;
	a.mmap_data = r->o.data != 0;
	a.use_clockid = 1;
	a.clockid = CLOCK_MONOTONIC;
	a.watermark = 1;
	a.wakeup_watermark = (uint32_t)r->o.wakeup;
	if (r->build_id) {
		memcpy(&flags, (char *)&a + ATTR_FLAGS_AT, sizeof(flags));
		flags |= ATTR_BUILD_ID;
		memcpy((char *)&a + ATTR_FLAGS_AT, &flags, sizeof(flags));
	}
	fd = (int)syscall(
	    SYS_perf_event_open, &a, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd == -1 && errno == EINVAL && r->build_id) {
		r->build_id = 0;
		return event_open(r, cpu);
	}
	return fd;
}

static void
ring_close(struct cpu_ring *c)
{
	if (c->head != NULL)
		munmap(c->head, c->maplen);
	io_close(&c->fd);
}

/* perf_event_mlock_kb and RLIMIT_MEMLOCK bound what may be mapped. */
static int
ring_map(struct perfring *r, struct cpu_ring *c)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = r->o.bytes;
	void *p = MAP_FAILED;

	for (n = n < page ? page : n; n >= page; n /= 2) {
		p = mmap(NULL, page + n, PROT_READ | PROT_WRITE, MAP_SHARED,
		    c->fd, 0);
		if (p != MAP_FAILED || (errno != EPERM && errno != ENOMEM))
			break;
	}
	if (p == MAP_FAILED) {
		if (errno == EPERM) /* as perf_mmap() says "over the limit" */
			errno = ENOBUFS;
		return -1;
	}
	c->head = p;
	c->data = (unsigned char *)p + page;
	c->size = n;
	c->maplen = page + n;
	return 0;
}

/* 0, or -1 with errno; ENODEV and ENXIO when the CPU went meanwhile. */
static int
ring_open(struct perfring *r, unsigned cpu)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct cpu_ring c = {.cpu = cpu};
	int saved;
	void *p;

	p = reallocarray(r->ring, r->n + 1, sizeof(*r->ring));
	if (p == NULL)
		return -1;
	r->ring = p;
	c.fd = event_open(r, cpu);
	if (c.fd == -1)
		return -1;
	ev.data.u32 = cpu;
	if (ring_map(r, &c) == -1 ||
	    epoll_ctl(r->epollfd, EPOLL_CTL_ADD, c.fd, &ev) == -1) {
		saved = errno;
		ring_close(&c);
		return fails(saved);
	}
	r->ring[r->n++] = c;
	return 0;
}

struct perfring *
perfring_open(const struct perfring_opts *o)
{
	struct cpus now;
	struct perfring *r = calloc(1, sizeof(*r));
	int i, n, saved;

	if (r == NULL)
		return NULL;
	r->o = *o;
	r->build_id = !o->inodes;
	r->epollfd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epollfd == -1 || (n = online(r, &now)) == -1)
		goto fail;
	for (i = 0; i < n; i++)
		if (cpus_has(&now, (unsigned)i) &&
		    ring_open(r, (unsigned)i) == -1 && errno != ENODEV &&
		    errno != ENXIO)
			goto fail;
	if (r->n > 0)
		return r;
	errno = ENODEV;
fail:
	saved = errno;
	perfring_close(r);
	errno = saved;
	return NULL;
}

void
perfring_close(struct perfring *r)
{
	unsigned i;

	if (r == NULL)
		return;
	for (i = 0; i < r->n; i++)
		ring_close(&r->ring[i]);
	free(r->ring);
	io_close(&r->epollfd);
	free(r);
}

int
perfring_fd(const struct perfring *r)
{
	return r->epollfd;
}

unsigned
perfring_ncpus(const struct perfring *r)
{
	return r->n;
}

static void
copy_out(const struct cpu_ring *c, uint64_t at, void *p, size_t n)
{
	size_t off = at & (c->size - 1), first = c->size - off;

	first = first < n ? first : n;
	memcpy(p, c->data + off, first);
	memcpy((char *)p + first, c->data, n - first);
}

/* The kernel's side: perf_output_put_handle(), linux/perf_event.h. */
static int
read_ring(struct perfring *r, struct cpu_ring *c,
    int (*record)(void *, const void *, size_t), void *ctx, int *full)
{
	uint64_t head, tail = c->head->data_tail;
	struct perf_event_header h;
	int rc = 0;

	head = __atomic_load_n(&c->head->data_head, __ATOMIC_ACQUIRE);
	if (c->size - (head - tail) <
	    (c->size < 2 * ROOM_MIN ? c->size / 2 : ROOM_MIN))
		*full = 1;
	while (rc == 0 && head - tail >= sizeof(h)) {
		copy_out(c, tail, &h, sizeof(h));
		if (h.size < sizeof(h) || h.size > head - tail) {
			tail = head; /* the kernel would have to be mad */
			*full = 1;
			break;
		}
		copy_out(c, tail, r->record, h.size);
		rc = record(ctx, r->record, h.size);
		if (rc == 0)
			tail += h.size;
	}
	__atomic_store_n(&c->head->data_tail, tail, __ATOMIC_RELEASE);
	return rc;
}

int
perfring_read(struct perfring *r, int (*record)(void *, const void *, size_t),
    void *ctx, int *full)
{
	unsigned i;
	int rc = 0;

	for (i = 0; rc == 0 && i < r->n; i++)
		rc = read_ring(r, &r->ring[i], record, ctx, full);
	return rc;
}

static int
is_empty(const struct cpu_ring *c)
{
	return __atomic_load_n(&c->head->data_head, __ATOMIC_ACQUIRE) ==
	    c->head->data_tail;
}

int
perfring_cpus(struct perfring *r)
{
	struct cpus now;
	int i, n = online(r, &now), came = 0;
	unsigned k;

	if (n == -1)
		return 0;
	for (k = 0; k < r->n; k++) {
		i = (int)r->ring[k].cpu;
		if (!cpus_has(&now, (unsigned)i))
			r->ring[k].gone = 1;
		/* the event of a CPU that went and came back stays dead */
		if (r->ring[k].gone && is_empty(&r->ring[k])) {
			ring_close(&r->ring[k]);
			r->ring[k--] = r->ring[--r->n];
		} else
			now.set[i / 8] &= (unsigned char)~(1 << i % 8);
	}
	for (i = 0; i < n; i++)
		if (cpus_has(&now, (unsigned)i) &&
		    ring_open(r, (unsigned)i) == 0)
			came++;
	return came;
}
