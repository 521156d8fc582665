/*
 * From a backtrace to what report/signature.h hashes: frames in no module
 * (a jump to nowhere) do not count.
 */
#include <string.h>

#include "report/signature.h"
#include "target/target.h"
#include "unwind/symbols.h"

void
crash_signature(const struct target *t, struct symbols *sy, int signo,
    int recursion, char out[17])
{
	struct signature_frame sf[SIGNATURE_FRAMES];
	const struct trace *tr = &t->threads[0].trace;
	struct symbol s;
	size_t i, n = 0;

	for (i = 0; i < tr->n && n < SIGNATURE_FRAMES; i++) {
		symbols_get(sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &s);
		if (s.mod == NULL)
			continue;
		memset(&sf[n], 0, sizeof(sf[n]));
		sf[n].module = s.mod->base;
		/* whether a C library has this name depends on what is
		 * installed beside it, not on the crash */
		sf[n].function = tr->f[i].flags & FRAME_SIGNAL ? NULL : s.name;
		sf[n].id = s.mod->id;
		sf[n].idlen = s.mod->idlen;
		sf[n++].off = s.vaddr;
	}
	signature_make(signo, sf, n, recursion, out);
}
