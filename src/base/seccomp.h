/*
 * seccomp: a list of system calls, made into a filter (seccomp(2)) by hand.
 *
 * What is not on the list kills the process (SECCOMP_RET_KILL_PROCESS): its
 * parent sees SIGSYS.  Calls of another machine's or another ABI's numbers are
 * on no list.
 */
#ifndef BASE_SECCOMP_H
#define BASE_SECCOMP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum seccomp_test {
	SC_ANY,	  /* whatever the arguments are */
	SC_NONE,  /* none of the bits of value is set in the argument */
	SC_ALL,	  /* all of them are */
	SC_EQUAL, /* the argument is value */
	SC_SELF,  /* the argument is self */
	SC_NULL	  /* the argument is a null pointer */
};

struct seccomp_rule {
	long nr;
	unsigned roles; /* a bit for each that may */
	enum seccomp_test test;
	unsigned arg; /* 0 to 5; its low 32 bits are looked at */
	uint32_t value;
	int deny; /* 0 allowed, else the errno it fails with */
};

enum { SECCOMP_RULES = 128 }; /* at most */

/*
 * From here on the calling process makes those calls only that a rule of the
 * given role allows; children and exec inherit it.  self is its process id.
 * no_new_privs must be set. -1 with errno: no filter is in force.  ENOSYS: this
 * kernel or this machine has none; E2BIG: more rules than there may be.
 */
int
seccomp_shut(const struct seccomp_rule *, size_t n, unsigned role, pid_t self);

#endif
