/*
 * Whether a call leads to a function: straight, or by jumps (a PLT's).
 */
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
enum {
	LEAF_MAX = 4096, /* of a function whose start is not known */
	HOPS_MAX = 4	 /* jumps on the way of a call */
};

/* Whether dest is an entry of the function that holds at.  strict: its start,
 * and known to be. */
static int
is_entry(const struct function *fn, uint64_t at, uint64_t dest, int strict)
{
	if (strict)
		return fn != NULL && fn->sized && dest == fn->start;
	if (fn != NULL && (dest == fn->start || fn->sized))
		return dest >= fn->start && dest <= at;
	return dest <= at && at - dest < LEAF_MAX;
}

enum callsite
walk_leads(struct walk *w, const struct function *fn, uint64_t ra, int strict)
{
	struct target *t = w->u->t;
	uint64_t dest, at = walk_at(w);
	enum callsite call;
	int hops = 0;

	if (target_code(t, ra - 1) == NULL)
		return CALL_NONE;
	call = callsite_find(t, ra, &dest);
	if (call != CALL_DIRECT)
		return call;
	do
		if (is_entry(fn, at, dest, strict))
			return CALL_DIRECT;
	while (hops++ < HOPS_MAX && callsite_follow(t, &dest));
	return CALL_NONE;
}
#endif
