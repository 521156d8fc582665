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
enum {
	ENTRY_SPAN = 128,
	BOTTOM_MAX = 256, /* bytes that the last function before it may use */
	ARGS_MAX = 1 << 20
};

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

#if defined(__x86_64__)
/* Where musl's __clone() goes on when its child's function has returned: xor
 * %eax,%eax; mov $60,%al; syscall; hlt. */
static int
ends_thread(struct target *t, uint64_t ra)
{
	static const unsigned char code[] = {
	    0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05, 0xf4};
	unsigned char b[2 + sizeof(code)];

	return target_read(t, ra, b, sizeof(b)) == sizeof(b) &&
	    memcmp(b + 2, code, sizeof(code)) == 0;
}

/* What execve(2) leaves at the bottom of a stack: argc, the arguments, NULL. */
static int
is_argc(struct target *t, uint64_t at)
{
	uint64_t argc, v;

	return target_word(t, at, &argc) == 0 && argc > 0 && argc < ARGS_MAX &&
	    target_word(t, at + 8, &v) == 0 && v != 0 &&
	    target_word(t, at + 8 + 8 * argc, &v) == 0 && v == 0;
}

/* A return address in the code that the kernel started, or that __clone() did,
 * where a stack has to have one. */
static int
is_first(struct target *t, uint64_t at, uint64_t ra)
{
	const struct module *m = target_module(t, ra - 1);

	if (m == NULL)
		return 0;
	if (ends_thread(t, ra))
		return 1;
	return m->entry != 0 && ra - m->entry < ENTRY_SPAN &&
	    (is_argc(t, at + 8) || is_argc(t, at + 16));
}

/* Nothing else on the way there may be a return address, but one of a call by
 * a pointer: of main, or of a thread's function. */
int
walk_to_bottom(struct walk *w)
{
	struct caller c = {.pc = 0};
	struct target *t = w->u->t;
	enum callsite call;
	uint64_t at, ra, dest;

	for (at = w->sp; at - w->sp < BOTTOM_MAX; at += 8) {
		if (target_word(t, at, &ra) == -1)
			return -1;
		if (target_code(t, ra - 1) == NULL)
			continue;
		call = callsite_find(t, ra, &dest);
		if (call == CALL_NONE)
			continue;
		if (c.pc == 0)
			c = (struct caller){
			    .pc = ra, .sp = at + 8, .fp = w->fp};
		else if (!is_first(t, at, ra))
			return -1;
		if (is_first(t, at, ra)) {
			w->flags = FRAME_CALL;
			return walk_restart(w, &c);
		}
		if (call != CALL_INDIRECT)
			return -1;
	}
	return -1;
}
#else
static int
ends_thread(struct target *t, uint64_t ra)
{
	(void)t;
	(void)ra;
	return 0;
}
#endif

int
walk_is_bottom(struct walk *w)
{
	uint64_t at = walk_at(w);
	const struct module *m = target_module(w->u->t, at);
	const struct function *fn = function_at(w->u, at);
	size_t i;

	if (is_newborn(w) ||
	    (!w->exact && ends_thread(w->u->t, w->ip + w->adjust)))
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
