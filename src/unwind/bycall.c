/*
 * Callers by the calls that led here, where neither unwind data nor a frame
 * pointer tells: a return address stands behind a call, and that call leads to
 * the function it returns from.
 */
#include <string.h>

#include "unwind/callsite.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
enum {
	SCAN_MAX = 2048 /* bytes of a stack that are looked through */
};

#if defined(__x86_64__)
/* push %rbp; mov %rsp,%rbp: then the frame pointer is to be had, once both
 * are done. */
static int
keeps_fp(struct walk *w, const struct function *fn)
{
	static const unsigned char prologue[] = {0x55, 0x48, 0x89, 0xe5},
				   endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned char b[sizeof(endbr) + sizeof(prologue)];
	size_t i = 0;

	if (fn == NULL ||
	    target_read(w->u->t, fn->start, b, sizeof(b)) != sizeof(b))
		return 0;
	if (memcmp(b, endbr, sizeof(endbr)) == 0)
		i = sizeof(endbr);
	return memcmp(b + i, prologue, sizeof(prologue)) == 0 &&
	    walk_at(w) - fn->start >= i + sizeof(prologue);
}

/* Whether the frame pointer leads to a caller that called this function. */
static int
fp_leads(struct walk *w, const struct function *fn)
{
	uint64_t ra;

	return w->fp >= w->sp && w->fp % 8 == 0 &&
	    target_word(w->u->t, w->fp + 8, &ra) == 0 &&
	    walk_leads(w, fn, ra, 0) == CALL_DIRECT;
}

static int
go_on(struct walk *w, uint64_t at, uint64_t ra)
{
	struct caller c = {.pc = ra, .sp = at + 8, .fp = w->fp};

	w->flags = FRAME_CALL;
	return walk_restart(w, &c);
}

int
walk_by_call(struct walk *w)
{
	const struct function *fn = function_at(w->u, walk_at(w));
	struct target *t = w->u->t;
	enum callsite call = CALL_NONE;
	uint64_t ra, at;

	if (keeps_fp(w, fn))
		return -1;
	if (target_word(t, w->sp, &ra) == 0)
		call = walk_leads(w, fn, ra, 0);
	/* of code that called on, a word there may be left of a call within it
	 */
	if (call == CALL_DIRECT && (w->exact || (fn != NULL && fn->sized)))
		return go_on(w, w->sp, ra);
	if (walk_is_bottom(w))
		return 0;
	if (walk_by_code(w) == 1)
		return 1;
	if (fp_leads(w, fn))
		return -1;
	/* only a function that calls nothing is sure to have it there */
	if (w->exact && call == CALL_INDIRECT)
		return go_on(w, w->sp, ra);
	if (fn == NULL || !fn->sized)
		return walk_to_bottom(w);
	for (at = w->sp + 8; at - w->sp < SCAN_MAX; at += 8) {
		if (target_word(t, at, &ra) == -1)
			break;
		if (walk_leads(w, fn, ra, 1) == CALL_DIRECT)
			return go_on(w, at, ra);
	}
	return -1;
}
#else
/*
 * A leaf keeps its return address in the link register alone.  That is it, and
 * no leftover of an earlier call, if the call before it leads here, or leads
 * nobody knows where from another function.
 */
int
walk_by_call(struct walk *w)
{
	const struct function *fn = function_at(w->u, walk_at(w));
	struct caller c = {.pc = w->lr, .sp = w->sp, .fp = w->fp};
	enum callsite call = CALL_NONE;
	uint64_t start;

	if (w->exact && w->lr != 0)
		call = walk_leads(w, fn, w->lr, 0);
	if (call == CALL_INDIRECT && fn != NULL) {
		start = fn->start;
		fn = function_at(w->u, w->lr - 1);
		if (fn != NULL && fn->start != start)
			call = CALL_DIRECT;
	}
	if (call == CALL_DIRECT) {
		w->flags = FRAME_CALL;
		return walk_restart(w, &c);
	}
	return walk_is_bottom(w) ? 0 : -1;
}
#endif
#endif
