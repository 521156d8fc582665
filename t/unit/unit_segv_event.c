/*
 * unit_segv_event: decoding of genuine, cut and forged records.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/segv_event.h"
#include "proc/maps.h"

#include "check.h"

enum { ALL = 4095 & ~SEGV_HAVE_VMA_ERR };

static void
put32(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static void
put64(unsigned char *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

/* A write to 0x1234 by the second thread of a process in a container. */
static struct segv_rec_event
sample(int machine)
{
	struct segv_rec_event r;
	size_t i;

	memset(&r, 0xa5, sizeof(r));
	r.rec.magic = SEGV_MAGIC;
	r.rec.type = SEGV_REC_EVENT;
	r.rec.machine = (uint16_t)machine;
	r.rec.time = 77;
	r.rec.pid_tgid = 1000ull << 32 | 1001;
	r.have = ALL;
	r.sig = SIGSEGV;
	r.uid_gid = 6ull << 32 | 5;
	memcpy(r.comm, "0123456789abcdef", 16);
	memset(r.info, 0, sizeof(r.info));
	put32(r.info, SIGSEGV);
	put32(r.info + 8, 1);
	put64(r.info + 16, 0x1234);
	r.handler = 0x400000;
	r.sa_flags = 0x14000004;
	r.fault[0] = machine == EM_X86_64 ? 6 : 0x92000046;
	r.fault[1] = machine == EM_X86_64 ? 14 : 0;
	r.fault[2] = 0x1234;
	for (i = 0; i < SEGV_REC_REGS; i++)
		r.regs[i] = 0x1000 + i;
	if (machine == EM_X86_64)
		r.regs[17] = 0x33;
	else
		r.regs[33] = 0x80001000;
	r.ids.cgroup = 88;
	r.ids.start = 99;
	memcpy(r.ids.leader, "leader\0XXXXXXXXX", 16);
	r.ids.nspid = 7;
	r.ids.nstid = 8;
	r.ids.pidns = 4026532000u;
	r.ids.nslevel = 1;
	r.exe.len = 4;
	strcpy(r.exe.name, "prog");
	r.stack.addr = 0x7fff0000;
	r.stack.want = 5;
	r.stack.have = 0x12;
	r.stack.lost = 4;
	r.stack.top = 0x7fff4010;
	r.vma.err = 0;
	r.vma.start = 0x1000;
	r.vma.end = 0x3000;
	r.vma.flags = 0x75 | 8;
	r.vma.pgoff = 2;
	r.vma.ino = 12;
	r.vma.dev = 254u << 20 | 3;
	r.vma.len = 200;
	memset(r.vma.name, 'n', 63);
	r.vma.name[63] = '\0';
	return r;
}

static struct segv_rec_page
page_of(const struct segv_rec_event *r, int n)
{
	struct segv_rec_page p;

	p.rec = r->rec;
	p.rec.type = SEGV_REC_PAGE;
	p.addr = r->stack.addr + (uint64_t)n * SEGV_PAGE;
	memset(p.data, '0' + n, sizeof(p.data));
	return p;
}

static int
put(struct segv_feed *f, const void *p, size_t n)
{
	/* exactly as long as it is: a sanitizer sees what is read beyond */
	void *copy = malloc(n > 0 ? n : 1);
	int r, e;

	memcpy(copy, p, n);
	errno = 0;
	r = segv_feed_put(f, copy, n);
	e = errno;
	free(copy);
	errno = e;
	return r;
}

/* An event alone, decoded; pages are left out. */
static struct segv_event
one(struct segv_rec_event r)
{
	struct segv_feed *f = segv_feed_new(4);
	struct segv_event *e, got;

	memset(&got, 0, sizeof(got));
	r.have &= ~(uint32_t)SEGV_HAVE_STACK;
	CHECK(put(f, &r, sizeof(r)) == 0);
	if ((e = segv_feed_get(f)) != NULL) {
		got = *e;
		segv_feed_release(f, e);
	} else {
		CHECK(e != NULL);
	}
	segv_feed_free(f);
	return got;
}

