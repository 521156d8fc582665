/*
 * unit_bpfsys: reasons, rights, CPU lists, and the reader of the ring buffer
 * over memory that is written here.  Prints one line per failed check; exits 0
 * when there was none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/bpfsys.h"

#include "check.h"

static const char status[] = "Name:\tx\nCapInh:\t0\nCapEff:\t%s\n";

static struct bpf_rights
rights(const char *caps, const char *uid_map, const char *lockdown)
{
	struct bpf_rights r;
	char s[128];

	snprintf(s, sizeof(s), status, caps);
	bpf_rights_parse(&r, s, uid_map, lockdown);
	return r;
}

#define ALLCAPS "000001ffffffffff"
#define INITNS "         0          0 4294967295\n"
#define OPEN "[none] integrity confidentiality\n"

/* Does the reason hold these words? */
static int
says(const struct bpf_rights *r, enum bpf_step step, int err, const char *log,
    const char *words)
{
	char out[BPF_REASON];

	bpf_reason(r, step, err, log, out);
	if (strstr(out, words) != NULL && strchr(out, '\n') == NULL)
		return 1;
	printf("says: %s\nnot:  %s\n", out, words);
	return 0;
}

static void
test_reasons(void)
{
	struct bpf_rights r = rights(ALLCAPS, INITNS, OPEN);

	CHECK(r.caps == 0x1ffffffffff && !r.userns && r.lockdown == 0 &&
	    r.memlock == UINT64_MAX);
	CHECK(says(&r, BPF_STEP_MAP, ENOSYS, NULL, "no bpf(2)"));
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "security module"));
	CHECK(says(&r, BPF_STEP_RING, EINVAL, NULL, "Linux 5.8 or later"));
	CHECK(says(&r, BPF_STEP_RING, ENOMEM, NULL,
	    "unable to make the BPF ring buffer: Cannot allocate memory"));
	CHECK(says(&r, BPF_STEP_ATTACH, ENOENT, NULL, "no tracepoint"));
	CHECK(says(&r, BPF_STEP_LOAD, EACCES,
	    "0: (bf) r6 = r1\ninvalid access to x\nprocessed 9 insns\n",
	    "refuses the BPF program: invalid access to x (Perm"));
	CHECK(says(&r, BPF_STEP_LOAD, EINVAL, "unknown func f#180\n",
	    "unknown func f#180"));
	CHECK(says(&r, BPF_STEP_LOAD, ENOMEM, NULL, "unable to load"));
	CHECK(says(&r, BPF_STEP_MMAP, EPERM, "", "security module"));
	r.memlock = 65536;
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "RLIMIT_MEMLOCK"));
	CHECK(says(&r, BPF_STEP_RING, EPERM, NULL,
	    "too low for the ring buffer (65536 bytes)"));

	r = rights("0000000000000000", INITNS, OPEN);
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL,
	    "CAP_BPF and CAP_PERFMON are missing"));
	r = rights("0000008000000000", INITNS, OPEN);
	CHECK(says(&r, BPF_STEP_LOAD, EPERM, NULL, "CAP_PERFMON is missing"));
	CHECK(says(&r, BPF_STEP_LOAD, EACCES, NULL, "CAP_PERFMON is missing"));
	r = rights("0000004000000000", INITNS, OPEN);
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "CAP_BPF is missing"));
	r = rights("000000c000000000", INITNS, OPEN);
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "security module"));
	r = rights("0000000000200000", INITNS, OPEN); /* CAP_SYS_ADMIN */
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "security module"));
	r = rights(ALLCAPS, "         0       1000          1\n", OPEN);
	CHECK(r.userns);
	CHECK(says(&r, BPF_STEP_MAP, EPERM, NULL, "initial user namespace"));

	r = rights(ALLCAPS, INITNS, "none integrity [confidentiality]\n");
	CHECK(r.lockdown == 2);
	CHECK(says(&r, BPF_STEP_LOAD, EINVAL, "unknown func", "locked down"));
	CHECK(says(&r, BPF_STEP_MAP, ENOMEM, NULL, "unable to make"));
	r = rights(ALLCAPS, INITNS, "none [integrity] confidentiality\n");
	CHECK(r.lockdown == 1);
	CHECK(says(&r, BPF_STEP_LOAD, EINVAL, "unknown func", "unknown func"));
	/* what cannot be found out forbids nothing */
	bpf_rights_parse(&r, NULL, NULL, NULL);
	CHECK(r.caps == UINT64_MAX && !r.userns && r.lockdown == 0);
	bpf_rights_parse(&r, "CapEff:\tzz\n", "x", "x");
	CHECK(r.caps == UINT64_MAX && r.userns && r.lockdown == 0);
	bpf_rights_parse(&r, NULL, "", NULL);
	CHECK(r.userns);
}

