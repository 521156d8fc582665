/*
 * sendjob: core_send() in a worker, and somebody who watches it.
 *
 * The worker goes behind the door before it reads a byte of a core; who
 * connects for it stays outside.  It is killed when it gets nowhere, as when a
 * file system behind the process's memory does not answer; a core of which only
 * the head has been read then goes by the stream, through another worker.
 */
#ifndef SEND_SENDJOB_H
#define SEND_SENDJOB_H

#include "send/coresend.h"

struct sendjob {
	struct send_cfg cfg;  /* but for headfd, donefd and result, and with
				 command outfd and infd */
	char *const *command; /* the transport, or NULL */
	int catch;	      /* its standard error */
	int local;	      /* to standard output */
	int hide[2];	      /* descriptors the worker is not to have, or -1 */
	int kept;	      /* core_send_kept(), else core_send() */
	void (*tick)(const struct send_result *); /* every 200 ms, or NULL */
};

/*
 * The result, in memory that is shared (sendjob_free()); its outcome is
 * SEND_LOST where the worker died.  NULL when there is no memory.  The caller's
 * corefd is /dev/null once the core needs it no more.
 */
struct send_result *sendjob_run(struct sendjob *);
void sendjob_free(struct send_result *);

#endif
