#include "target/untraceable.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/procdir.h"

/* In words that stand behind "unable to trace PID: "; NULL: errno's do. */
static const char *
reason(int err)
{
	if (err == ETIMEDOUT)
		return "no thread stopped in time";
	if (err != EPERM && err != EACCES)
		return NULL;
	return geteuid() == 0 ? "Operation not permitted: forbidden here even "
				"to root"
			      : "Operation not permitted: root is needed";
}

int
untraceable(
    const struct procinfo *pi, pid_t pid, int err, char *text, size_t len)
{
	const struct buf *b = &pi->item[PROC_STATUS].b;
	long tracer = procinfo_number(pi, "TracerPid");
	const char *why = reason(err), *state;
	size_t n;

	state = proc_status_field(b->p, b->len, "State", &n);
	if (err == ESRCH && state != NULL && *state == 'Z')
		snprintf(text, len, "process %d has exited (zombie)", (int)pid);
	else if (err == ESRCH && pi->item[PROC_MAPS].err == 0 &&
	    pi->item[PROC_MAPS].b.len == 0 && pi->item[PROC_EXE].err != 0)
		snprintf(text, len, "process %d is a kernel thread or gone",
		    (int)pid);
	else if (tracer > 0)
		snprintf(text, len,
		    "unable to trace %d: it is traced by process %ld already",
		    (int)pid, tracer);
	else {
		snprintf(text, len, "unable to trace %d%s%s", (int)pid,
		    why != NULL ? ": " : "", why != NULL ? why : "");
		return why != NULL;
	}
	return 1;
}
