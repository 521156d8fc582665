/*
 * corekind: what a core is of, be it of this machine or not.
 *
 * Says class, byte order, machine and system of any ELF core by its file header
 * and the owner of its first note, decoding nothing else.  Everything is
 * hostile; a core that is cut tells what it has.
 */
#ifndef CORE_COREKIND_H
#define CORE_COREKIND_H

#include <stddef.h>

enum { CORE_KIND_IDENT = 20 }; /* bytes of a file header that tell */

struct core_kind {
	int elfclass, machine; /* as elf(5) has them */
	int swapped;	       /* the other byte order than this machine's */
	int big;	       /* most significant byte first */
	const char *system;    /* "NetBSD", ...; NULL Linux or not known */
};

/* By the first bytes of any ELF file, of the given type (ET_NONE: any), all but
 * the system; 1, or 0 when it is none. */
int core_kind_ident(
    const unsigned char *e, size_t len, int type, struct core_kind *);
/* 0, or -1 ENOEXEC when fd is no ELF core, or errno. */
int core_kind(int fd, struct core_kind *);
/* A name for any EM_* number seen in practice, else NULL. */
const char *core_machine_name(int machine);
/* "32-bit x86_64 (x32)", "64-bit s390", "32-bit big-endian mips, NetBSD". */
void core_kind_text(const struct core_kind *, char *text, size_t size);

#endif