static void
test_fields(void)
{
	struct segv_rec_event r = sample(EM_X86_64);
	struct segv_event e = one(r);

	CHECK(e.time == 77 && e.pid == 1000 && e.tid == 1001);
	CHECK(e.uid == 5 && e.gid == 6 && e.cgroup == 88 && e.start == 99);
	CHECK(e.nspid == 7 && e.nstid == 8 && e.nslevel == 1 &&
	    e.pidns == 4026532000u);
	CHECK(strcmp(e.comm, "0123456789abcdef") == 0);
	CHECK(strcmp(e.leader, "leader") == 0);
	CHECK(strcmp(e.exe, "prog") == 0 && !e.exe_cut);
	CHECK(e.signo == SIGSEGV && e.code == 1 && e.has_addr &&
	    e.addr == 0x1234 && e.origin == SEGV_FROM_FAULT);
	CHECK(e.handler == 0x400000 && e.sa_flags == 0x14000004 && e.handled);
	CHECK(e.fault_valid && e.access == SEGV_WRITE && e.error_code == 6);
	CHECK(e.regs.n == 27 && e.regs.r[26] == 0x101a && e.pc == 0x1010 &&
	    e.sp == 0x1013 && !e.compat);
	CHECK(e.vma.start == 0x1000 && e.vma.end == 0x3000 && e.vma.ino == 12 &&
	    e.vma.off >= 8192 && e.vma_err == 0);
	CHECK(e.vma.prot == (MAP_R | MAP_X | MAP_S));
	CHECK(e.vma.dev == (254ull << 32 | 3));
	CHECK(strlen(e.vma.name) == 63 && e.vma.name_cut);

	/* nothing that is not marked is believed */
	r.have = 0;
	e = one(r);
	CHECK(e.regs.n == 0 && e.pc == 0 && e.origin == SEGV_FROM_UNKNOWN &&
	    e.addr == 0 && !e.handled && !e.fault_valid && e.cgroup == 0 &&
	    *e.leader == '\0' && *e.exe == '\0' && e.nspid == 0 &&
	    e.vma.start == 0 && e.vma_err == ENOTSUP && e.signo == SIGSEGV);
	r = sample(EM_X86_64);
	r.have &= ~(uint32_t)SEGV_HAVE_BASES;
	e = one(r);
	CHECK(e.regs.n == 21 && e.regs.r[21] == 0);
	r.have &= ~(uint32_t)SEGV_HAVE_VMA;
	r.have |= SEGV_HAVE_VMA_ERR;
	r.vma.err = -ENOENT;
	CHECK(one(r).vma_err == ENOENT);
	r.vma.err = -1000000;
	CHECK(one(r).vma_err == ENOTSUP);
	r.regs[17] = 0x23;
	r.ids.nslevel = 0;
	e = one(r);
	CHECK(e.compat && e.nspid == 1000 && e.nstid == 1001 &&
	    e.pidns == 4026531836u);
	r = sample(EM_X86_64);
	r.vma.ino = 0;
	CHECK(one(r).vma.off == 0);
	r.vma.len = 0;
	CHECK(*one(r).vma.name == '\0');
}

