/*
 * bpfsys: bpf(2) without a library: maps, programs, the ring buffer.
 *
 * Nothing here asks for a kernel's version: what it can do is what loads.
 * All descriptors are close-on-exec, and all there is vanishes with them: a
 * program is attached for as long as the descriptor of its link is open, so
 * also kill -9 leaves nothing behind.  Source: bpf(2), linux/bpf.h,
 * Documentation/bpf/ringbuf.rst.
 */
#ifndef BPF_BPFSYS_H
#define BPF_BPFSYS_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/insn.h"

/* -1 with errno; see bpf_reason().  value 0 and key 0 for a ring buffer. */
int bpfsys_map(unsigned type, unsigned key, unsigned value, unsigned entries,
    const char *name);
/* The value at a key; of a per-CPU map one for each possible CPU, each rounded
 * up to 8 bytes. */
int bpfsys_lookup(int mapfd, const void *key, void *value);
/* The key behind that one, the first for NULL; -1 ENOENT there is none. */
int bpfsys_next(int mapfd, const void *key, void *next);

/* Functions of a program beside the first: where they begin. */
struct bpfsys_func {
	uint32_t insn;
	uint32_t type; /* id in the btf of the program */
};

struct bpfsys_prog {
	const struct insns *insns; /* finished */
	const char *name;
	int btffd; /* -1 for none; then nfuncs is 0 */
	const struct bpfsys_func *func;
	unsigned nfuncs;
};

/* Loads a raw tracepoint program.  When it is refused and log is not NULL,
 * *log is what the verifier said (malloc'd), or NULL if nothing. */
int bpfsys_load(const struct bpfsys_prog *, char **log);
/* Loads BTF of our own, for func_info. */
int bpfsys_load_btf(const void *, size_t);
/* The link: closing it detaches. */
int bpfsys_attach(const char *tracepoint, int progfd);
/* How often the kernel left the program out because it was running already;
 * 0 where it does not tell (before 5.12). */
uint64_t bpfsys_misses(int progfd);

/* --- the ring buffer -------------------------------------------------------
 */

/*
 * One reader.  The kernel wakes it (fd becomes readable) only for a record
 * that comes after everything had been consumed.  So the reader waits on fd
 * without end, then lets 2 ms pass and drains: at most 500 wake-ups a second
 * under any load, and none when nothing happens.
 */
struct bpf_ring {
	int fd; /* of the map; not ours to close */
	size_t size, page;
	uint64_t *consumer;	  /* mapped read-write */
	const uint64_t *producer; /* mapped read-only, with the data twice */
	const unsigned char *data;
	uint64_t pos;  /* behind the last record handed out */
	uint64_t done; /* what the kernel was told is free */
	uint64_t most; /* the most bytes seen waiting */
};

/* size as the map was made; -1 with errno. */
int bpf_ring_open(struct bpf_ring *, int mapfd, size_t size);
void bpf_ring_close(struct bpf_ring *);
/*
 * The next record, in the ring itself: it stays until the next call.  1; 0
 * when there is none, or one that is still being written, -1 EBADMSG when the
 * ring makes no sense.
 */
int bpf_ring_next(struct bpf_ring *, const void **, size_t *len);
/* How many bytes there are behind the last record handed out. */
uint64_t bpf_ring_waiting(const struct bpf_ring *);
/* Gives back the room of the records handed out so far, if something that
 * takes long comes before the next call. */
void bpf_ring_done(struct bpf_ring *);

/* --- why it does not work ---------------------------------------------------
 */

enum bpf_step {
	BPF_STEP_MAP,	 /* the first map */
	BPF_STEP_RING,	 /* the ring buffer */
	BPF_STEP_LOAD,	 /* the program */
	BPF_STEP_ATTACH, /* to its tracepoint */
	BPF_STEP_MMAP	 /* the ring buffer into memory */
};

/* What this process may; bpf_rights_read() leaves what it cannot find out at
 * "allowed". */
struct bpf_rights {
	uint64_t caps; /* effective, one bit for each CAP_* */
	int userns;    /* not in the initial user namespace: they count for
			  nothing */
	int lockdown;  /* 0 none, 1 integrity, 2 confidentiality */
	uint64_t memlock;
};

void bpf_rights_read(struct bpf_rights *);
/* From the texts of /proc/self/status, /proc/self/uid_map and
 * /sys/kernel/security/lockdown; NULL for one that is not there. */
void bpf_rights_parse(struct bpf_rights *, const char *status,
    const char *uid_map, const char *lockdown);
/*
 * One line for a step that failed with err: what is missing, by its name.  log
 * is the verifier's (may be NULL).
 */
enum { BPF_REASON = 512 };
void bpf_reason(const struct bpf_rights *, enum bpf_step, int err,
    const char *log, char out[BPF_REASON]);
/* The last line of a verifier's log that says what it refused, or "". */
void bpf_log_line(const char *log, char *out, size_t n);

#endif
