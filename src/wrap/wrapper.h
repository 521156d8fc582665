/*
 * wrapper: who is told of a crash, and who gets its core.
 *
 * What is decided, and the command lines that come of it.  This is the program
 * itself, in parts: it says what is wrong, and ends where there is no memory.
 */
#ifndef WRAP_WRAPPER_H
#define WRAP_WRAPPER_H

#include "wrap/conf.h"
#include "wrap/told.h"

enum { WRAPPER_LINK = 4 /* where --after reads what usercrash_c has found */ };

enum wrapper_mode { WRAPPER_FRONT, WRAPPER_AFTER, WRAPPER_STORE };

struct wrapper {
	const char *self, *confpath, *state;
	char *bindir;
	enum wrapper_mode mode;
	struct conf conf;
	struct told told;
	/* what is wanted; what is NULL is not */
	int report, send, hooks;
	int small; /* the core goes through core_trim first */
	const char *store, *app;
	const char *socket, *share; /* of the report */
	const char *separator;	    /* no word of theirs */
};

/* "name[4711] signal 11", for the log. */
const char *wrapper_crash(const struct wrapper *);
/* Reads the conf and what was saved; says once what is wrong with them. */
void wrapper_decide(struct wrapper *);

/* Seconds that usercrash_c may take, its turn waited for. */
unsigned wrapper_wait(const struct wrapper *);

/* Becomes core_send, the local store, or both, when the report is there; runs
 * the hooks. */
_Noreturn void wrapper_after(struct wrapper *);
/* Becomes the local store. */
_Noreturn void wrapper_store(const struct wrapper *);

/* Whether there is that program of ours. */
int wrapper_has(const struct wrapper *, const char *program);
/* It, with all that the kernel has told if it is to know. */
void wrapper_add(const struct wrapper *, struct words *, const char *program);
void
wrapper_add_told(const struct wrapper *, struct words *, const char *program);
/* Ourselves, for that part. */
void wrapper_add_self(const struct wrapper *, struct words *, const char *mode);
/* An option and its value; bound: where one is set.  Else the programs know
 * best what is a share of a file system, or there is none. */
void wrapper_add_value(
    const struct wrapper *, struct words *, const char *option, enum conf_key);
void wrapper_add_bound(
    const struct wrapper *, struct words *, const char *option, enum conf_key);
_Noreturn void wrapper_become(const struct words *);
/* core_tee with those; linkto: a descriptor, or 0. */
_Noreturn void wrapper_become_tee(const struct wrapper *, unsigned stall,
    int linkto, const struct words *commands);
_Noreturn void wrapper_no_memory(void);

#endif
