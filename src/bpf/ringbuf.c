/*
 * BPF's ring buffer from the reader's side (kernel/bpf/ringbuf.c): a page that
 * is ours to write, a page of the kernel's, then the data, mapped twice.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bpf/bpfsys.h"

int
bpf_ring_open(struct bpf_ring *r, int mapfd, size_t size)
{
	void *c, *p;
	int e;

	memset(r, 0, sizeof(*r));
	r->fd = mapfd;
	r->size = size;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	c = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, mapfd, 0);
	if (c == MAP_FAILED)
		return -1;
	/* the data follows itself, so that no record is ever in two pieces */
	p = mmap(NULL, r->page + 2 * size, PROT_READ, MAP_SHARED, mapfd,
	    (off_t)r->page);
	if (p == MAP_FAILED) {
		e = errno;
		munmap(c, r->page);
		return fails(e);
	}
	r->consumer = c;
	r->producer = p;
	r->data = (const unsigned char *)p + r->page;
	r->pos = r->done = *r->consumer;
	return 0;
}

void
bpf_ring_close(struct bpf_ring *r)
{
	if (r->consumer == NULL)
		return;
	munmap(r->consumer, r->page);
	munmap((void *)(uintptr_t)r->producer, r->page + 2 * r->size);
	memset(r, 0, sizeof(*r));
	r->fd = -1;
}

/* Acquire: what the producer wrote before is seen after. */
static uint64_t
produced(const struct bpf_ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

uint64_t
bpf_ring_waiting(const struct bpf_ring *r)
{
	return produced(r) - r->pos;
}

void
bpf_ring_done(struct bpf_ring *r)
{
	if (r->done == r->pos)
		return;
	/* Sequentially consistent: the kernel makes a record and looks at
	 * this position, we set it and look for a record; one of the two
	 * sees the other, so no wake-up is lost. */
	__atomic_store_n(r->consumer, r->pos, __ATOMIC_SEQ_CST);
	r->done = r->pos;
}

/* The length word of the record at pos, 0 while there is none. */
static uint64_t
waiting_at(struct bpf_ring *r, uint32_t *word)
{
	uint64_t n = produced(r) - r->pos;

	if (n > r->most)
		r->most = n;
	if (n == 0)
		return 0;
	*word = __atomic_load_n((const uint32_t *)(const void *)(r->data +
				    (r->pos & (r->size - 1))),
	    __ATOMIC_ACQUIRE);
	return *word & BPF_RINGBUF_BUSY_BIT ? 0 : n;
}

int
bpf_ring_next(struct bpf_ring *r, const void **rec, size_t *len)
{
	uint64_t n, whole;
	uint32_t word;

	/* now and then, so that writers do not run into what is read */
	if (r->pos - r->done > r->size / 8)
		bpf_ring_done(r);
	for (;;) {
		if ((n = waiting_at(r, &word)) == 0) {
			bpf_ring_done(r);
			if ((n = waiting_at(r, &word)) == 0)
				return 0;
		}
		*len = word & ~(uint32_t)BPF_RINGBUF_DISCARD_BIT;
		whole = (*len + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
		if (n > r->size || whole > n)
			return fails(EBADMSG);
		*rec = r->data + (r->pos & (r->size - 1)) + BPF_RINGBUF_HDR_SZ;
		r->pos += whole;
		if (!(word & BPF_RINGBUF_DISCARD_BIT))
			return 1;
	}
}
