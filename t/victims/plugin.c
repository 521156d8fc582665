/*
 * plugin LIBRARY [gone]: a crash in a library that was loaded at run time
 * and, with "gone", has been deleted since.
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

NOINLINE static int
outer(const char *library, int gone)
{
	int (*run)(void);
	void *lib = dlopen(library, RTLD_NOW), *sym;
	int r;

	if (lib == NULL || (sym = dlsym(lib, "plug_run")) == NULL)
		return 111;
	if (gone)
		unlink(library);
	memcpy(&run, &sym, sizeof(run));
	r = run();
	KEEP();
	return r;
}

int
main(int argc, char *argv[])
{
	return argc < 2 ? 100 : outer(argv[1], argc > 2);
}