static void
test_log(void)
{
	char out[256], log[4096];

	bpf_log_line(NULL, out, sizeof(out));
	CHECK(*out == '\0');
	bpf_log_line("a\nb\n", out, sizeof(out));
	CHECK(strcmp(out, "b") == 0);
	bpf_log_line("the reason\nprocessed 3 insns (limit 1000000)\n  x\n"
		     "verification time 9 usec\nstack depth 16\n",
	    out, sizeof(out));
	CHECK(strcmp(out, "the reason") == 0);
	memset(log, 'a', sizeof(log));
	log[sizeof(log) - 1] = '\0';
	bpf_log_line(log, out, sizeof(out));
	CHECK(strlen(out) == 200);
}

/* --- the ring ----------------------------------------------------------------
 */

enum { SIZE = 4096 };

static struct {
	uint64_t consumer, producer;
	unsigned char data[2 * SIZE];
} mem;

static struct bpf_ring
ring(void)
{
	struct bpf_ring r;

	memset(&mem, 0, sizeof(mem));
	memset(&r, 0, sizeof(r));
	r.size = SIZE;
	r.consumer = &mem.consumer;
	r.producer = &mem.producer;
	r.data = mem.data;
	return r;
}

/* As the kernel does: both copies of the data are the same memory. */
static void
write_record(uint32_t word, unsigned char fill)
{
	uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	uint32_t at = (uint32_t)(mem.producer % SIZE), i;
	unsigned char rec[SIZE];

	memset(rec, fill, sizeof(rec));
	memcpy(rec, &word, 4);
	for (i = 0; i < len + 8; i++) {
		mem.data[(at + i) % SIZE] = rec[i];
		mem.data[SIZE + (at + i) % SIZE] = rec[i];
	}
	mem.producer += (len + 8 + 7) & ~7u;
}

static void
test_ring(void)
{
	struct bpf_ring r = ring();
	const unsigned char *p;
	const void *rec;
	size_t len, i;
	uint64_t at;

	CHECK(bpf_ring_next(&r, &rec, &len) == 0);
	for (i = 0; i < 1000; i++) {
		/* odd lengths, around the end of the data */
		write_record((uint32_t)(1 + i * 7 % 900), (unsigned char)i);
		write_record(BPF_RINGBUF_DISCARD_BIT | 33, 0xdd);
		write_record(24, (unsigned char)~i);
		CHECK(bpf_ring_next(&r, &rec, &len) == 1);
		p = rec;
		CHECK(len == 1 + i * 7 % 900 && p[0] == (unsigned char)i &&
		    p[len - 1] == (unsigned char)i);
		CHECK(bpf_ring_next(&r, &rec, &len) == 1);
		p = rec;
		CHECK(len == 24 && p[23] == (unsigned char)~i);
		CHECK(bpf_ring_next(&r, &rec, &len) == 0);
		CHECK(mem.consumer == mem.producer);
	}
	/* one that is being written holds up what is behind it, and room is
	 * given back in front of it: else the writer wakes nobody */
	at = mem.producer;
	write_record(BPF_RINGBUF_DISCARD_BIT | 8, 0);
	write_record(BPF_RINGBUF_BUSY_BIT | 16, 1);
	write_record(16, 2);
	CHECK(bpf_ring_next(&r, &rec, &len) == 0);
	CHECK(mem.consumer == at + 16);
	mem.producer = at;
	write_record(BPF_RINGBUF_DISCARD_BIT | 8, 0);
	write_record(16, 1);
	write_record(16, 2);
	CHECK(bpf_ring_next(&r, &rec, &len) == 1 &&
	    *(const unsigned char *)rec == 1);
	CHECK(bpf_ring_next(&r, &rec, &len) == 1 &&
	    *(const unsigned char *)rec == 2);
	CHECK(mem.consumer != mem.producer);
	bpf_ring_done(&r);
	CHECK(mem.consumer == mem.producer && r.most > 0);
	/* long before the end of a full ring room is given back */
	for (i = 0; i < 100; i++)
		write_record(24, 1);
	at = mem.consumer;
	for (i = 0; i < 30; i++)
		CHECK(bpf_ring_next(&r, &rec, &len) == 1);
	CHECK(mem.consumer > at);

	/* nonsense */
	r = ring();
	write_record(SIZE - 8, 0);
	CHECK(bpf_ring_next(&r, &rec, &len) == 1 && len == SIZE - 8);
	r = ring();
	write_record(8, 0);
	memcpy(mem.data, "\x10\0\0\0", 4);
	CHECK(bpf_ring_next(&r, &rec, &len) == -1 && errno == EBADMSG);
	memcpy(mem.data, "\xff\xff\xff\x3f", 4);
	CHECK(bpf_ring_next(&r, &rec, &len) == -1 && errno == EBADMSG);
	r = ring();
	write_record(8, 0);
	mem.producer = SIZE + 8;
	CHECK(bpf_ring_next(&r, &rec, &len) == -1 && errno == EBADMSG);
}

int
main(void)
{
	test_reasons();
	test_log();
	test_ring();
	return failed != 0;
}
