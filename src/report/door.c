#include "report/door.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/elfsym.h"
#include "proc/mounts.h"

/* Does our own tree of debug files answer? */
static int
is_near(const struct procinfo *pi)
{
	const struct buf *mounts = procinfo_our_mounts(pi);
	struct buf own = {0};
	const char *type = NULL;
	size_t len;
	int near;

	if (mounts == NULL &&
	    io_slurp(
		AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &own, NULL) == 0)
		mounts = &own;
	if (mounts != NULL)
		type = mounts_type(
		    mounts->p, mounts->len, elfsym_debug_root, &len);
	near = mounts_is_local(type, type != NULL ? len : 0);
	buf_free(&own);
	return near;
}

static int
open_path(void *arg, const char *path, const char **why)
{
	(void)arg;
	(void)why;
	return io_open_regular(AT_FDCWD, path);
}

int
report_door(const struct report_outside *out, struct sandbox_bounds *b,
    struct opener *o, const char **why)
{
	static const struct opener_how how = {
	    .open = open_path, .keepfd = -1, .drop = 1};
	int near = is_near(out->pi), r;

	o->askfd = b->treefd = -1;
	b->tree = near ? elfsym_debug_root : NULL;
	if ((!near || out->other_files) && opener_start(o, &how) == -1)
		o->askfd = -1;
	if (!near && o->askfd != -1)
		elfsym_debug_opener = o;
	r = sandbox_enter(
	    b->role != 0 ? b->role : SANDBOX_REPORT, b, out->parent, why);
	if (r == SANDBOX_ROOTED)
		elfsym_debug_root = "";
	else if (r == SANDBOX_TREELESS)
		elfsym_debug_root = NULL; /* nothing is there, nor missed */
	return r == -1 ? -1 : 0;
}
