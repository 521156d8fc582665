/* privdrop: root no more, for good. */
#ifndef BASE_PRIVDROP_H
#define BASE_PRIVDROP_H

#include <stdint.h>
#include <sys/types.h>

enum { NOBODY = 65534 }; /* uid and gid, where no other will do */

/* geteuid(2), which is asked but once: nothing changes it but the functions
 * below. */
uid_t priv_uid(void);

/*
 * Leaves every privilege behind: supplementary groups, gid, uid (all three
 * each), and with them all capabilities; sets no_new_privs and makes the
 * process non-dumpable, so that nobody of the same uid may trace it
 * (prctl(2)).  When not root only the last two are done.  -1 with errno when
 * any step failed or root could be had back; the caller must then not go on
 * to parse anything hostile.
 */
int privdrop(uid_t, gid_t);
/*
 * The same for any user, with those of the given capabilities (one bit for
 * each CAP_*) that are there to keep.
 */
int privdrop_but(uid_t, gid_t, uint64_t caps);
/* That, for who is to call priv_lose() next: which does what is missing. */
int priv_keep(uid_t, gid_t, uint64_t caps);
/*
 * The same with none, and of an id for uid and gid that the user namespace may
 * lack: then it is NOBODY.  In between, as the last that is done with root's
 * rights, or for who is not root with what it has, last() is called.
 */
int priv_leave(uid_t id, void (*last)(void *), void *arg);
/* What is left of it then: the last capabilities go.  As privdrop(), with the
 * ids as they are. */
int priv_lose(void);
/*
 * For a server: no core of its own and nobody may trace it (-1 when that
 * cannot be had), and SIGPIPE and SIGXFSZ are ignored: the write fails.
 */
int priv_harden(void);

#endif
