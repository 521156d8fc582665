/*
 * Where a stack begins, though no unwind data says so: the code that the
 * kernel, or a thread's creator, set going.
 */
#include <string.h>

#include "base/bytes.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
/* Of a module without symbols: its entry, and what goes on behind it
 * (_dl_start_user behind _start in ld.so). */
enum { ENTRY_SPAN = 128 };

/* glibc, musl: the program's start, ld.so's, a thread's, makecontext(3)'s; and
 * what musl's _start becomes by jumps. */
static const char *const names[] = {"_start", "_dl_start_user", "clone",
    "__clone", "clone3", "__clone3", "thread_start", "__thread_start",
    "__start_context", "libc_start_main_stage2"};

/* A thread that has come out of clone(2) or clone3(2) as the child, and done
 * nothing yet (asm/unistd.h: numbers of each machine). */
static int
is_newborn(const struct walk *w)
{
#if defined(__x86_64__)
	enum { RESULT = 10, NUMBER = 15, CLONE = 56, CLONE3 = 435 };
#else
	enum { RESULT = 0, NUMBER = 8, CLONE = 220, CLONE3 = 435 };
#endif
	const uint64_t *r = w->th->regs.r;

	return w->count == 1 && w->exact && r[RESULT] == 0 &&
	    (r[NUMBER] == CLONE || r[NUMBER] == CLONE3);
}

int
walk_is_bottom(struct walk *w)
{
	uint64_t at = walk_at(w);
	const struct module *m = target_module(w->u->t, at);
	const struct function *fn = function_at(w->u, at);
	size_t i;

	if (is_newborn(w))
		return 1;
	for (i = 0; fn != NULL && i < NELEM(names); i++)
		if (strcmp(fn->name, names[i]) == 0)
			return 1;
	if (m == NULL || m->entry == 0)
		return 0;
	return fn != NULL && fn->sized ? fn->start == m->entry
				       : at - m->entry < ENTRY_SPAN;
}
#endif
