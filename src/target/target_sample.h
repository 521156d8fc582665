/*
 * target_sample: a moment of one thread as a target, after its process has
 * gone.
 *
 * Registers and a piece of the stack were copied when it happened; the
 * mappings were tracked (track/maptrack).  All other memory is what files hold
 * that were mapped without write permission.  From the executable mappings
 * and the program headers of their files follow the other mappings of each
 * module, unless they are given.
 *
 * The window: what of the stack was copied.  Every frame whose part of the
 * stack lies in it is shown right, what lies beyond is not there; the verdict
 * says which it was.
 */
#ifndef TARGET_TARGET_SAMPLE_H
#define TARGET_TARGET_SAMPLE_H

#include "target/modcache.h"
#include "target/target.h"

struct sample_page {
	uint64_t addr;		/* multiple of TARGET_PAGE */
	const unsigned char *p; /* TARGET_PAGE bytes */
};

struct sample {
	pid_t pid, tid;
	int machine; /* EM_* */
	const struct regs *regs;
	const struct sample_page *pages; /* by rising address */
	size_t npages;
	uint64_t stack_lo, stack_hi; /* the window that was tried */
	int stack_whole;	     /* nothing of the stack lies above it */
	struct map *maps;	     /* sorted; names must outlive the target */
	size_t nmaps;
	struct modfile **files; /* beside maps, or NULL; NULL entries and no
				   array are looked up in the cache */
	const pid_t *roots;
	size_t nroots;
	const int *jitfd;  /* its perf map (elf/perfmap.h), stays; or NULL */
	const char *exe;   /* path of the program itself, or NULL */
	const char *doubt; /* NULL, or why the maps may be wrong (static) */
};

/*
 * Fills in maps, modules, memory and one thread.  Pages, registers and names
 * stay the caller's and must outlive the target; so must the cache.  0, or -1
 * with errno; target_free() in either case.
 */
int
target_sample_open(struct modcache *, const struct sample *, struct target *);

enum sample_quality {
	SAMPLE_RELIABLE,  /* every frame, to the end of the stack */
	SAMPLE_TRUNCATED, /* the frames are right, further ones are missing */
	SAMPLE_DOUBTFUL	  /* some frames are a guess */
};

struct sample_verdict {
	enum sample_quality quality;
	char why[160]; /* "" when reliable */
};

/* Of the trace of the only thread, after unwind_thread(). */
void sample_judge(struct target *, struct sample_verdict *);

#endif
