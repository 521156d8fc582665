/*
 * Go's frames.  Its compiler makes no .eh_frame, and its assembly functions
 * keep no frame pointer; .gopclntab tells how large the frame is at each
 * instruction, which is all the runtime itself goes by (runtime/traceback.go).
 *
 * x86-64: the return address lies above the frame, the caller's frame pointer
 * at its top.  aarch64: the return address lies at the bottom of the frame,
 * the frame pointer below that; without a frame it is in the link register.
 */
#include <string.h>

#include "base/bytes.h"
#include "elf/gopclntab.h"
#include "unwind/callsite.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
/* A goroutine's stack begins in goexit; mcall and morestack leave one for
 * good; the others begin a thread's. */
static const char *const bottoms[] = {"runtime.goexit", "runtime.mcall",
    "runtime.morestack", "runtime.rt0_go", "runtime.clone"};
/* A signal's handler made it look as if the interrupted instruction had called
 * these (preparePanic, pushCall). */
static const char *const injected[] = {
    "runtime.sigpanic", "runtime.asyncPreempt", "runtime.debugCallV2"};

static int
is_listed(const char *name, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return 1;
	return 0;
}

static int
frame_size(struct walk *w, const struct function *fn, uint64_t *size)
{
	struct module *m = target_module(w->u->t, fn->at);
	struct gopclntab *go = m != NULL ? module_go(m) : NULL;
	struct gofunc f;

	if (go == NULL || gopclntab_find(go, fn->at - m->bias, &f) == -1)
		return -1;
	return gopclntab_frame(go, &f, fn->at - m->bias, size);
}

#if defined(__x86_64__)
static int
find_caller(
    struct walk *w, const struct function *fn, uint64_t size, struct caller *c)
{
	struct target *t = w->u->t;

	(void)fn;
	c->sp = w->sp + size + 8;
	c->fp = w->fp;
	if (size >= 8 && target_word(t, c->sp - 16, &c->fp) == -1)
		return -1;
	return target_word(t, c->sp - 8, &c->pc);
}

enum { SWITCH_MAX = 1 << 16 }; /* bytes of a frame that are looked through */

/* Whether ra is where a call of systemstack returns to. */
static int
called_systemstack(struct walk *w, uint64_t ra, uint64_t systemstack)
{
	uint64_t dest;

	return target_code(w->u->t, ra - 1) != NULL &&
	    callsite_find(w->u->t, ra, &dest) == CALL_DIRECT &&
	    dest == systemstack;
}

/*
 * systemstack() goes over to the thread's own stack and keeps the frame
 * pointer.  In newer Go it is its own, on the goroutine's stack: the caller's
 * is there, above that the return address.  Or it is that of its caller: below
 * it that frame's last word is the return address, the one behind a call of
 * systemstack, of a function whose frame is just as large.
 */
static int
cross_systemstack(struct walk *w, uint64_t systemstack, struct caller *c)
{
	struct target *t = w->u->t;
	const struct function *fn;
	uint64_t at, ra, fp, size;

	if (w->fp % 8 != 0)
		return -1;
	if (target_word(t, w->fp, &fp) == 0 &&
	    target_word(t, w->fp + 8, &ra) == 0 &&
	    called_systemstack(w, ra, systemstack)) {
		*c = (struct caller){.pc = ra, .sp = w->fp + 16, .fp = fp};
		return 0;
	}
	for (at = w->fp - 8; w->fp - at <= SWITCH_MAX; at -= 8) {
		if (target_word(t, at, &ra) == -1)
			return -1;
		if (!called_systemstack(w, ra, systemstack))
			continue;
		fn = function_at(w->u, ra - 1);
		if (fn == NULL || !fn->go || frame_size(w, fn, &size) == -1 ||
		    at + size != w->fp)
			continue;
		*c = (struct caller){.pc = ra, .sp = at + 8, .fp = w->fp};
		return 0;
	}
	return -1;
}

/*
 * asmcgocall() does likewise for a call of C; it keeps the goroutine (whose
 * second word is the top of its stack) and how far below that it left it.
 */
static int
cross_asmcgocall(struct walk *w, struct caller *c)
{
	static const unsigned char depth_at[] = {0, 40}; /* by Go's version */
	struct target *t = w->u->t;
	uint64_t depth, g, hi, ra;
	size_t i;

	for (i = 0; i < sizeof(depth_at); i++) {
		if (target_word(t, w->sp + depth_at[i], &depth) == -1 ||
		    target_word(t, w->sp + depth_at[i] + 8, &g) == -1 ||
		    target_word(t, g + 8, &hi) == -1 || depth > hi ||
		    target_word(t, hi - depth, &ra) == -1 ||
		    target_code(t, ra - 1) == NULL)
			continue;
		*c = (struct caller){
		    .pc = ra, .sp = hi - depth + 8, .fp = w->fp};
		return 0;
	}
	return -1;
}
#else
static int
find_caller(
    struct walk *w, const struct function *fn, uint64_t size, struct caller *c)
{
	struct target *t = w->u->t;

	c->sp = w->sp + size;
	c->fp = w->fp;
	if (size == 0) {
		c->pc = w->lr;
	} else if (target_word(t, w->sp, &c->pc) == -1 ||
	    target_word(t, w->sp - 8, &c->fp) == -1) {
		return -1;
	}
	/* the handler kept the link register below the frame it interrupted */
	if (is_listed(fn->name, injected, NELEM(injected))) {
		if (target_word(t, c->sp, &c->lr) == -1)
			return -1;
		c->sp += 16;
	}
	return c->pc != 0 ? 0 : -1;
}

static int
cross_systemstack(struct walk *w, uint64_t systemstack, struct caller *c)
{
	(void)w;
	(void)systemstack;
	(void)c;
	return -1;
}

static int
cross_asmcgocall(struct walk *w, struct caller *c)
{
	(void)w;
	(void)c;
	return -1;
}
#endif

int
walk_go(struct walk *w)
{
	const struct function *fn = function_at(w->u, walk_at(w));
	struct caller c = {0};
	uint64_t size;
	int r;

	if (fn == NULL || !fn->go)
		return -1;
	if (!w->exact) {
		if (is_listed(fn->name, bottoms, NELEM(bottoms)))
			return 0;
		if (strcmp(fn->name, "runtime.systemstack") == 0)
			return cross_systemstack(w, fn->start, &c) == 0
			    ? walk_restart(w, &c)
			    : 0;
		if (strcmp(fn->name, "runtime.asmcgocall") == 0 &&
		    cross_asmcgocall(w, &c) == 0)
			return walk_restart(w, &c);
	}
	if (frame_size(w, fn, &size) == -1)
		return -1;
	c.exact = is_listed(fn->name, injected, NELEM(injected));
	r = find_caller(w, fn, size, &c);
	if (r == -1 || target_code(w->u->t, c.pc - !c.exact) == NULL)
		return -1;
	return walk_restart(w, &c);
}
#endif
