/*
 * segv_resolve: what an event (probe/segv_event.h) does not say itself: names
 * of functions, the stack, the cause.
 *
 * Cheap where little was asked for: without stack and detail one symbol is
 * looked up, in a cache.  All text that comes from a process is hostile; files
 * are read through target/modcache.
 */
#ifndef SEGV_SEGV_RESOLVE_H
#define SEGV_SEGV_RESOLVE_H

#include <stdint.h>
#include <time.h>

#include "base/io.h"
#include "probe/segv_event.h"
#include "proc/ksyms.h"
#include "report/fault.h"
#include "target/modcache.h"
#include "target/target_sample.h"
#include "track/maptrack.h"

enum { SEGV_DEPTH = 16, SEGV_DEPTH_MAX = 65536 };

struct segv_opts {
	int registers, stack;
	int detail; /* cause, mapping, owner in text as well */
	int redact; /* no address, no command line */
	int sign;   /* the signature of what ends a process (1), of all (2) */
	size_t depth;
};

/* An address in code. */
struct segv_place {
	uint64_t addr;
	unsigned flags;	      /* FRAME_* of target/target.h */
	const char *function; /* NULL unknown */
	uint64_t off;	      /* in it */
	const char *module;   /* path, "[kernel]" or so, NULL unknown */
	uint64_t vaddr;	      /* in the module; valid when have_vaddr */
	int have_vaddr;
	const unsigned char *id; /* its build-id */
	size_t idlen;
};

enum segv_stack {
	SEGV_STACK_NONE, /* none was asked for */
	SEGV_STACK_RELIABLE,
	SEGV_STACK_TRUNCATED,
	SEGV_STACK_DOUBTFUL
};

/* The mapping of the fault address. */
struct segv_mapping {
	int known; /* 0: none, or could not be found out */
	uint64_t start, end;
	unsigned prot;
	const char *name; /* "" anonymous */
};

enum { SEGV_STAMP = 24 };

/* A time of the wall clock, and its seconds as "2024-02-15 10:30:45", UTC. */
struct segv_moment {
	struct timespec time;
	char stamp[SEGV_STAMP];
};

struct segv_resolved {
	const struct segv_event *ev;
	const struct segv_opts *opts;
	struct timespec time;	/* wall clock */
	char stamp[SEGV_STAMP]; /* as in struct segv_moment */
	struct segv_place at;	/* the instruction */
	struct segv_place *frame;
	size_t nframes;
	enum segv_stack stack;
	char why[192]; /* "" when reliable */
	struct segv_mapping map;
	uint64_t addr; /* the kernel's, else the instruction's own */
	int have_addr;
	unsigned access;	/* MEMOP_* */
	char cause[FAULT_TEXT]; /* "" unknown, or not looked for */
	char signature[17];
	const char *exe;    /* "" unknown */
	const char *cgroup; /* path, NULL unknown */
	/* NULs between and behind the arguments; len 0: it has gone */
	const char *cmdline;
	size_t cmdlen;
	int cmdline_cut;

	/* private to segv_resolve.c */
	struct target t;
	struct symbols *sy;
	struct fault fault;
	struct segv_sample *sample; /* what t is made of */
	struct modcache *cache;
	struct modfile *held;
	char *name;
};

/* What is known of a signal to begin with. */
struct segv_seen {
	const struct segv_event *ev;
	const struct maptrack_view *v;
	struct timespec when; /* wall clock */
	const char *cgroup;   /* path, NULL unknown */
	const char *cmdline;  /* as in struct segv_resolved */
	size_t cmdlen;
	int cmdcut;
};

/* What is kept from one event to the next. */
struct segv_resolver {
	struct segv_opts opts;
	struct modcache *cache;
	int ksymsfd; /* the caller's: the kernel's symbols (proc/ksyms.h), -1 */
	struct ksyms *ksyms; /* read when first needed */
	int ksyms_err;
	time_t second; /* of stamp */
	char stamp[SEGV_STAMP];
	int64_t jit_due; /* no perf map is read before (base/deadline.h) */
};

/* The cache stays the caller's. */
void segv_resolver_init(struct segv_resolver *, const struct segv_opts *,
    struct modcache *, int ksymsfd);
void segv_resolver_free(struct segv_resolver *);

/*
 * What it is made of must stay until segv_resolved_free(), which is to be
 * called in either case.  0, or -1 with errno when memory ran out; what is
 * known is filled in.
 */
int segv_resolve(
    struct segv_resolved *, struct segv_resolver *, const struct segv_seen *);
void segv_resolved_free(struct segv_resolved *);

/* That time; the resolver remembers its second, which many share. */
void segv_moment(struct segv_resolver *, struct timespec, struct segv_moment *);

/* --- private: segv_sample.c for segv_resolve.c
 * ---------------
 */

/* What a target is made of (target/target_sample.h), from event and view. */
struct segv_sample {
	struct sample s;
	struct sample_page page[SEGV_PAGES_MAX];
	struct map *maps;
	struct modfile **files;
};

/* NULL ENOMEM. */
struct segv_sample *
segv_sample_new(const struct segv_event *, const struct maptrack_view *);
void segv_sample_free(struct segv_sample *);
/* Is that the path of the file whose last component the mapping tells? */
int segv_is_path(const char *path, const struct segv_vma *);

#endif
