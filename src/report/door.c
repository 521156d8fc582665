#include "report/door.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/elfsym.h"
#include "proc/mounts.h"

/* Does our own tree of debug files answer? */
static int
is_near(void)
{
	struct buf mounts = {0};
	const char *type = NULL;
	size_t len;
	int near;

	if (io_slurp(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &mounts,
		NULL) == 0)
		type =
		    mounts_type(mounts.p, mounts.len, elfsym_debug_root, &len);
	near = mounts_is_local(type, type != NULL ? len : 0);
	buf_free(&mounts);
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
report_door(struct sandbox_bounds *b, pid_t parent, int other_files,
    struct opener *o, const char **why)
{
	static const struct opener_how how = {
	    .open = open_path, .keepfd = -1, .drop = 1};
	int near = is_near(), r;

	o->askfd = b->treefd = -1;
	if ((!near || other_files) && opener_start(o, &how) == -1)
		o->askfd = -1;
	if (near)
		b->treefd =
		    open(elfsym_debug_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else if (o->askfd != -1)
		elfsym_debug_opener = o;
	r = sandbox_enter(
	    b->role != 0 ? b->role : SANDBOX_REPORT, b, parent, why);
	if (b->treefd != -1)
		close(b->treefd);
	if (r == 1)
		elfsym_debug_root = "";
	return r == -1 ? -1 : 0;
}
