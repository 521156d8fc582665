/*
 * target: memory, registers, threads and modules of something that ran.
 *
 * One interface for a process that is dumping core (target_proc), a core file
 * (target_core), a live process (target_live) and what was sampled of one
 * (target_sample).  A source fills in maps, threads and the read function;
 * everything above reads through the cache here.  All memory contents are
 * hostile.
 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/arch.h"
#include "proc/maps.h"
#include "target/module.h"

enum { TARGET_PAGE = 4096 };

/* A frame of a backtrace. */
enum {
	FRAME_EXACT = 1,  /* pc is the instruction itself, no return address */
	FRAME_SIGNAL = 2, /* a signal handler returns through this frame */
	FRAME_FP = 4,	  /* found through the frame pointer, not unwind data */
	FRAME_BADPC = 8,  /* pc is in no executable mapping */
	FRAME_POPPED = 16, /* found by popping the return address of a bad pc */
	FRAME_CALL = 32	   /* found by the call that leads to the callee */
};

struct frame {
	uint64_t pc, sp;
	unsigned flags;
	uint64_t n; /* number in the backtrace */
};

/* The first and the last frames; what lay between is counted. */
struct trace {
	struct frame *f;
	size_t n;
	uint64_t left_out; /* frames not kept, after f[head - 1] */
	size_t head;	   /* how many are from the top, when left_out */
	char stop[96];	   /* why it ended early; "" for a proper end */
	int unreadable;	   /* it ended for lack of memory, here: */
	uint64_t missing;
};

struct target_thread {
	pid_t tid;   /* here */
	pid_t nstid; /* in its own pid namespace */
	char name[64];
	size_t namelen;
	struct regs regs; /* n == 0: none */
	const char *why;  /* then: why */
	struct trace trace;
};

struct target_line;

struct target {
	/* Reads up to len bytes at addr into p: bytes read (short at the
	 * first that is unreadable), -1 when the first already is. */
	ssize_t (*read)(struct target *, uint64_t addr, void *p, size_t len);
	void (*close)(struct target *);
	void *src; /* of the source */

	const struct arch *arch; /* NULL: no table for this machine */
	int machine, elfclass;
	struct map *maps;
	size_t nmaps;
	const char *maps_why; /* why there are none */
	/* Its memory went while it was read, and why: set by the source when
	 * that shows, whatever can be read after that is not all there was. */
	const char *lost;
	struct module *mods;
	size_t nmods;
	struct target_thread *threads; /* the one that crashed comes first */
	size_t nthreads;
	const char *threads_why;
	int jitfd; /* what it wrote of code it made (elf/perfmap.h); -1 none,
		      closed by target_free */
	unsigned char *auxv;
	size_t auxvlen;

	/* private to target.c */
	void (*watch)(void *, uint64_t addr, size_t len);
	void *watcher;
	struct target_line *cache;
	uint64_t cache_last;
	unsigned char *cache_lastp;
};

/* Sets defaults; everything else is zero. */
void target_init(struct target *);
void target_free(struct target *);

/* Copies len bytes at addr; bytes copied, short at the first unreadable. */
size_t target_read(struct target *, uint64_t addr, void *, size_t len);
/* Forgets what was read, after the source has got more to read from. */
void target_drop_cache(struct target *);
/* From now on watch is told what is read, in pieces that may be larger than
 * what was asked for; NULL: no more. */
void target_watch(struct target *,
    void (*watch)(void *watcher, uint64_t addr, size_t len), void *watcher);
/* A 64-bit word; 0 done, -1 unreadable. */
int target_word(struct target *, uint64_t addr, uint64_t *);
/* The mapping of an address, or NULL; executable ones only. */
struct map *target_map(struct target *, uint64_t addr);
struct map *target_code(struct target *, uint64_t addr);
/* The module that spans an address, or NULL. */
struct module *target_module(struct target *, uint64_t addr);
uint64_t target_auxv(struct target *, uint64_t type, uint64_t dflt);
/* The thread that crashed, or NULL: none is known, or no registers of it. */
const struct target_thread *target_crashed(const struct target *);
/* Forgets all threads but that one, which becomes the first.  -1 ESRCH. */
int target_keep_thread(struct target *, pid_t tid);
/* Registers by role; 0 when there are none. */
uint64_t thread_pc(const struct target *, const struct target_thread *);
uint64_t thread_sp(const struct target *, const struct target_thread *);

#endif
