/*
 * segv_args: what segfault_analyzer(8) was asked for.
 */
#ifndef SEGV_SEGV_ARGS_H
#define SEGV_SEGV_ARGS_H

#include "segv/segv_keeper.h"
#include "segv/segv_teller.h"
#include "segv/segv_watch.h"

struct segv_args {
	struct segv_watch_opts watch;
	struct segv_teller_opts tell; /* path NULL: stdout */
	struct segv_keeper_opts keep; /* size 0: there is no --rotate */
	char **command;		      /* for what ends a process; or NULL */
	int append;
	int stats;

	size_t names; /* private: bytes of all of them */
};

/* Reads them, or ends the program: help, wrong usage. */
void segv_args_parse(struct segv_args *, int argc, char **argv);

#endif