static void
test_origin(void)
{
	struct segv_rec_event r = sample(EM_X86_64);
	struct segv_event e;

	/* general protection: the address is not known */
	put32(r.info + 8, 128);
	put64(r.info + 16, 0);
	r.fault[0] = 0;
	r.fault[1] = 13;
	e = one(r);
	CHECK(e.origin == SEGV_FROM_KERNEL && !e.has_addr && e.fault_valid &&
	    e.access == 0 && e.trap_nr == 13);
	/* SI_KERNEL out of a handler that could not be called */
	r.fault[1] = 14;
	CHECK(!one(r).fault_valid);
	/* kill(2): pid and uid, not an address */
	put32(r.info + 8, 0);
	put32(r.info + 16, 4321);
	put32(r.info + 20, 1234);
	e = one(r);
	CHECK(e.origin == SEGV_FROM_USER && e.sender_pid == 4321 &&
	    e.sender_uid == 1234 && !e.has_addr && !e.fault_valid);
	put32(r.info + 8, (uint32_t)-2); /* SI_TIMER has neither */
	e = one(r);
	CHECK(e.origin == SEGV_FROM_USER && e.sender_pid == 0);
	/* a signal of the kernel's that has no address */
	r = sample(EM_X86_64);
	r.sig = SIGCHLD;
	put32(r.info, SIGCHLD);
	e = one(r);
	CHECK(!e.has_addr && e.addr == 0 && !e.fault_valid);
	/* protection key */
	r = sample(EM_X86_64);
	put32(r.info + 8, 4);
	put32(r.info + 32, 3);
	r.fault[0] = 0x25;
	e = one(r);
	CHECK(
	    e.pkey == 3 && e.access == (SEGV_READ | SEGV_PRESENT | SEGV_PKEY));
	/* the thread's fault was another */
	r = sample(EM_X86_64);
	r.fault[2] = 0x5678;
	e = one(r);
	CHECK(!e.fault_valid && e.access == 0);
	r = sample(EM_X86_64);
	r.fault[1] = 13;
	CHECK(!one(r).fault_valid);
	r = sample(EM_X86_64);
	r.fault[0] = 0x15;
	CHECK(one(r).access == (SEGV_EXEC | SEGV_PRESENT));
	r.fault[0] = 0x14;
	CHECK(one(r).access == SEGV_EXEC);
	r.fault[0] = 4;
	CHECK(one(r).access == SEGV_READ);
}

static void
test_aarch64(void)
{
	struct segv_rec_event r = sample(EM_AARCH64);
	struct segv_event e = one(r);

	CHECK(e.regs.n == 34 && e.pc == 0x1020 && e.sp == 0x101f);
	/* a write, translation fault */
	CHECK(e.fault_valid && e.access == SEGV_WRITE && !e.compat);
	r.fault[0] = 0x9200000f; /* a read, permission fault */
	CHECK(one(r).access == (SEGV_READ | SEGV_PRESENT));
	r.fault[0] = 0x82000006; /* of an instruction */
	CHECK(one(r).access == SEGV_EXEC);
	r.fault[2] |= 0xabull << 56; /* the tag is not in si_addr */
	CHECK(one(r).access == SEGV_EXEC);
	r.fault[0] = 0x56000000; /* a system call is no fault */
	CHECK(!one(r).fault_valid);
	r = sample(EM_AARCH64);
	r.fault[2] = 0x1235;
	CHECK(!one(r).fault_valid);
	r.regs[33] = 0x10;
	CHECK(one(r).compat);
}

