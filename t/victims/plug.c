/* plug: the library that plugin.c loads; the truth is there. */
#include "victim.h"

int plug_run(void);

static int *volatile nowhere;

NOINLINE static int
plug_crash(void)
{
	*nowhere = 1;
	KEEP();
	return 1;
}

int
plug_run(void)
{
	int r = plug_crash();

	KEEP();
	return r;
}
