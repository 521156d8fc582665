/* The function table of a Go module, opened when somebody first asks: the
 * contract is in target/module.h. */
#include "elf/gopclntab.h"
#include "target/module.h"

struct gopclntab *
module_go(struct module *m)
{
	if (m->gostate == MODULE_UNKNOWN) {
		if (m->fd != -1 && m->headers == MODULE_YES)
			m->go = gopclntab_open(m->fd);
		m->gostate = m->go != NULL ? MODULE_YES : MODULE_NO;
	}
	return m->go;
}
