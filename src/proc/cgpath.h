/*
 * cgpath: what the cgroup of a process tells of its unit and its container.
 *
 * The text is that of /proc/PID/cgroup (cgroups(7)): a line a hierarchy,
 * "ID:CONTROLLERS:PATH", of version 1, 2 or both.  The kernel lets no newline
 * into a name; all else is up to who made the directories, so this is what
 * they are called, not a proof: a user may call what is delegated to him as
 * he likes.  What the service manager made stands first in a path, what is
 * nested last: so a unit is the first there is, a container the innermost.
 */
#ifndef PROC_CGPATH_H
#define PROC_CGPATH_H

#include <stddef.h>

enum { CGPATH_NAME = 256 }; /* NAME_MAX and a NUL */

/* A piece of the text; n 0: not told. */
struct cgpart {
	const char *p;
	size_t n;
};

struct cgpath {
	/* of version 2, else of systemd's own hierarchy, else another; the
	 * first of them that is not the root */
	struct cgpart path;
	struct cgpart unit, slice;	     /* of the system's manager */
	struct cgpart user_unit, user_slice; /* of a user's, user@UID */
	struct cgpart container_unit;	     /* of one inside the container */
	char container[CGPATH_NAME];	     /* id or name, "" none */
	char pod[CGPATH_NAME];
	const char *runtime; /* static; NULL: the path does not tell */
	int monitor;	     /* not in it: what watches over it */
};

void cgpath_read(const char *text, size_t len, struct cgpath *);

#endif