static void
test_pages(void)
{
	struct segv_rec_event r = sample(EM_X86_64), other = r;
	struct segv_rec_page p;
	struct segv_feed *f = segv_feed_new(4);
	struct segv_feed_stats st;
	struct segv_event *e;
	char b[SEGV_PAGE * 2];

	CHECK(put(f, &r, sizeof(r)) == 0 && segv_feed_get(f) == NULL);
	/* one of another thread, which is whole, waits behind it */
	other.rec.pid_tgid++;
	other.stack.have = 0;
	CHECK(put(f, &other, sizeof(other)) == 0 && segv_feed_get(f) == NULL);
	p = page_of(&r, 4);
	CHECK(put(f, &p, sizeof(p)) == 0 && segv_feed_get(f) == NULL);
	/* refused: twice, not announced, outside, not at a page */
	CHECK(put(f, &p, sizeof(p)) == -1 && errno == EBADMSG);
	p = page_of(&r, 0);
	CHECK(put(f, &p, sizeof(p)) == -1 && errno == EBADMSG);
	p = page_of(&r, 5);
	CHECK(put(f, &p, sizeof(p)) == -1 && errno == EBADMSG);
	p = page_of(&r, -1);
	CHECK(put(f, &p, sizeof(p)) == -1 && errno == EBADMSG);
	p = page_of(&r, 1);
	p.addr += 8;
	CHECK(put(f, &p, sizeof(p)) == -1 && errno == EBADMSG);
	/* of no event: another time, another thread */
	p = page_of(&r, 1);
	p.rec.time++;
	CHECK(put(f, &p, sizeof(p)) == 0);
	p = page_of(&r, 1);
	p.rec.pid_tgid += 7;
	CHECK(put(f, &p, sizeof(p)) == 0);
	CHECK(segv_feed_get(f) == NULL);
	p = page_of(&r, 1);
	CHECK(put(f, &p, sizeof(p)) == 0);

	CHECK((e = segv_feed_get(f)) != NULL);
	CHECK(e->npages == 2 && e->pages_none == 2 && e->pages_lost == 1 &&
	    e->pages_missing == 0 && e->stack_whole);
	CHECK(e->stack_lo == 0x7fff0000 && e->stack_hi == 0x7fff5000);
	CHECK(e->page[0].addr == 0x7fff1000 && e->page[1].addr == 0x7fff4000);
	CHECK(segv_event_page(e, 0x7fff0fff) == SEGV_PAGE_NONE);
	CHECK(segv_event_page(e, 0x7fff1000) == SEGV_PAGE_HAVE);
	CHECK(segv_event_page(e, 0x7fff2000) == SEGV_PAGE_LOST);
	CHECK(segv_event_page(e, 0x7fff3000) == SEGV_PAGE_NONE);
	CHECK(segv_event_page(e, 0x7fff5000) == SEGV_PAGE_OUT);
	CHECK(segv_event_page(e, 0x7ffeffff) == SEGV_PAGE_OUT);
	CHECK(segv_event_read(e, 0x7fff1ff8, b, 16) == 8 && b[7] == '1');
	CHECK(segv_event_read(e, 0x7fff4000, b, sizeof(b)) == SEGV_PAGE);
	CHECK(segv_event_read(e, 0x7fff0ff8, b, 16) == 0);
	CHECK(segv_event_read(e, 0x7fff5000, b, 1) == 0);
	segv_feed_release(f, e);
	CHECK(
	    (e = segv_feed_get(f)) != NULL && e->tid == 1002 && e->npages == 0);
	segv_feed_release(f, e);

	/* two pages side by side are read as one */
	r.stack.have = 6;
	r.stack.lost = 0;
	CHECK(put(f, &r, sizeof(r)) == 0);
	p = page_of(&r, 2);
	CHECK(put(f, &p, sizeof(p)) == 0);
	p = page_of(&r, 1);
	CHECK(put(f, &p, sizeof(p)) == 0);
	CHECK((e = segv_feed_get(f)) != NULL && e->npages == 2);
	CHECK(segv_event_read(e, 0x7fff1ffc, b, 8) == 8 && b[3] == '1' &&
	    b[4] == '2');
	segv_feed_release(f, e);
	segv_feed_get_stats(f, &st);
	CHECK(st.events == 3 && st.pages == 4 && st.bad == 5 &&
	    st.orphans == 2 && st.partial == 0);
	segv_feed_free(f);
}

/* What never comes must not hold up the rest, nor fill the memory. */
static void
test_waiting(void)
{
	struct segv_rec_event r = sample(EM_X86_64);
	struct segv_feed *f = segv_feed_new(8);
	struct segv_feed_stats st;
	struct segv_event *e;
	int i, n = 0;

	for (i = 0; i < 100; i++) {
		r.rec.time++;
		CHECK(put(f, &r, sizeof(r)) == 0);
		while ((e = segv_feed_get(f)) != NULL) {
			CHECK(e->time == 78 + (uint64_t)n);
			CHECK(e->pages_missing == 2 && e->npages == 0);
			segv_feed_release(f, e);
			n++;
		}
	}
	CHECK(n == 92);
	segv_feed_flush(f);
	while ((e = segv_feed_get(f)) != NULL) {
		segv_feed_release(f, e);
		n++;
	}
	CHECK(n == 100);
	segv_feed_get_stats(f, &st);
	CHECK(st.partial == 100);
	segv_feed_free(f);
}

