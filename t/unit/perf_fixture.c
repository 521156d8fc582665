#include "perf_fixture.h"

#include <string.h>

static void
rec_add(struct rec *x, const void *p, size_t n)
{
	memcpy(x->p + x->len, p, n);
	x->len += n;
}

static void
rec_u32(struct rec *x, uint32_t v)
{
	rec_add(x, &v, sizeof(v));
}

static void
rec_u64(struct rec *x, uint64_t v)
{
	rec_add(x, &v, sizeof(v));
}

static void
rec_text(struct rec *x, const char *s)
{
	size_t n = strlen(s) + 1;

	rec_add(x, s, n);
	memset(x->p + x->len, 0, 8);
	x->len += (8 - x->len % 8) % 8;
}

static void
rec_begin(struct rec *x)
{
	x->len = sizeof(struct perf_event_header);
}

static void
rec_end(struct rec *x, uint32_t type, uint16_t misc, uint64_t time)
{
	struct perf_event_header h = {.type = type, .misc = misc};

	rec_u64(x, time);
	h.size = (uint16_t)x->len;
	memcpy(x->p, &h, sizeof(h));
}

void
rec_mmap(struct rec *x, int pid, uint64_t time, uint64_t addr, uint64_t len,
    uint64_t off, const char *name, uint64_t ino)
{
	rec_begin(x);
	rec_u32(x, (uint32_t)pid);
	rec_u32(x, (uint32_t)pid);
	rec_u64(x, addr);
	rec_u64(x, len);
	rec_u64(x, off);
	rec_u32(x, 8); /* major, minor */
	rec_u32(x, 1);
	rec_u64(x, ino);
	rec_u64(x, 0);
	rec_u32(x, 5); /* read, execute; private */
	rec_u32(x, 2);
	rec_text(x, name);
	rec_end(x, PERF_RECORD_MMAP2, 2, time);
}

void
rec_set_id(struct rec *x, const void *id, unsigned char n)
{
	struct perf_event_header h;

	memcpy(&h, x->p, sizeof(h));
	h.misc |= 1 << 14;
	memcpy(x->p, &h, sizeof(h));
	memset(x->p + 40, 0, 24);
	x->p[40] = n;
	memcpy(x->p + 44, id, n);
}

void
rec_comm(
    struct rec *x, int pid, int tid, uint64_t time, const char *comm, int exec)
{
	rec_begin(x);
	rec_u32(x, (uint32_t)pid);
	rec_u32(x, (uint32_t)tid);
	rec_text(x, comm);
	rec_end(
	    x, PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0, time);
}

void
rec_task(struct rec *x, uint32_t type, int pid, int ppid, int tid, int ptid,
    uint64_t time)
{
	rec_begin(x);
	rec_u32(x, (uint32_t)pid);
	rec_u32(x, (uint32_t)ppid);
	rec_u32(x, (uint32_t)tid);
	rec_u32(x, (uint32_t)ptid);
	rec_u64(x, time);
	rec_end(x, type, 0, time);
}

void
rec_lost(struct rec *x, uint64_t n, uint64_t time)
{
	rec_begin(x);
	rec_u64(x, 1); /* id of the event */
	rec_u64(x, n);
	rec_end(x, PERF_RECORD_LOST, 0, time);
}
