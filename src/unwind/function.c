/*
 * Which function an address is in: by the Go program's own table, else by the
 * symbols of its module.  Asked only where unwind data says nothing, so the
 * few last answers are kept, not all.
 */
#include <stdlib.h>
#include <string.h>

#include "elf/elfsym.h"
#include "elf/gopclntab.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
void
function_forget(struct function *f)
{
	free(f->name);
	memset(f, 0, sizeof(*f));
}

static void
by_go(struct module *m, struct function *f)
{
	struct gopclntab *go = module_go(m);
	struct gofunc g;

	if (go == NULL || gopclntab_find(go, f->at - m->bias, &g) == -1)
		return;
	f->go = 1;
	f->sized = 1;
	f->start = g.start + m->bias;
	f->name = gopclntab_name(go, &g);
}

static void
by_symbol(struct module *m, struct function *f)
{
	struct elfsym_query q = {.vaddr = f->at - m->bias};

	elfsym_resolve(m->fd, &q, 1);
	f->name = q.name;
	f->start = q.start + m->bias;
	f->sized = q.size != 0;
}

const struct function *
function_at(struct unwinder *u, uint64_t at)
{
	struct module *m = target_module(u->t, at);
	struct function *f;
	size_t i;

	for (i = 0; i < FUNCTIONS; i++)
		if (u->fn[i].mod == m && u->fn[i].at == at && m != NULL)
			return u->fn[i].name != NULL ? &u->fn[i] : NULL;
	if (m == NULL || m->headers != MODULE_YES || module_file(u->t, m) == -1)
		return NULL;
	f = &u->fn[u->fnext++ % FUNCTIONS];
	function_forget(f);
	f->at = at;
	f->mod = m;
	by_go(m, f);
	if (f->name == NULL)
		by_symbol(m, f);
	return f->name != NULL ? f : NULL;
}
#endif