static void
test_cut(void)
{
	struct segv_rec_event r = sample(EM_X86_64);
	struct segv_rec_page p = page_of(&r, 1);
	struct segv_feed *f = segv_feed_new(4);
	static const struct {
		uint32_t have;
		size_t need;
	} parts[] = {{SEGV_HAVE_INFO | SEGV_HAVE_REGS,
			 offsetof(struct segv_rec_event, ids)},
	    {SEGV_HAVE_NS, offsetof(struct segv_rec_event, exe)},
	    {SEGV_HAVE_LEADER, offsetof(struct segv_rec_event, exe)},
	    {SEGV_HAVE_EXE, offsetof(struct segv_rec_event, stack)},
	    {SEGV_HAVE_STACK, offsetof(struct segv_rec_event, vma)},
	    {SEGV_HAVE_VMA, sizeof(r)}, {SEGV_HAVE_VMA_ERR, sizeof(r)}};
	struct segv_event *e;
	size_t n, i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		r.have = parts[i].have;
		r.stack.have = r.stack.lost = 0;
		for (n = 0; n <= sizeof(r); n++) {
			if (n < parts[i].need) {
				CHECK(put(f, &r, n) == -1 && errno == EBADMSG);
				continue;
			}
			CHECK(put(f, &r, n) == 0);
			CHECK((e = segv_feed_get(f)) != NULL);
			if (e != NULL)
				segv_feed_release(f, e);
		}
		CHECK(put(f, &r, sizeof(r) + 0) == 0);
		segv_feed_release(f, segv_feed_get(f));
	}
	for (n = 0; n < sizeof(p); n += n < 64 ? 1 : 61)
		CHECK(put(f, &p, n) == -1 && errno == EBADMSG);
	segv_feed_free(f);
}

static void
test_forged(void)
{
	struct segv_rec_event r;
	struct segv_rec_page p;
	struct segv_feed *f = segv_feed_new(16);
	struct segv_event *e;
	unsigned seed = 3;
	unsigned char *b = (unsigned char *)&r;
	char got[64];
	size_t i, k;

#define FORGED(member, value)                                           \
	do {                                                            \
		r = sample(EM_X86_64);                                  \
		r.member = (value);                                     \
		CHECK(put(f, &r, sizeof(r)) == -1 && errno == EBADMSG); \
	} while (0)
	FORGED(rec.magic, 1);
	FORGED(rec.type, 3);
	FORGED(rec.type, SEGV_REC_PAGE);
	FORGED(rec.machine, EM_386);
	FORGED(sig, 0);
	FORGED(sig, 65);
	FORGED(stack.want, 0);
	FORGED(stack.want, 65);
	FORGED(stack.have, 32);
	FORGED(stack.lost, 1ull << 63);
	FORGED(stack.lost, 2);
	FORGED(stack.addr, 0x7fff0008);
#undef FORGED
	/* a window at the end of all addresses, of all pages */
	r = sample(EM_X86_64);
	r.stack.addr = ~0ull - 4095;
	r.stack.want = 64;
	r.stack.have = ~0ull;
	r.stack.lost = 0;
	CHECK(put(f, &r, sizeof(r)) == 0);
	p = page_of(&r, 0);
	CHECK(put(f, &p, sizeof(p)) == 0);
	segv_feed_flush(f);
	CHECK((e = segv_feed_get(f)) != NULL && e->npages == 1 &&
	    e->pages_missing == 63);
	CHECK(segv_event_page(e, ~0ull - 1) == SEGV_PAGE_HAVE);
	segv_feed_release(f, e);
	segv_feed_free(f);

	f = segv_feed_new(16);
	for (i = 0; i < 20000; i++) {
		r = sample(i & 1 ? EM_X86_64 : EM_AARCH64);
		for (k = 0; k < 1 + i % 5; k++) {
			seed = seed * 1103515245 + 12345;
			b[(seed >> 8) % sizeof(r)] = (unsigned char)(seed >> 3);
		}
		put(f, &r, sizeof(r));
		p = page_of(&r, (int)(i % 6));
		put(f, &p, sizeof(p));
		while ((e = segv_feed_get(f)) != NULL) {
			segv_event_read(e, e->sp, got, sizeof(got));
			segv_event_page(e, e->sp);
			segv_feed_release(f, e);
		}
	}
	segv_feed_free(f);
}

int
main(void)
{
	test_fields();
	test_origin();
	test_aarch64();
	test_pages();
	test_waiting();
	test_cut();
	test_forged();
	return failed != 0;
}
